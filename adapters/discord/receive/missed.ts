import { setTimeout as pause } from "node:timers/promises";
import { Routes } from "discord.js";
import type { AdapterLog } from "../../../src/log.ts";
import { z } from "zod";
import { describeError, PlatformError } from "../../../src/errors.ts";
import type { ChatEvent } from "../../../src/event.ts";
import type { Api } from "../api.ts";
import { toMessageEvent } from "./events.ts";
import type { ChannelMark } from "./channels.ts";
import type { ShardSession } from "./sessions.ts";

/** Fetches the direct messages that users wrote while no gateway session was open. */
export interface Missed {
  /** Fetches all channels that are behind, one after the other; never rejects. */
  fetchAll(): Promise<void>;
  /** Fetches one channel; resolves once it has caught up. Undefined if it is not behind. */
  catchUp(channel: string): Promise<void> | undefined;
}

interface MissedOptions {
  readonly api: Api;
  readonly session: ShardSession;
  /** Resolves once the event is accepted. */
  readonly accept: (event: ChatEvent) => Promise<void>;
  /** Stops all fetching. */
  readonly signal: AbortSignal;
  readonly log: AdapterLog | undefined;
}

/** Largest page of "Get Channel Messages" (API docs). */
const PAGE_SIZE = 100;
/** Pause between two channels, in ms: it leaves most of the bot's 50 requests a second to answers. */
const PAUSE_MS = 100;
/** Waits between attempts grow from `first` to `last`, in ms. */
const BACKOFF_MS = { first: 1000, last: 30_000 };

const messages = z.array(z.looseObject({ id: z.string().regex(/^\d{1,20}$/) }));

/** Creates the catch-up of one shard, for one time between its start and its stop. */
export function createMissed(options: MissedOptions): Missed {
  const { session, signal, log } = options;
  const running = new Map<string, Promise<void>>();

  function catchUp(channel: string): Promise<void> | undefined {
    const mark = session.behind().find((known) => known.channel === channel);
    return running.get(channel) ?? (mark && begin(mark));
  }

  function begin(mark: ChannelMark): Promise<void> {
    const work = fetchChannel(mark, options).finally(() => running.delete(mark.channel));
    running.set(mark.channel, work);
    return work;
  }

  return {
    catchUp,
    fetchAll: async () => {
      const channels = session.behind();
      if (channels.length > 0)
        log?.info(
          { channels: channels.length },
          "The session of Discord's gateway was lost; fetching missed messages",
        );
      for (const { channel } of channels) {
        await catchUp(channel);
        await pause(PAUSE_MS, undefined, { signal }).catch(() => {});
        if (signal.aborted) return;
      }
    },
  };
}

/** Fetches until nothing is left, the channel is inaccessible, or the signal aborts. */
async function fetchChannel(from: ChannelMark, options: MissedOptions): Promise<void> {
  const { session, signal, log } = options;
  let mark = from;
  for (let wait = BACKOFF_MS.first; !signal.aborted; ) {
    try {
      const last = await fetchPage(mark, options);
      wait = BACKOFF_MS.first;
      if (last === undefined) return session.caughtUp(mark);
      mark = { ...mark, message: last };
    } catch (error) {
      if (error instanceof PlatformError && error.permanent) return session.dropChannel(mark.channel);
      const retryAfterMs = error instanceof PlatformError ? error.retryAfterMs : undefined;
      if (retryAfterMs === undefined)
        log?.warn(`Missed messages could not be fetched; trying again: ${describeError(error)}`);
      await pause((retryAfterMs ?? wait) * (1 + Math.random() / 4), undefined, { signal }).catch(() => {});
      wait = Math.min(wait * 2, BACKOFF_MS.last);
    }
  }
}

/** Accepts the messages after `mark`, in order; returns the id of the last one, or undefined if there are none. */
async function fetchPage(mark: ChannelMark, { api, accept }: MissedOptions): Promise<string | undefined> {
  const query = new URLSearchParams({ after: mark.message, limit: String(PAGE_SIZE) });
  const route = Routes.channelMessages(mark.channel);
  const action = `fetch missed messages of channel ${mark.channel}`;
  const { data } = messages.safeParse(await api({ method: "GET", route, query, action }));
  if (!data)
    throw new PlatformError(
      "discord_unreachable",
      `Discord's answer to the request to ${action} is not a list of messages.`,
    );
  const inOrder = data.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  for (const message of inOrder) {
    const event = toMessageEvent(message);
    if (event) await accept(event);
  }
  return inOrder.at(-1)?.id;
}
