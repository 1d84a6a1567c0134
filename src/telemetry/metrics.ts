import { collectDefaultMetrics, Registry } from "prom-client";
import { countEvents } from "./counters.ts";
import { addGauges, type GaugeOptions } from "./gauges.ts";

/** The metrics of this process since it started. */
export interface Metrics {
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  /** The value of each metric, for each set of labels. */
  values(): Promise<readonly Figure[]>;
  /** Stops counting. */
  stop(): void;
}

/** The value of one metric. */
export interface Figure {
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Starts to count. Labels name platforms, models and kinds of errors, never users, conversations or texts. */
export function createMetrics(options: GaugeOptions): Metrics {
  const registry = new Registry();
  let process: Registry | undefined;
  const stop = countEvents(registry);
  addGauges(registry, options);

  return {
    text: async () => {
      process ??= createProcessRegistry();
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
    stop,
  };
}

/** From then on the event loop is measured a hundred times a second, so this waits for the first request. */
function createProcessRegistry(): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}
