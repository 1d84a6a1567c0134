import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { PubSub } from "../../../src/adapter.ts";
import { type Update, update } from "./updates.ts";

/** Publishes updates to the other processes of the bot, in order. */
export interface WebPubSub extends PubSub {
  publish(user: string, update: Update): void;
}

/**
 * The longest text of one message, in UTF-16 units. Messages between processes must be short, and a unit takes up to
 * 3 bytes there.
 */
const MAX_CHUNK = 2_000;

const published = z.object({ user: z.string(), news: update });

/**
 * A chunk of the JSON of one update, which is `of` UTF-16 units long; the chunk begins at `at`. A process sends the chunks
 * of one update after another.
 */
const chunk = z.object({ from: z.string(), at: z.number(), text: z.string(), of: z.number() });
type Chunk = z.infer<typeof chunk>;

/** Creates the connection to the other processes; there are none until `connect` is called. */
export function createPubSub(options: {
  readonly onUpdate: (user: string, update: Update) => void;
}): WebPubSub {
  const from = randomUUID();
  /** What has arrived of incomplete updates, by the process that sends them. */
  const incomplete = new Map<string, string>();
  let send: ((message: object) => Promise<void>) | undefined;
  let sent: Promise<unknown> = Promise.resolve();
  return {
    connect: (publish) => (send = publish),
    receive: (message) => {
      const received = chunk.safeParse(message).data;
      const text = received && join(received);
      // Another version of the program may publish updates that this one does not know.
      const whole = text === undefined ? undefined : published.safeParse(JSON.parse(text)).data;
      if (whole) options.onUpdate(whole.user, whole.news);
    },
    publish: (user, news) => {
      if (!send) return;
      const text = JSON.stringify({ user, news } satisfies z.infer<typeof published>);
      for (let at = 0; at < text.length; at += MAX_CHUNK) {
        const next: Chunk = { from, at, text: text.slice(at, at + MAX_CHUNK), of: text.length };
        // A page that misses an update of a streaming answer gets the answer once it is complete.
        sent = sent.then(() => send?.(next)).catch(() => undefined);
      }
    },
  };

  /** The whole text; undefined until the last chunk has arrived, and if a chunk is missing. */
  function join({ from: sender, at, text: added, of }: Chunk): string | undefined {
    const before = at === 0 ? "" : incomplete.get(sender);
    incomplete.delete(sender);
    if (before?.length !== at) return undefined;
    const text = before + added;
    if (text.length === of) return text;
    incomplete.set(sender, text);
    return undefined;
  }
}
