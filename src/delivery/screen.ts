import { createHash } from "node:crypto";
import type { Adapter } from "../adapter.ts";
import type { Shown } from "../conversation.ts";
import { PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";

/** How one attempt to talk to the platform is made: once, or again until it is taken. */
export type Attempt = <T>(action: () => Promise<T>) => Promise<T>;

export interface ScreenOptions<Body> {
  readonly adapter: Adapter<Body>;
  /** What is answered. */
  readonly event: ChatEvent;
  /** The messages that stand already. */
  readonly shown: readonly Shown[];
  /** An earlier run died while it sent one more. */
  readonly sending: boolean;
  /** The last message shown before this answer. */
  readonly last: string | undefined;
  /** Keeps the list, and whether one more is about to be sent; resolves once written. */
  readonly save: (shown: readonly Shown[], sending: boolean) => Promise<void>;
}

/** The messages of one answer as they stand on the platform. */
export interface Screen<Body> {
  readonly empty: boolean;
  /** Makes the platform show these pages, first to last, touching only what differs. */
  show(pages: readonly Body[], attempt: Attempt): Promise<void>;
  /** Takes away the messages beyond the first `count`: an earlier run had more to say. */
  cut(count: number, attempt: Attempt): Promise<void>;
}

/** A screen that knows what stands on the platform, and records each new message before the next is sent. */
export function createScreen<Body>(options: ScreenOptions<Body>): Screen<Body> {
  const { adapter, event, save, last } = options;
  const { to } = event;
  const messages = [...options.shown];
  // Whether the next message may stand there already, from an attempt whose outcome is not known.
  let inDoubt = options.sending;

  return {
    get empty() {
      return messages.every(({ digest }) => digest === "");
    },
    show: async (pages, attempt) => {
      for (const [index, body] of pages.entries()) await showPage(index, body, attempt);
    },
    cut: async (count, attempt) => {
      if (messages.length <= count) return;
      for (const { ref } of messages.splice(count)) await attempt(async () => adapter.remove?.(to, ref));
      await save(messages, false);
    },
  };

  async function showPage(index: number, body: Body, attempt: Attempt): Promise<void> {
    const digest = digestOf(body);
    const message = messages[index];
    if (message?.digest === digest) return;
    if (message && (await replaced(message.ref, body, attempt))) {
      messages[index] = { ref: message.ref, digest };
      return;
    }
    const doubtful = await post(index, body, attempt);
    // What an earlier attempt has left may show an earlier text.
    if (doubtful) await showPage(index, body, attempt);
  }

  /** Sends a new message, unless an earlier attempt turns out to have done so. */
  async function post(index: number, body: Body, attempt: Attempt): Promise<boolean> {
    const key = `${event.id}#${index}`;
    let doubtful = inDoubt;
    // Of use only where something could be done about it.
    if (adapter.edit) await save(messages, true);
    const ref = await attempt(async () => {
      doubtful ||= inDoubt;
      const found = inDoubt ? await adapter.recover?.(to, body, messages[index - 1]?.ref ?? last) : undefined;
      return found ?? trySend(body, key);
    });
    inDoubt = false;
    messages[index] = { ref, digest: doubtful ? "" : digestOf(body) };
    await save(messages, false);
    return doubtful;
  }

  /** A refusal is an answer; after anything else the message may stand there, or not. */
  async function trySend(body: Body, key: string): Promise<string> {
    try {
      return await adapter.send(to, body, key);
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.refused) inDoubt = true;
      throw error;
    }
  }

  /** False if the message is gone, so that a new one must take its place. */
  async function replaced(ref: string, body: Body, attempt: Attempt): Promise<boolean> {
    if (!adapter.edit) return true;
    try {
      await attempt(async () => adapter.edit?.(to, ref, body));
      return true;
    } catch (error) {
      if (error instanceof PlatformError && error.gone) return false;
      throw error;
    }
  }
}

function digestOf(body: unknown): string {
  return createHash("sha1").update(JSON.stringify(body)).digest("base64url");
}
