import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import type { Adapter, Cluster, CommandEntry, Receive } from "../../../src/adapter.ts";
import { ConfigError, describeError } from "../../../src/errors.ts";
import type { Api, ApiOptions } from "../api.ts";
import { createDirectory } from "./directory.ts";
import { waitAfter } from "./gateway.ts";
import { createMemory, type Keep } from "./memory.ts";
import { createReceiver, type Receiver } from "./receiver.ts";
import { botIn, partOf, placeOf, shardIn, shardsOf } from "./shard.ts";
import { createTurns } from "./turns.ts";

/** How receiving is set up. */
interface IntakeOptions extends ApiOptions {
  readonly api: Api;
  /** The places, by name, for where the shards stand. */
  readonly sessions?: (name: string) => Keep;
  readonly log?: Pick<Logger, "info" | "warn" | "error">;
}

/** The receiving half of the adapter. */
type Intake = Required<Pick<Adapter, "start" | "stop" | "health">> & Required<Pick<Cluster, "partitions">>;

/** Receives over Discord's gateway: over all its shards, or over those that are started one by one. */
export function createIntake(options: IntakeOptions): Intake {
  const { token, log } = options;
  const bot = botIn(token);
  const common = { ...options, log, turns: createTurns(), directory: createDirectory(options) };
  const receivers = new Map<string, Receiver>();
  /** What there is to tell besides the shards. */
  let problem: string | undefined = "Discord is not started.";
  let halt = new AbortController();

  async function start(receive: Receive, menu: readonly CommandEntry[], part?: string): Promise<void> {
    if (part !== undefined) {
      problem = undefined;
      return receiverOf(part).start(receive, menu);
    }
    const { signal } = halt;
    problem = "Connecting to Discord.";
    const all = await parts();
    if (signal.aborted) return;
    try {
      await Promise.all(all.map((one) => receiverOf(one).start(receive, menu)));
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async function parts(): Promise<readonly string[]> {
    const { signal } = halt;
    const count = await countShards(signal);
    if (signal.aborted || count === undefined) return [];
    problem = undefined;
    return shardsOf(count).map((shard) => partOf(bot, shard));
  }

  /** Undefined if it is told to end meanwhile. */
  async function countShards(signal: AbortSignal): Promise<number | undefined> {
    const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    for (let attempts = 0; !signal.aborted; attempts++) {
      try {
        return (await Promise.race([common.directory.ask(), ended]))?.shards;
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        problem = `Discord cannot be reached (${describeError(error)}); trying again.`;
        if (attempts === 0) log?.warn(problem);
      }
      await pause(waitAfter(attempts), undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  function receiverOf(part: string): Receiver {
    const known = receivers.get(part);
    if (known) return known;
    const shard = shardIn(bot, part);
    const memory = createMemory({
      // As older versions have written it.
      bot: token.split(".")[0] ?? "",
      shard,
      keep: options.sessions?.(placeOf(shard)),
      log,
    });
    const receiver = createReceiver({ ...common, shard, memory });
    receivers.set(part, receiver);
    return receiver;
  }

  async function stop(part?: string): Promise<void> {
    if (part !== undefined) return receivers.get(part)?.stop();
    halt.abort();
    halt = new AbortController();
    common.directory.forget();
    await Promise.all([...receivers.values()].map((receiver) => receiver.stop()));
    problem = "Discord is stopped.";
  }

  return {
    start,
    stop,
    partitions: parts,
    health: () => {
      const all = [problem, ...[...receivers.values()].map((receiver) => receiver.problem())];
      return all.filter((one) => one !== undefined).join(" ") || undefined;
    },
  };
}
