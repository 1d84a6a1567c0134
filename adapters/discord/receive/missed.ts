import { setTimeout as pause } from "node:timers/promises";
import { Routes } from "discord.js";
import type { Logger } from "pino";
import { z } from "zod";
import { describeError, PlatformError } from "../../../src/errors.ts";
import type { ChatEvent } from "../../../src/event.ts";
import type { Api } from "../api.ts";
import { toMessageEvent } from "./events.ts";
import type { Memory, Seen } from "./memory.ts";

/** Fetches what people wrote in their direct channels while no gateway session listened. */
export interface Missed {
  /** Begins with all channels that are behind, one after the other; never rejects. */
  fetchAll(): Promise<void>;
  /** Resolves once this channel is not behind any more: what comes now was said later. Undefined if it is not. */
  before(channel: string): Promise<void> | undefined;
}

interface MissedOptions {
  readonly api: Api;
  readonly memory: Memory;
  /** Resolves once the event is taken in. */
  readonly take: (event: ChatEvent) => Promise<void>;
  /** Ends all attempts. */
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, "info" | "warn"> | undefined;
}

/** Get Channel Messages gives at most so many at once (Discord API docs). */
const LIMIT = 100;
/** Between two channels, in ms: most of the bot's 50 requests a second are for answers. */
const PAUSE_MS = 100;
/** Waits between two attempts grow from the first to the second, in ms. */
const BACKOFF_MS = { first: 1000, last: 30_000 };

const messages = z.array(z.looseObject({ id: z.string().regex(/^\d{1,20}$/) }));

export function createMissed(options: MissedOptions): Missed {
  const { memory, signal, log } = options;
  const running = new Map<string, Promise<void>>();

  function before(channel: string): Promise<void> | undefined {
    const seen = memory.behind().find((known) => known.channel === channel);
    return running.get(channel) ?? (seen && begin(seen));
  }

  function begin(seen: Seen): Promise<void> {
    const work = fetchChannel(seen, options).finally(() => running.delete(seen.channel));
    running.set(seen.channel, work);
    return work;
  }

  return {
    before,
    fetchAll: async () => {
      const channels = memory.behind();
      if (channels.length > 0)
        log?.info({ channels: channels.length }, "The gateway's session was lost; fetching what was missed");
      for (const { channel } of channels) {
        await before(channel);
        await pause(PAUSE_MS, undefined, { signal }).catch(() => {});
        if (signal.aborted) return;
      }
    },
  };
}

/** Goes on until all is fetched, the channel is out of reach, or it is told to end. */
async function fetchChannel(from: Seen, options: MissedOptions): Promise<void> {
  const { memory, signal, log } = options;
  let seen = from;
  for (let wait = BACKOFF_MS.first; !signal.aborted; ) {
    try {
      const last = await fetchPage(seen, options);
      wait = BACKOFF_MS.first;
      if (last === undefined) return memory.caughtUp(seen);
      seen = { ...seen, message: last };
    } catch (error) {
      if (error instanceof PlatformError && error.permanent) return memory.dropChannel(seen.channel);
      const asked = error instanceof PlatformError ? error.retryAfterMs : undefined;
      if (asked === undefined)
        log?.warn(`What was missed could not be fetched, trying again: ${describeError(error)}`);
      await pause((asked ?? wait) * (1 + Math.random() / 4), undefined, { signal }).catch(() => {});
      wait = Math.min(wait * 2, BACKOFF_MS.last);
    }
  }
}

/** Takes in what follows, in order; the id of the last message, undefined if nothing follows. */
async function fetchPage(seen: Seen, { api, take }: MissedOptions): Promise<string | undefined> {
  const query = new URLSearchParams({ after: seen.message, limit: String(LIMIT) });
  const route = Routes.channelMessages(seen.channel);
  const action = `fetch what was missed in channel ${seen.channel}`;
  const { data } = messages.safeParse(await api({ method: "GET", route, query, action }));
  if (!data)
    throw new PlatformError(
      "discord_unreachable",
      `Discord's answer to the request to ${action} is no list of messages.`,
    );
  const inOrder = data.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  for (const message of inOrder) {
    const event = toMessageEvent(message);
    if (event) await take(event);
  }
  return inOrder.at(-1)?.id;
}
