import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Adapter, CommandEntry, Receive } from "../adapter.ts";
import { ConfigError, describeError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Lock, Session } from "../postgres/session.ts";

export interface ReceiverOptions {
  readonly adapters: readonly Adapter[];
  readonly receive: Receive;
  readonly menu: readonly CommandEntry[];
  /** What other processes do; undefined if there are none. */
  readonly session: Session | undefined;
  readonly log: Log;
}

/** What this process receives of all platforms: everything, or its share of it. */
export interface Receiver {
  /**
   * Resolves with the names of the platforms that are connected, or that other processes receive, once each is so or
   * has refused; rejects with a `ConfigError` if all have refused.
   */
  start(): Promise<readonly string[]>;
  stop(): Promise<void>;
  /** Which platforms do not receive right now, each with a sentence for the operator. */
  health(): readonly (readonly [platform: string, problem: string])[];
}

/** How often it is looked what other processes receive, in ms: so long a part waits at most whose process has died. */
const BALANCE_EVERY_MS = 1_000;

/** Receives from adapters; what only one process may do at a time is shared out among all that want it. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { adapters, session, log } = options;
  const unconnected = new Map(adapters.map(({ name }) => [name, "is connecting"]));
  const stopping = new AbortController();
  const shares: PartitionShare[] = [];

  return {
    start: async () => {
      // What is our own is always there: it makes up for no platform that is not.
      const served = adapters.filter(({ http }) => http?.mount !== undefined);
      const outside =
        adapters.length > served.length ? adapters.filter((one) => !served.includes(one)) : served;
      await Promise.all(served.filter((one) => !outside.includes(one)).map(connect));
      const results = await Promise.allSettled(outside.map(connect));
      const refused = results
        .filter((result) => result.status === "rejected")
        .map(({ reason }) => reason as Error);
      if (refused[0] && refused.length === outside.length) throw refused[0];
      for (const error of refused) log.error(`a platform is left out: ${describeError(error)}`);
      return outside.map(({ name }) => name).filter((name) => !unconnected.has(name));
    },
    stop: async () => {
      stopping.abort();
      // First the receiving, then the right to it.
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
      if (partitions) await share(adapter, partitions, session);
      else await begin(adapter);
      unconnected.delete(adapter.name);
    } catch (error) {
      unconnected.set(adapter.name, describeError(error));
      throw error;
    }
  }

  function begin(adapter: Adapter, part?: string): Promise<void> {
    const { receive, menu } = options;
    return part === undefined ? adapter.start(receive, menu) : adapter.start(receive, menu, part);
  }

  /** Resolves once each part is received by some process, or this one has what it can get. */
  async function share(adapter: Adapter, parts: readonly string[], session: Session): Promise<void> {
    const share = createShare({ parts, session, name: adapter.name });
    shares.push(share);
    let settled = () => {};
    let failed = (_: unknown) => {};
    const first = new Promise<void>((resolve, reject) => {
      settled = resolve;
      failed = reject;
    });
    void values();
    await first;

    async function values(): Promise<void> {
      while (!stopping.signal.aborted) {
        await balance().then(settled, (error: unknown) => {
          // Refused for good; of anything else the adapter itself says what is wrong.
          if (error instanceof ConfigError) unconnected.set(adapter.name, describeError(error));
          else log.warn(`the receiving of ${adapter.name} cannot be shared out: ${describeError(error)}`);
          failed(error);
        });
        await sleep(BALANCE_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }

    async function balance(): Promise<void> {
      for (const part of share.surplus()) {
        log.info({ part }, `another process takes over a part of ${adapter.name}`);
        await adapter.stop(part);
        await share.leave(part);
      }
      const lost = (part: string) => {
        log.warn({ part }, `a part of ${adapter.name} is lost to other processes`);
        void adapter.stop(part);
      };
      const taken = await share.take(lost);
      await Promise.all(taken.map((part) => receivePart(part)));
    }

    async function receivePart(part: string): Promise<void> {
      log.info({ part }, `receiving a part of ${adapter.name} that no other process receives`);
      await begin(adapter, part).catch(async (error: unknown) => {
        await share.leave(part);
        throw error;
      });
      if (stopping.signal.aborted) await adapter.stop(part);
    }
  }
}

/** This process's share of the parts of one adapter. */
interface PartitionShare {
  /** Those taken that are more than this process's share. */
  surplus(): readonly string[];
  leave(part: string): Promise<void>;
  /** Takes parts that nobody has, up to the share; `lost` is called when one is lost again. */
  take(lost: (part: string) => void): Promise<readonly string[]>;
  release(): Promise<void>;
}

function createShare({
  parts,
  session,
  name,
}: {
  parts: readonly string[];
  session: Session;
  name: string;
}): PartitionShare {
  const mine = new Map<string, Lock>();
  const group = `parts of ${name}`;
  /** Each process that wants parts has one of these. */
  const candidacy = session.lock({ group: `for ${group}`, name: randomUUID() });
  const fair = () => Math.ceil(parts.length / Math.max(1, session.held(`for ${group}`) ?? 1));

  return {
    surplus: () => [...mine.keys()].slice(fair()),
    leave: async (part) => {
      const lock = mine.get(part);
      mine.delete(part);
      await lock?.release();
    },
    take: async (lost) => {
      await candidacy.asked;
      const room = fair() - mine.size;
      if (room <= 0 || !session.alive()) return [];
      const free = await session.unheld(group, parts);
      const taken = await Promise.all(free.slice(0, room).map((part) => tryTo(part, lost)));
      return taken.filter((part) => part !== undefined);
    },
    release: async () => {
      await Promise.all([candidacy, ...mine.values()].map((lock) => lock.release()));
      mine.clear();
    },
  };

  async function tryTo(part: string, lost: (part: string) => void): Promise<string | undefined> {
    const lock = session.lock({
      group,
      name: part,
      lost: () => {
        mine.delete(part);
        void lock.release();
        lost(part);
      },
    });
    await lock.asked;
    if (lock.held) {
      mine.set(part, lock);
      return part;
    }
    await lock.release();
    return undefined;
  }
}
