import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { PubSub } from "../../../src/adapter.ts";
import { type News, news } from "./news.ts";

/** News for other processes, told in order. */
export interface WebPeers extends PubSub {
  publish(user: string, news: News): void;
}

/** What processes tell one another is short: a part of some news, as JSON. UTF-16 units, of up to 3 bytes each there. */
const MAX_TOLD = 2_000;

const told = z.object({ user: z.string(), news });

/**
 * A part of the JSON of some news, whose text is `of` UTF-16 units long: those from `at` on. The parts from one process
 * come one after another.
 */
const part = z.object({ from: z.string(), at: z.number(), text: z.string(), of: z.number() });
type Part = z.infer<typeof part>;

/** The other processes of the bot; there are none until `connect` is called. */
export function createPeers({ hear }: { readonly hear: (user: string, news: News) => void }): WebPeers {
  const from = randomUUID();
  /** What has come of news that are not whole yet, by the process that tells them. */
  const begun = new Map<string, string>();
  let send: ((what: object) => Promise<void>) | undefined;
  let sent: Promise<unknown> = Promise.resolve();
  return {
    connect: (publish) => (send = publish),
    receive: (what) => {
      // What another version tells, this one need not know.
      const come = part.safeParse(what).data;
      const text = come && joined(come);
      const whole = text === undefined ? undefined : told.safeParse(JSON.parse(text)).data;
      if (whole) hear(whole.user, whole.news);
    },
    publish: (user, one) => {
      if (!send) return;
      const text = JSON.stringify({ user, news: one } satisfies z.infer<typeof told>);
      for (let at = 0; at < text.length; at += MAX_TOLD) {
        const next: Part = { from, at, text: text.slice(at, at + MAX_TOLD), of: text.length };
        // What a page misses of a growing answer it sees when that is whole.
        sent = sent.then(() => send?.(next)).catch(() => undefined);
      }
    },
  };

  /** Undefined until the last part has come, and if one is missing. */
  function joined({ from: sender, at, text: added, of }: Part): string | undefined {
    const before = at === 0 ? "" : begun.get(sender);
    begun.delete(sender);
    if (before?.length !== at) return undefined;
    const text = before + added;
    if (text.length === of) return text;
    begun.set(sender, text);
    return undefined;
  }
}
