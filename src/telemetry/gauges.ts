import { setTimeout as sleep } from "node:timers/promises";
import { Gauge, type Registry } from "prom-client";

/** Where the values come from that are read when somebody asks for the metrics. */
export interface GaugeOptions {
  /** The platforms of this process, by name. */
  readonly platforms: readonly string[];
  /** Which parts do not work right now, and why. */
  readonly health: () => Readonly<Record<string, string>>;
  readonly load: () => Promise<Load>;
  /** How many connections the HTTP port has. */
  readonly connections: () => Promise<number>;
}

/** How much there is to do, in all processes. */
interface Load {
  /** How many events wait or are being answered. */
  readonly events: number;
  /** When the oldest of them was sent, in ms since the epoch. */
  readonly oldestAt?: number;
  /** How many events were given up. */
  readonly dead: number;
}

/** How long to wait for a store that does not answer, in ms; Prometheus itself waits ten seconds. */
const TIMEOUT_MS = 2_000;

interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Adds the gauges to a registry. */
export function addGauges(registry: Registry, { platforms, health, load, connections }: GaugeOptions): void {
  // The three gauges of one scrape share one query.
  let query: Promise<Load> | undefined;
  const shared = () => (query ??= load().finally(() => (query = undefined)));
  const gauge = (name: string, help: string, value: () => Promise<number>) =>
    addGauge(registry, { name, help, read: async () => [{ labels: {}, value: await value() }] });

  gauge("colloquy_queue_events", "Messages that wait or are being answered, in all processes", async () => {
    const { events } = await shared();
    return events;
  });
  gauge("colloquy_queue_oldest_seconds", "How long the oldest of these messages has waited", async () => {
    const { oldestAt = Date.now() } = await shared();
    return Math.max(0, Date.now() - oldestAt) / 1000;
  });
  gauge("colloquy_dead_letters", "Messages that were given up, in all processes", async () => {
    const { dead } = await shared();
    return dead;
  });
  gauge("colloquy_http_connections", "Open connections to the HTTP port", connections);
  addGauge(registry, {
    name: "colloquy_connected",
    help: "Whether a platform, the store and so on work for this process (1) or not (0)",
    labelNames: ["part"],
    read: async () => {
      const failing = health();
      const parts = new Set([...platforms, "store", ...Object.keys(failing)]);
      return [...parts].map((part) => ({ labels: { part }, value: part in failing ? 0 : 1 }));
    },
  });
}

interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly read: () => Promise<readonly Reading[]>;
}

/** A value that cannot be read is left out, which says more than an old one. */
function addGauge(registry: Registry, { name, help, labelNames = [], read }: GaugeDefinition): void {
  const gauge: Gauge = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect: async () => {
      const timeout = sleep(TIMEOUT_MS, undefined, { ref: false });
      const readings = await Promise.race([read().catch(() => undefined), timeout]);
      gauge.reset();
      if (labelNames.length === 0) gauge.remove();
      for (const { labels, value } of readings ?? []) gauge.set(labels, value);
    },
  });
}
