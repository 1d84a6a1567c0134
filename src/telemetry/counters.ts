import { Counter, Histogram, type Registry } from "prom-client";
import { subscribe } from "./events.ts";

/** The limits of the histograms, in seconds: from what feels immediate to what nobody waits for. */
const BUCKETS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 40, 80, 160];

/** How many messages without any visible answer are remembered; the oldest are forgotten first. */
const MAX_PENDING = 20_000;

/** Counts telemetry events in the metrics of a registry; returns how to stop. */
export function countEvents(registry: Registry): () => void {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const turns = counter("colloquy_turns_total", "Turns that have ended", ["platform", "outcome"]);
  const tokens = counter("colloquy_tokens_total", "Tokens sent to models (in) and written by them (out)", [
    "model",
    "direction",
  ]);
  const cost = counter("colloquy_cost_total", "The cost of models, in the currency of the prices", ["model"]);
  const requests = counter("colloquy_model_requests_total", "Requests to models", ["model", "outcome"]);
  const retries = counter("colloquy_retries_total", "Repeated writes to platforms", ["platform"]);
  const writes = counter(
    "colloquy_writes_total",
    "Writes to platforms: taken, refused as too fast (slow, such as 429), or failed",
    ["platform", "outcome"],
  );
  const errors = counter("colloquy_errors_total", "Errors by kind and code", ["kind", "code"]);
  const stopTiming = timeAnswers(registry);

  const subscriptions = [
    stopTiming,
    subscribe("turn", ({ event, outcome }) => turns.inc({ platform: event.platform, outcome })),
    subscribe("spent", ({ model, input, output, cost: amount }) => {
      tokens.inc({ model, direction: "in" }, input);
      tokens.inc({ model, direction: "out" }, output);
      if (amount !== undefined) cost.inc({ model }, amount);
    }),
    subscribe("asked", ({ model, outcome }) => requests.inc({ model, outcome })),
    subscribe("retry", ({ platform }) => retries.inc({ platform })),
    subscribe("write", ({ platform, outcome }) => writes.inc({ platform, outcome })),
    subscribe("error", ({ kind, code }) => errors.inc({ kind, code })),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

/** Measures how long users wait for the first visible text, and for the whole answer. */
function timeAnswers(registry: Registry): () => void {
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ["platform"], buckets: BUCKETS, registers: [registry] });
  const whole = histogram("colloquy_answer_seconds", "Time from a message to the end of its answer");
  const first = histogram(
    "colloquy_first_text_seconds",
    "Time from a message to the first visible text of its answer",
  );
  /** When each message was sent whose answer is not visible yet, by event id. */
  const pending = new Map<string, number>();

  const stopStages = subscribe("step", ({ step, event, at }) => {
    if (step === "loaded") {
      pending.set(event.id, event.at);
      const [oldest] = pending.keys();
      if (pending.size > MAX_PENDING && oldest !== undefined) pending.delete(oldest);
    } else if (["sent", "drafted", "edited"].includes(step) && pending.delete(event.id)) {
      first.observe({ platform: event.platform }, seconds(at - event.at));
    }
  });
  const stopTurns = subscribe("turn", ({ event, outcome, at }) => {
    pending.delete(event.id);
    if (outcome === "answered") whole.observe({ platform: event.platform }, seconds(at - event.at));
  });
  return () => {
    stopStages();
    stopTurns();
  };
}

/** From ms. A platform's clock may be ahead of ours, so the time may come out negative. */
function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}
