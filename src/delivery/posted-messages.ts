import { createHash } from "node:crypto";
import type { Adapter, AnswerFile } from "../adapter.ts";
import type { PostedMessage } from "../conversation/conversation.ts";
import { markStage } from "../telemetry/stages.ts";
import { PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";

/** Runs a call to the platform: once, or repeatedly until the platform accepts it. */
export type Attempt = <T>(action: () => Promise<T>) => Promise<T>;

export interface PostedMessagesOptions<Body> {
  readonly adapter: Adapter<Body>;
  /** The event that is answered. */
  readonly event: ChatEvent;
  /** The messages that earlier runs have posted. */
  readonly shown: readonly PostedMessage[];
  /**
   * Set if an earlier run died while it sent one more message: the reference of a message older than that one, or empty
   * if none was known.
   */
  readonly sending: string | undefined;
  /** The last message posted before this answer. */
  readonly last: string | undefined;
  /** Stores the messages and, if one more is about to be sent, `sending`. Resolves when both are written. */
  readonly save: (shown: readonly PostedMessage[], sending: string | undefined) => Promise<void>;
}

/** The messages of one answer as they stand on the platform. */
export interface PostedMessages<Body> {
  /** Whether no message shows anything of the answer. */
  readonly empty: boolean;
  /** The references of the messages, in order. */
  readonly refs: readonly string[];
  /** Makes the messages show these pages, in order. Writes only the pages that have changed. */
  show(pages: readonly Body[], attempt: Attempt): Promise<void>;
  /** Makes a message with the file the last one, behind the first `pages`. */
  attach(file: AnswerFile, pages: number, attempt: Attempt): Promise<void>;
  /** Removes the messages beyond the first `count`, which an earlier, longer run has left. */
  cut(count: number, attempt: Attempt): Promise<void>;
}

/** A message that is to be posted. */
interface NewMessage {
  /** The digest of its content; empty if `uncertain`, when an earlier attempt may have posted it with another text. */
  digest(uncertain: boolean): string;
  send(): Promise<string>;
  /** Finds the message that an earlier attempt has posted. */
  recover?(): Promise<string | undefined>;
}

/** Tracks the messages of an answer, and stores each new message before the next one is sent. */
export function createPostedMessages<Body>(options: PostedMessagesOptions<Body>): PostedMessages<Body> {
  const { adapter, event, save, last } = options;
  const { to } = event;
  const messages = [...options.shown];
  /** The pages that this run has shown. A full page is the same object each time, so an identity check suffices. */
  const bodies: Body[] = [];
  /** Whether the next message may exist already, because the outcome of an attempt to send it is unknown. */
  let isUncertain = options.sending !== undefined;
  let sending = options.sending;
  /** The messages as they are stored. */
  let stored = options.shown;

  return {
    get empty() {
      return messages.every(({ digest }) => digest === "");
    },
    get refs() {
      return messages.map(({ ref }) => ref);
    },
    show: async (pages, attempt) => {
      for (const [index, body] of pages.entries()) {
        if (bodies[index] === body) continue;
        await showPage(index, body, attempt);
        bodies[index] = body;
      }
    },
    attach: async (file, pages, attempt) => {
      const digest = digestOf(file);
      if (messages[pages]?.digest === digest) return cut(pages + 1, attempt);
      await cut(pages, attempt);
      // A file is sent only when the whole answer is stored: an earlier attempt can have sent no other file.
      await post(pages, { digest: () => digest, send: () => sendFile(file) }, attempt);
    },
    cut,
  };

  async function cut(count: number, attempt: Attempt): Promise<void> {
    if (messages.length <= count) return;
    bodies.splice(count);
    for (const { ref } of messages.splice(count)) await attempt(async () => adapter.remove?.(to, ref));
    sending = undefined;
    await store();
  }

  async function store(): Promise<void> {
    stored = [...messages];
    await save(stored, sending);
  }

  /** Clears a stored digest before its message changes: a run that dies during the edit must not leave a stale one. */
  async function forgetDigest(index: number): Promise<void> {
    const message = stored[index];
    if (!message?.digest) return;
    stored = stored.with(index, { ...message, digest: "" });
    await save(stored, sending);
  }

  async function showPage(index: number, body: Body, attempt: Attempt): Promise<void> {
    const digest = digestOf(body);
    const message = messages[index];
    if (message?.digest === digest) return;
    if (message && adapter.edit) await forgetDigest(index);
    if (message && (await edited(message.ref, body, attempt))) {
      messages[index] = { ref: message.ref, digest };
      markStage("edited", event);
      return;
    }
    await post(
      index,
      {
        digest: (uncertain) => (uncertain ? "" : digest),
        send: () => adapter.send(to, body, `${event.id}#${index}`),
        recover: async () => {
          const after = [sending, messages[index - 1]?.ref ?? last].flatMap((ref) => ref || []);
          return adapter.recovery?.find?.(to, body, after, `${event.id}#${index}`);
        },
      },
      attempt,
    );
    // A recovered message may show an earlier text.
    if (messages[index]?.digest !== digest) await showPage(index, body, attempt);
  }

  /** Sends a new message, unless an earlier attempt turns out to have sent it. */
  async function post(index: number, message: NewMessage, attempt: Attempt): Promise<void> {
    let uncertain = isUncertain;
    const ref = await attempt(async () => {
      uncertain ||= isUncertain;
      return (isUncertain ? await message.recover?.() : undefined) ?? (await trySend(message));
    });
    markStage("sent", event);
    isUncertain = false;
    sending = undefined;
    messages[index] = { ref, digest: message.digest(uncertain) };
    await store();
    markStage("recorded", event);
  }

  async function sendFile(file: AnswerFile): Promise<string> {
    const { files } = adapter;
    if (!files?.send) throw new Error(`the adapter ${adapter.name} cannot send files`);
    return files.send(to, file, `${event.id}#file`);
  }

  /** After a refusal the message does not exist; after any other error it may exist. */
  async function trySend(message: NewMessage): Promise<string> {
    if (!isUncertain) {
      sending = adapter.recovery?.newest?.(to) ?? "";
      // Without edits, a later run could do nothing about a message that exists already.
      if (adapter.edit) await store();
    }
    markStage("sending", event);
    try {
      return await message.send();
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.refused) isUncertain = true;
      throw error;
    }
  }

  /** Edits a message. Returns false if the message is gone, so that a new one must be sent. */
  async function edited(ref: string, body: Body, attempt: Attempt): Promise<boolean> {
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
