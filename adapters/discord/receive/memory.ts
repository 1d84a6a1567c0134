import type { SessionInfo } from "discord.js";
import type { Logger } from "pino";
import { z } from "zod";
import { describeError } from "../../../src/errors.ts";
import type { Shard } from "./shard.ts";

/** A place for one text that outlives the process. */
export interface Keep {
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

/** The last message of a direct channel that was taken in. */
export interface Seen {
  readonly channel: string;
  readonly message: string;
}

/** Tells that an event has been taken in, and what of a direct channel was seen with it. */
type TakenIn = (seen?: Seen) => void;

/**
 * What is known of a shard's session and of the people's channels. All of it is as of the last event before
 * which every event was taken in: what Discord replays from there on misses nothing.
 */
export interface Memory {
  /** Reads what the last run has left, of this process or of another one; nothing happens if it has `ended` by then. */
  load(ended: AbortSignal): Promise<void>;
  /** The session, as far as it is stored. */
  session(): SessionInfo | null;
  /** A new session: what its predecessor missed must be fetched. */
  open(session: SessionInfo): void;
  forget(): void;
  /** An event has come; call the result once it is taken in. */
  arrived(sequence: number): TakenIn;
  application(): string | undefined;
  setApplication(id: string): void;
  /** The direct channels in which messages were missed, with the last message that was not. */
  behind(): Seen[];
  /** What was missed up to this message has been fetched. */
  caughtUp(seen: Seen): void;
  dropChannel(id: string): void;
  /** Writes what is not written yet, and nothing more until the next `load`; never rejects. */
  close(): Promise<void>;
}

interface Session {
  info: SessionInfo;
  /** The sequence that the store holds: no heartbeat tells Discord a later one. */
  stored: number;
  /** In the order in which they came; what follows an event that is not taken in waits. */
  readonly arrivals: Arrival[];
}

interface Arrival {
  readonly sequence: number;
  taken: boolean;
  seen: Seen | undefined;
}

interface Channel {
  message: string;
  behind: boolean;
}

/** Channels of so many people are remembered, the latest: about 50 kB. */
const MAX_CHANNELS = 1000;
/** The store is written at most once in this time, in ms. */
const SAVE_EVERY_MS = 1000;

const snowflake = z.string().regex(/^\d{1,20}$/);
const sessionSchema = z.object({
  sessionId: z.string(),
  resumeURL: z.string().regex(/^wss?:\/\//),
  sequence: z.number(),
  shardCount: z.number(),
  shardId: z.number(),
});
const textSchema = z.object({
  bot: z.string(),
  application: snowflake.optional(),
  sessions: z.array(sessionSchema),
  channels: z.array(z.tuple([snowflake, snowflake, z.boolean()])),
});

/** Keeps a shard's session and direct channels; `bot` tells them from those of another bot. */
export function createMemory({
  bot,
  shard,
  keep,
  log,
}: {
  bot: string;
  shard: Shard;
  keep: Keep | undefined;
  log: Pick<Logger, "warn"> | undefined;
}): Memory {
  const channels = new Map<string, Channel>();
  let session: Session | undefined;
  let application: string | undefined;
  let closed = false;
  let dirty = false;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  async function load(ended: AbortSignal): Promise<void> {
    const text = await keep?.load().catch((error: unknown) => {
      log?.warn(
        `What Discord's gateway was doing before is not known, so messages sent since then may be missed: ${describeError(error)}`,
      );
    });
    if (ended.aborted) return;
    closed = false;
    const past = text ? read(text) : undefined;
    if (past?.bot !== bot) return;
    application = past.application;
    const info = past.sessions.find((of) => of.shardId === shard.index && of.shardCount === shard.count);
    session = info && { info, stored: info.sequence, arrivals: [] };
    // Another process may have gone on since: of what this one knew nothing counts.
    channels.clear();
    for (const [id, message, behind] of past.channels) channels.set(id, { message, behind });
    dirty = false;
  }

  function open(info: SessionInfo): void {
    if (session?.info.sessionId === info.sessionId) return;
    session = { info, stored: info.sequence, arrivals: [] };
    for (const channel of channels.values()) channel.behind = true;
    dirty = true;
    // Until this is stored a crash would miss whoever writes for the first time.
    void write();
  }

  function arrived(sequence: number): TakenIn {
    const its = session;
    const arrival: Arrival = { sequence, taken: false, seen: undefined };
    its?.arrivals.push(arrival);
    return (seen) => {
      arrival.taken = true;
      arrival.seen = seen;
      if (its) advance(its);
    };
  }

  function advance(its: Session): void {
    for (let first = its.arrivals[0]; first?.taken; first = its.arrivals[0]) {
      its.arrivals.shift();
      const sequence = Math.max(its.info.sequence, first.sequence);
      its.info = { ...its.info, sequence };
      if (first.seen) see(first.seen);
    }
    changed();
  }

  function see({ channel: id, message }: Seen): void {
    const known = channels.get(id);
    // Set anew, so that the first one is the one that was silent longest.
    channels.delete(id);
    channels.set(id, { message: later(known?.message, message), behind: known?.behind ?? false });
    const [oldest] = channels.keys();
    if (channels.size > MAX_CHANNELS && oldest) channels.delete(oldest);
  }

  function changed(): void {
    dirty = true;
    if (closed) return;
    timer ??= setTimeout(() => void write(), SAVE_EVERY_MS).unref();
  }

  /** One write at a time; what changes meanwhile is written by the next one. */
  async function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    while (writing) await writing;
    if (!dirty) return;
    dirty = false;
    writing = store().finally(() => (writing = undefined));
    await writing;
  }

  async function store(): Promise<void> {
    const its = session;
    const reached = its?.info.sequence;
    try {
      await keep?.save(toText());
      if (its && reached !== undefined) its.stored = reached;
      failing = false;
    } catch (error) {
      if (!failing)
        log?.warn(
          `Where Discord's gateway stands could not be stored, trying again: ${describeError(error)}`,
        );
      failing = true;
      changed();
    }
  }

  function toText(): string {
    const past: z.infer<typeof textSchema> = {
      bot,
      ...(application && { application }),
      sessions: session ? [session.info] : [],
      channels: [...channels].map(([id, { message, behind }]) => [id, message, behind]),
    };
    return JSON.stringify(past);
  }

  return {
    load,
    session: () => {
      if (!session) return null;
      return keep ? { ...session.info, sequence: session.stored } : session.info;
    },
    open,
    forget: () => {
      if (!session) return;
      session = undefined;
      changed();
    },
    arrived,
    application: () => application,
    setApplication: (id) => {
      if (application === id) return;
      application = id;
      changed();
    },
    behind: () =>
      [...channels]
        .filter(([, { behind }]) => behind)
        .map(([channel, { message }]) => ({ channel, message })),
    caughtUp: ({ channel: id, message }) => {
      const channel = channels.get(id);
      if (!channel) return;
      channel.message = later(channel.message, message);
      channel.behind = false;
      changed();
    },
    dropChannel: (id) => {
      if (channels.delete(id)) changed();
    },
    close: () => {
      closed = true;
      return write();
    },
  };
}

function read(text: string): z.infer<typeof textSchema> | undefined {
  try {
    return textSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function later(a: string | undefined, b: string): string {
  return a !== undefined && BigInt(a) > BigInt(b) ? a : b;
}
