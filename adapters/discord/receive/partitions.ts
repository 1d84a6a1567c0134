import { setTimeout as pause } from "node:timers/promises";
import type { AdapterLog } from "../../../src/log.ts";
import type { Adapter, Cluster, CommandEntry, Receive } from "../../../src/adapter.ts";
import { ConfigError, describeError } from "../../../src/errors.ts";
import type { Api, ApiOptions } from "../api.ts";
import { waitAfter } from "./backoff.ts";
import { createDirectory } from "./directory.ts";
import { createPartitionReceiver, type PartitionReceiver } from "./receiver.ts";
import { createSession, type StoredValue } from "./sessions.ts";
import { botIdOf, partitionOf, shardOf, shardsOf, valueNameOf } from "./shard.ts";
import { createTurns } from "./turns.ts";

/** Options for receiving. */
interface PartitionsOptions extends ApiOptions {
  readonly api: Api;
  /** Opens a stored value by name; see `DiscordOptions`. */
  readonly sessions?: (name: string) => StoredValue;
  readonly log?: AdapterLog;
}

/** The receiving half of the adapter. */
interface Partitions extends Required<Pick<Adapter, "start" | "stop" | "health">> {
  readonly list: Required<Cluster>["partitions"];
}

/** Receives from Discord's gateway: from all shards, or from single ones, each of which is a partition. */
export function createPartitions(options: PartitionsOptions): Partitions {
  const { token, log } = options;
  const bot = botIdOf(token);
  const common = { ...options, log, turns: createTurns(), directory: createDirectory(options) };
  const receivers = new Map<string, PartitionReceiver>();
  /** A problem that concerns no single shard. */
  let problem: string | undefined = "Discord is not started.";
  let halt = new AbortController();

  async function start(receive: Receive, menu: readonly CommandEntry[], partition?: string): Promise<void> {
    if (partition !== undefined) {
      problem = undefined;
      return receiverOf(partition).start(receive, menu);
    }
    const { signal } = halt;
    problem = "Connecting to Discord.";
    const all = await list();
    if (signal.aborted) return;
    try {
      await Promise.all(all.map((one) => receiverOf(one).start(receive, menu)));
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async function list(): Promise<readonly string[]> {
    const { signal } = halt;
    const count = await countShards(signal);
    if (signal.aborted || count === undefined) return [];
    problem = undefined;
    return shardsOf(count).map((shard) => partitionOf(bot, shard));
  }

  /** Retries until Discord answers; undefined once `signal` aborts. */
  async function countShards(signal: AbortSignal): Promise<number | undefined> {
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    for (let attempts = 0; !signal.aborted; attempts++) {
      try {
        return (await Promise.race([common.directory.get(), ended]))?.shards;
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        problem = `Discord cannot be reached (${describeError(error)}); trying again.`;
        if (attempts === 0) log?.warn(problem);
      }
      await pause(waitAfter(attempts), undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  function receiverOf(partition: string): PartitionReceiver {
    const known = receivers.get(partition);
    if (known) return known;
    const shard = shardOf(bot, partition);
    const session = createSession({
      // Older versions stored the encoded id, so this one does too.
      bot: token.split(".")[0] ?? "",
      shard,
      value: options.sessions?.(valueNameOf(shard)),
      log,
    });
    const receiver = createPartitionReceiver({ ...common, shard, session });
    receivers.set(partition, receiver);
    return receiver;
  }

  async function stop(partition?: string): Promise<void> {
    if (partition !== undefined) return receivers.get(partition)?.stop();
    halt.abort();
    halt = new AbortController();
    common.directory.invalidate();
    await Promise.all([...receivers.values()].map((receiver) => receiver.stop()));
    problem = "Discord is stopped.";
  }

  return {
    start,
    stop,
    list,
    health: () => {
      const all = [problem, ...[...receivers.values()].map((receiver) => receiver.problem())];
      return all.filter((one) => one !== undefined).join(" ") || undefined;
    },
  };
}
