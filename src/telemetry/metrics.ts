import { setTimeout as sleep } from "node:timers/promises";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { subscribe } from "./events.ts";

export interface MetricsOptions {
  /** The platforms of this process, by name. */
  readonly platforms: readonly string[];
  /** Which of them do not receive right now, and why. */
  readonly health: () => Readonly<Record<string, string>>;
  /** How many events wait, since when (in ms since the epoch), and how many were given up. */
  readonly load: () => Promise<{
    readonly events: number;
    readonly oldestAt?: number;
    readonly dead: number;
  }>;
  /** How many connections the HTTP port has. */
  readonly connections: () => Promise<number>;
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
const MAX_PENDING = 20_000;

/** So long a store that does not answer is waited for, in ms: Prometheus itself waits ten seconds. */
const PATIENCE_MS = 2_000;

/** Counts what happens. Labels name platforms, models and kinds: never people, conversations or what they say. */
export function createMetrics({ platforms, health, load, connections }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  let process: Registry | undefined;
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const turns = counter("colloquy_turns_total", "Messages that were dealt with", ["platform", "outcome"]);
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
  const requests = counter("colloquy_model_requests_total", "Requests to models", ["model", "outcome"]);
  const retries = counter("colloquy_retries_total", "Writes to platforms that were made once more", [
    "platform",
  ]);
  const writes = counter(
    "colloquy_writes_total",
    "Writes to platforms: taken, refused as too fast (slow, such as 429), or failed",
    ["platform", "outcome"],
  );
  const errors = counter("colloquy_errors_total", "Errors by kind and code", ["kind", "code"]);
  // All from one look.
  let looking: ReturnType<typeof load> | undefined;
  const look = () => (looking ??= load().finally(() => (looking = undefined)));
  const one = async (value: Promise<number>) => [{ labels: {}, value: await value }];
  gauge("colloquy_queue_events", "Messages that wait or are being answered, in all processes", () =>
    one(look().then(({ events }) => events)),
  );
  gauge("colloquy_queue_oldest_seconds", "How long the one that waits longest has waited", () =>
    one(look().then(({ oldestAt = Date.now() }) => seconds(Date.now() - oldestAt))),
  );
  gauge("colloquy_dead_letters", "Messages that were given up, in all processes", () =>
    one(look().then(({ dead }) => dead)),
  );
  gauge("colloquy_http_connections", "Open connections to the HTTP port", () => one(connections()));
  gauge(
    "colloquy_connected",
    "Whether a platform, the store and so on work for this process (1), or not (0)",
    async () => {
      const wrong = health();
      const parts = new Set([...platforms, "store", ...Object.keys(wrong)]);
      return [...parts].map((part) => ({ labels: { part }, value: part in wrong ? 0 : 1 }));
    },
    ["part"],
  );

  const unseen = new Map<string, number>();
  const endings = [
    subscribe("step", ({ step, event, at }) => {
      if (step === "loaded") {
        unseen.set(event.id, event.at);
        const [oldest] = unseen.keys();
        if (unseen.size > MAX_PENDING && oldest !== undefined) unseen.delete(oldest);
      } else if ((step === "sent" || step === "drafted" || step === "edited") && unseen.delete(event.id)) {
        first.observe({ platform: event.platform }, seconds(at - event.at));
      }
    }),
    subscribe("turn", ({ event, outcome, at }) => {
      unseen.delete(event.id);
      turns.inc({ platform: event.platform, outcome });
      if (outcome === "answered") whole.observe({ platform: event.platform }, seconds(at - event.at));
    }),
    subscribe("spent", (spent) => {
      tokens.inc({ model: spent.model, direction: "in" }, spent.input);
      tokens.inc({ model: spent.model, direction: "out" }, spent.output);
      if (spent.cost !== undefined) cost.inc({ model: spent.model }, spent.cost);
    }),
    subscribe("asked", ({ model, outcome }) => requests.inc({ model, outcome })),
    subscribe("retry", ({ platform }) => retries.inc({ platform })),
    subscribe("write", ({ platform, outcome }) => writes.inc({ platform, outcome })),
    subscribe("error", ({ kind, code }) => errors.inc({ kind, code })),
  ];

  return {
    text: async () => {
      process ??= ofProcess();
      return `${await registry.metrics()}\n${await process.metrics()}`;
    },
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
    return new Histogram({ name, help, labelNames: ["platform"], buckets: BUCKETS, registers });
  }

  /** What cannot be had is left out, which says more than an old figure. */
  function gauge(
    name: string,
    help: string,
    read: () => Promise<readonly { readonly labels: Record<string, string>; readonly value: number }[]>,
    labelNames: readonly string[] = [],
  ): void {
    const one: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect: async () => {
        const late = sleep(PATIENCE_MS, undefined, { ref: false });
        const found = await Promise.race([read().catch(() => undefined), late]);
        one.reset();
        if (labelNames.length === 0) one.remove();
        for (const { labels, value } of found ?? []) one.set(labels, value);
      },
    });
  }
}

/** The event loop is watched a hundred times a second from now on: so not before somebody wants to know. */
function ofProcess(): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}

/** The clock of a platform may be ahead of ours; in ms. */
function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}
