import { createHash } from "node:crypto";
import type { Adapter, AnswerFile } from "../adapter.ts";
import type { PostedMessage } from "../conversation/conversation.ts";
import { markStage } from "../telemetry/stages.ts";
import { PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";

/** How one attempt to talk to the platform is made: once, or again until it is taken. */
export type Attempt = <T>(action: () => Promise<T>) => Promise<T>;

export interface PostedMessagesOptions<Body> {
  readonly adapter: Adapter<Body>;
  /** What is answered. */
  readonly event: ChatEvent;
  /** The messages that stand already. */
  readonly shown: readonly PostedMessage[];
  /** An earlier run died while it sent one more, which is newer than this; empty if nothing is known about that. */
  readonly sending: string | undefined;
  /** The last message shown before this answer. */
  readonly last: string | undefined;
  /** Keeps the list and, if one more is about to be sent, what that is newer than; resolves once written. */
  readonly save: (shown: readonly PostedMessage[], sending: string | undefined) => Promise<void>;
}

/** The messages of one answer as they stand on the platform. */
export interface PostedMessages<Body> {
  readonly empty: boolean;
  /** The references of the messages, first to last. */
  readonly refs: readonly string[];
  /** Makes the platform show these pages, first to last, touching only what differs. */
  show(pages: readonly Body[], attempt: Attempt): Promise<void>;
  /** Makes one with the file the last message, behind the first `pages`. */
  attach(file: AnswerFile, pages: number, attempt: Attempt): Promise<void>;
  /** Takes away the messages beyond the first `count`: an earlier run had more to say. */
  cut(count: number, attempt: Attempt): Promise<void>;
}

/** A message that is not there yet, as far as is known. */
interface NewMessage {
  /** A digest of what it will show; `doubtful`: an earlier attempt may have posted it with another text. */
  digest(doubtful: boolean): string;
  send(): Promise<string>;
  /** Finds what an earlier attempt has left. */
  recover?(): Promise<string | undefined>;
}

/** A screen that knows what stands on the platform, and records each new message before the next is sent. */
export function createPostedMessages<Body>(options: PostedMessagesOptions<Body>): PostedMessages<Body> {
  const { adapter, event, save, last } = options;
  const { to } = event;
  const messages = [...options.shown];
  /** What the messages show, as far as it was shown from here: pages that are full come again as the same object. */
  const bodies: Body[] = [];
  // Whether the next message may stand there already, from an attempt whose outcome is not known.
  let inDoubt = options.sending !== undefined;
  /** What that message is newer than. */
  let mark = options.sending;
  /** As in the record. */
  let recorded = options.shown;

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
      // The whole answer is known before there is a file: what an earlier attempt may have left is the same.
      await post(pages, { digest: () => digest, send: () => sendFile(file) }, attempt);
    },
    cut,
  };

  async function cut(count: number, attempt: Attempt): Promise<void> {
    if (messages.length <= count) return;
    bodies.splice(count);
    for (const { ref } of messages.splice(count)) await attempt(async () => adapter.remove?.(to, ref));
    mark = undefined;
    await record();
  }

  async function record(): Promise<void> {
    recorded = [...messages];
    await save(recorded, mark);
  }

  /** Before a message is changed: else a run that dies while it does would leave a digest of what is no longer shown. */
  async function forgetDigest(index: number): Promise<void> {
    const message = recorded[index];
    if (!message?.digest) return;
    recorded = recorded.with(index, { ...message, digest: "" });
    await save(recorded, mark);
  }

  async function showPage(index: number, body: Body, attempt: Attempt): Promise<void> {
    const digest = digestOf(body);
    const message = messages[index];
    if (message?.digest === digest) return;
    if (message && adapter.edit) await forgetDigest(index);
    if (message && (await replaced(message.ref, body, attempt))) {
      messages[index] = { ref: message.ref, digest };
      markStage("edited", event);
      return;
    }
    await post(
      index,
      {
        digest: (doubtful) => (doubtful ? "" : digest),
        send: () => adapter.send(to, body, `${event.id}#${index}`),
        recover: async () => {
          const after = [mark, messages[index - 1]?.ref ?? last].flatMap((ref) => ref || []);
          return adapter.recovery?.find?.(to, body, after, `${event.id}#${index}`);
        },
      },
      attempt,
    );
    // What an earlier attempt has left may show an earlier text.
    if (messages[index]?.digest !== digest) await showPage(index, body, attempt);
  }

  /** Sends a new message, unless an earlier attempt turns out to have done so. */
  async function post(index: number, message: NewMessage, attempt: Attempt): Promise<void> {
    let doubtful = inDoubt;
    const ref = await attempt(async () => {
      doubtful ||= inDoubt;
      return (inDoubt ? await message.recover?.() : undefined) ?? (await trySend(message));
    });
    markStage("sent", event);
    inDoubt = false;
    mark = undefined;
    messages[index] = { ref, digest: message.digest(doubtful) };
    await record();
    markStage("recorded", event);
  }

  async function sendFile(file: AnswerFile): Promise<string> {
    const { files } = adapter;
    if (!files?.send) throw new Error(`${adapter.name} takes no files`);
    return files.send(to, file, `${event.id}#file`);
  }

  /** A refusal is an answer; after anything else the message may stand there, or not. */
  async function trySend(message: NewMessage): Promise<string> {
    if (!inDoubt) {
      mark = adapter.recovery?.newest?.(to) ?? "";
      // Of use only where something could be done about it.
      if (adapter.edit) await record();
    }
    markStage("sending", event);
    try {
      return await message.send();
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
