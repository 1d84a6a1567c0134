import type { SessionInfo } from "discord.js";
import type { AdapterLog } from "../../../src/log.ts";
import { describeError } from "../../../src/errors.ts";
import { type ChannelMark, createChannels } from "./channels.ts";
import { createSaver } from "./saver.ts";
import { readSession, type SavedSession } from "./saved-session.ts";
import type { Shard } from "./shard.ts";

/** A text that outlives the process. */
export interface StoredValue {
  load(): Promise<string | undefined>;
  save(text: string): Promise<void>;
}

/**
 * The gateway session of a shard and its users' direct channels. The state is always that of the last event up to which
 * every event was accepted, so that nothing is missed when Discord replays what follows.
 */
export interface ShardSession {
  /** Loads what the last run saved, in this process or another; does nothing if `ended` aborts meanwhile. */
  load(ended: AbortSignal): Promise<void>;
  /** The session to resume, with the last stored sequence; null if there is none. */
  info(): SessionInfo | null;
  /** Begins a new session, which marks every channel as behind. */
  open(info: SessionInfo): void;
  /** Discards the session. */
  discard(): void;
  /** Registers an event that arrived; call the result once the event is accepted. */
  arrived(sequence: number): Accepted;
  /** The application's id, if known. */
  application(): string | undefined;
  setApplication(id: string): void;
  /** The direct channels with missed messages, each with the last message that was accepted. */
  behind(): ChannelMark[];
  /** Reports that all messages up to this one were fetched. */
  caughtUp(mark: ChannelMark): void;
  dropChannel(id: string): void;
  /** Saves what is not saved yet, and nothing further until the next `load`; never rejects. */
  close(): Promise<void>;
}

/** Reports that an event is accepted, and which message of a direct channel it was. */
export type Accepted = (mark?: ChannelMark) => void;

/** Options of a shard's session. */
export interface SessionOptions {
  /** Identifies the bot: the saved session of another bot is ignored. */
  readonly bot: string;
  readonly shard: Shard;
  /** Where to save; without it the session ends with the process. */
  readonly value: StoredValue | undefined;
  readonly log: AdapterLog | undefined;
}

interface Session {
  info: SessionInfo;
  /** The stored sequence. Heartbeats never acknowledge a later one. */
  stored: number;
  /** The pending events, oldest first: an accepted one waits for all before it. */
  readonly arrivals: Arrival[];
}

interface Arrival {
  readonly sequence: number;
  accepted: boolean;
  mark: ChannelMark | undefined;
}

/** Creates the session state of a shard; call `load` before use. */
export function createSession({ bot, shard, value, log }: SessionOptions): ShardSession {
  const channels = createChannels();
  const saver = createSaver({ save, log });
  let session: Session | undefined;
  let application: string | undefined;

  async function load(ended: AbortSignal): Promise<void> {
    const text = await value?.load().catch((error: unknown) => {
      log?.warn(
        `The saved session of Discord's gateway could not be loaded; messages sent while the bot was down may be lost: ${describeError(error)}`,
      );
    });
    if (ended.aborted) return;
    saver.open();
    const saved = text ? readSession(text) : undefined;
    if (saved?.bot !== bot) return;
    application = saved.application;
    const info = saved.sessions.find((one) => one.shardId === shard.index && one.shardCount === shard.count);
    session = info && { info, stored: info.sequence, arrivals: [] };
    // Another process may have run the shard meanwhile, so the saved channels replace ours.
    channels.replace(saved.channels);
    saver.discardChanges();
  }

  function open(info: SessionInfo): void {
    if (session?.info.sessionId === info.sessionId) return;
    session = { info, stored: info.sequence, arrivals: [] };
    channels.markAllBehind();
    saver.changed();
    // Save at once: after a crash before that, messages in new channels would be missed.
    void saver.flush();
  }

  function arrived(sequence: number): Accepted {
    const own = session;
    const arrival: Arrival = { sequence, accepted: false, mark: undefined };
    own?.arrivals.push(arrival);
    return (mark) => {
      arrival.accepted = true;
      arrival.mark = mark;
      if (own) advance(own);
    };
  }

  function advance(own: Session): void {
    for (let first = own.arrivals[0]; first?.accepted; first = own.arrivals[0]) {
      own.arrivals.shift();
      const sequence = Math.max(own.info.sequence, first.sequence);
      own.info = { ...own.info, sequence };
      if (first.mark) channels.accept(first.mark);
    }
    saver.changed();
  }

  async function save(): Promise<void> {
    const own = session;
    const sequence = own?.info.sequence;
    const sessions = own ? [own.info] : [];
    const saved: SavedSession = { bot, application, sessions, channels: channels.entries() };
    await value?.save(JSON.stringify(saved));
    if (own && sequence !== undefined) own.stored = sequence;
  }

  return {
    load,
    info: () => {
      if (!session) return null;
      return value ? { ...session.info, sequence: session.stored } : session.info;
    },
    open,
    discard: () => {
      if (!session) return;
      session = undefined;
      saver.changed();
    },
    arrived,
    application: () => application,
    setApplication: (id) => {
      if (application === id) return;
      application = id;
      saver.changed();
    },
    behind: () => channels.behind(),
    caughtUp: (mark) => {
      if (channels.caughtUp(mark)) saver.changed();
    },
    dropChannel: (id) => {
      if (channels.drop(id)) saver.changed();
    },
    close: () => saver.close(),
  };
}
