import { setTimeout as sleep } from "node:timers/promises";
import type { Adapter, CommandEntry, Receive } from "../adapter.ts";
import { ConfigError, describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { ClusterSession } from "../postgres/session.ts";
import { createPartitionShare, type PartitionShare } from "./partition-share.ts";

export interface ReceiverOptions {
  readonly adapters: readonly Adapter[];
  readonly receive: Receive;
  readonly menu: readonly CommandEntry[];
  /** Connects this process with the others; undefined if there are none. */
  readonly session: ClusterSession | undefined;
  readonly log: Log;
}

/** Receives events from the platforms: all of them, or this process's share if there are several processes. */
export interface Receiver {
  /**
   * Starts all adapters. Resolves with the names of the platforms that are connected here or received by another process,
   * when each has connected or failed. Rejects with a `ConfigError` if all have failed.
   */
  start(): Promise<readonly string[]>;
  stop(): Promise<void>;
  /** The platforms from which nothing is received at the moment, each with a sentence for the operator. */
  health(): readonly (readonly [platform: string, problem: string])[];
}

/** How often to rebalance partitions, in ms. A partition whose process has died waits at most this long. */
const REBALANCE_EVERY_MS = 1_000;

/** Creates the receiver. Partitions, which only one process may receive at a time, are shared evenly among the processes. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { adapters, session, log } = options;
  const unconnected = new Map(adapters.map(({ name }) => [name, "is connecting"]));
  const stopping = new AbortController();
  const shares: PartitionShare[] = [];

  return {
    start: async () => {
      // Platforms that this program serves itself always connect, so they do not make up for others that fail.
      const served = adapters.filter(({ http }) => http?.mount !== undefined);
      const outside =
        adapters.length > served.length ? adapters.filter((one) => !served.includes(one)) : served;
      await Promise.all(served.filter((one) => !outside.includes(one)).map(connect));
      const results = await Promise.allSettled(outside.map(connect));
      const failures = results
        .filter((result) => result.status === "rejected")
        .map(({ reason }) => reason as Error);
      if (failures[0] && failures.length === outside.length) throw failures[0];
      for (const error of failures)
        log.error(`could not connect a platform, continuing without it: ${describeError(error)}`);
      return outside.map(({ name }) => name).filter((name) => !unconnected.has(name));
    },
    stop: async () => {
      stopping.abort();
      // Stop receiving before the locks are released: other processes start as soon as they are.
      await Promise.all(adapters.map((adapter) => adapter.stop()));
      await Promise.all(shares.map((share) => share.release()));
    },
    health: () =>
      adapters.flatMap((adapter) => {
        const problem = unconnected.get(adapter.name) ?? adapter.health?.();
        return problem === undefined ? [] : [[adapter.name, problem] as const];
      }),
  };

  async function connect(adapter: Adapter): Promise<void> {
    try {
      const partitions = session && (await adapter.cluster?.partitions?.());
      if (partitions) await receiveShare(adapter, partitions, session);
      else await startAdapter(adapter);
      unconnected.delete(adapter.name);
    } catch (error) {
      unconnected.set(adapter.name, describeError(error));
      throw error;
    }
  }

  function startAdapter(adapter: Adapter, partition?: string): Promise<void> {
    const { receive, menu } = options;
    return partition === undefined ? adapter.start(receive, menu) : adapter.start(receive, menu, partition);
  }

  /** Resolves after the first rebalancing: each partition is received by some process, or this one has its share. */
  async function receiveShare(
    adapter: Adapter,
    partitions: readonly string[],
    session: ClusterSession,
  ): Promise<void> {
    const share = createPartitionShare({ partitions, session, name: adapter.name });
    shares.push(share);
    let balanced = () => {};
    let failed = (_: unknown) => {};
    const first = new Promise<void>((resolve, reject) => {
      balanced = resolve;
      failed = reject;
    });
    void rebalanceRegularly();
    await first;

    async function rebalanceRegularly(): Promise<void> {
      while (!stopping.signal.aborted) {
        await rebalance().then(balanced, (error: unknown) => {
          // A wrong setting is reported as the health of the platform; the adapter reports other problems itself.
          if (error instanceof ConfigError) unconnected.set(adapter.name, describeError(error));
          else log.warn(`could not share ${adapter.name} with other processes: ${describeError(error)}`);
          failed(error);
        });
        await sleep(REBALANCE_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }

    async function rebalance(): Promise<void> {
      for (const partition of share.surplus()) {
        log.info({ partition }, `leaving a partition of ${adapter.name} to another process`);
        await adapter.stop(partition);
        await share.leave(partition);
      }
      const lost = (partition: string) => {
        log.warn({ partition }, `lost a partition of ${adapter.name} to other processes`);
        void adapter.stop(partition);
      };
      const acquired = await share.acquire(lost);
      await Promise.all(acquired.map((partition) => receivePartition(partition)));
    }

    async function receivePartition(partition: string): Promise<void> {
      log.info({ partition }, `receiving a partition of ${adapter.name}`);
      await startAdapter(adapter, partition).catch(async (error: unknown) => {
        await share.leave(partition);
        throw error;
      });
      if (stopping.signal.aborted) await adapter.stop(partition);
    }
  }
}
