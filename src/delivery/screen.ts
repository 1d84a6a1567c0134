import { createHash } from "node:crypto";
import type { Adapter } from "../adapter.ts";
import type { Shown } from "../conversation.ts";
import { PlatformError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";

/** How one attempt to talk to the platform is made: once, or again until it is taken. */
export type Attempt = <T>(action: () => Promise<T>) => Promise<T>;

export interface ScreenOptions<Body> {
  readonly adapter: Adapter<Body>;
  readonly event: ChatEvent;
  /** The messages that stand already. */
  readonly shown: readonly Shown[];
  /** Keeps the list; resolves once written. */
  readonly save: (shown: readonly Shown[]) => Promise<void>;
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
export function createScreen<Body>({ adapter, event, shown, save }: ScreenOptions<Body>): Screen<Body> {
  const messages = [...shown];
  const { to } = event;

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
      await save(messages);
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
    const ref = await attempt(() => adapter.send(to, body, `${event.id}#${index}`));
    messages[index] = { ref, digest };
    await save(messages);
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
