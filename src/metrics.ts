import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { onPulse } from "./pulse.ts";
import type { QueueLoad } from "./queue/queue.ts";

export interface MetricsOptions {
  /** The platforms of this process, by name. */
  readonly platforms: readonly string[];
  /** Which of them do not receive right now, and why. */
  readonly troubles: () => Readonly<Record<string, string>>;
  readonly load: () => Promise<QueueLoad>;
}

/** The figures of this process, since it began. */
export interface Metrics {
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  /** The value of each figure with its labels. */
  values(): Promise<readonly Figure[]>;
  /** Counts no more. */
  stop(): void;
}

/** One number. */
export interface Figure {
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** In seconds: from what feels like nothing to what nobody waits for. */
const BUCKETS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 80, 160];

/** Messages whose answers nobody has begun to see, of which it is known when they were said; the oldest are forgotten. */
const MOST_UNSEEN = 20_000;

/** Counts what happens. Labels name platforms, models and kinds: never people, conversations or what they say. */
export function createMetrics({ platforms, troubles, load }: MetricsOptions): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const turns = counter("colloquy_turns_total", "Messages that were answered, failed, or were stopped", [
    "platform",
    "outcome",
  ]);
  const whole = histogram("colloquy_answer_seconds", "From the message to the end of its answer");
  const first = histogram(
    "colloquy_first_text_seconds",
    "From the message to the first of its answer that is seen",
  );
  const tokens = counter("colloquy_tokens_total", "Tokens that models were sent, or wrote", [
    "model",
    "direction",
  ]);
  const cost = counter("colloquy_cost_total", "What models have cost, in the currency of the prices", [
    "model",
  ]);
  const writes = counter(
    "colloquy_writes_total",
    "Writes to platforms: taken, refused as too fast (slow, such as 429), or failed",
    ["platform", "outcome"],
  );
  const errors = counter("colloquy_errors_total", "Errors by kind and code", ["kind", "code"]);
  gauge("colloquy_queue_events", "Messages that wait or are being answered, in all processes", async (set) =>
    set({}, (await load()).events),
  );
  gauge("colloquy_queue_oldest_seconds", "How long the one that waits longest has waited", async (set) => {
    const { oldestAt } = await load();
    set({}, oldestAt === undefined ? 0 : Math.max(0, Date.now() - oldestAt) / 1000);
  });
  gauge(
    "colloquy_connected",
    "Whether a platform, the store and so on work for this process (1), or not (0)",
    async (set) => {
      const wrong = troubles();
      for (const part of new Set([...platforms, "store", ...Object.keys(wrong)]))
        set({ part }, part in wrong ? 0 : 1);
    },
    ["part"],
  );
  collectDefaultMetrics({ register: registry });

  const unseen = new Map<string, number>();
  const endings = [
    onPulse("step", ({ step, event, at }) => {
      if (step === "loaded") {
        unseen.set(event.id, event.at);
        const [oldest] = unseen.keys();
        if (unseen.size > MOST_UNSEEN && oldest !== undefined) unseen.delete(oldest);
      } else if ((step === "sent" || step === "drafted" || step === "edited") && unseen.delete(event.id)) {
        first.observe({ platform: event.platform }, (at - event.at) / 1000);
      }
    }),
    onPulse("turn", ({ event, outcome, at }) => {
      unseen.delete(event.id);
      turns.inc({ platform: event.platform, outcome });
      whole.observe({ platform: event.platform }, (at - event.at) / 1000);
    }),
    onPulse("spent", (spent) => {
      tokens.inc({ model: spent.model, direction: "in" }, spent.input);
      tokens.inc({ model: spent.model, direction: "out" }, spent.output);
      if (spent.cost !== undefined) cost.inc({ model: spent.model }, spent.cost);
    }),
    onPulse("write", ({ platform, outcome }) => writes.inc({ platform, outcome })),
    onPulse("error", ({ kind, code }) => errors.inc({ kind, code })),
  ];

  return {
    text: () => registry.metrics(),
    values: async () => {
      const all = await registry.getMetricsAsJSON();
      return all.flatMap(({ name, values }) =>
        values.map((one) => ({
          name: "metricName" in one && typeof one.metricName === "string" ? one.metricName : name,
          labels: one.labels as Figure["labels"],
          value: one.value,
        })),
      );
    },
    stop: () => {
      for (const end of endings) end();
    },
  };

  function histogram(name: string, help: string): Histogram<"platform"> {
    return new Histogram({ name: name, help, labelNames: ["platform"], buckets: BUCKETS, registers });
  }

  function gauge(
    name: string,
    help: string,
    collect: (set: (labels: Record<string, string>, value: number) => void) => Promise<void>,
    labelNames: readonly string[] = [],
  ): void {
    const one: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect: () => collect((labels, value) => one.set(labels, value)),
    });
  }
}
