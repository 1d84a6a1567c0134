import { randomUUID } from "node:crypto";
import type { Peers } from "../../src/adapter.ts";
import { z } from "zod";
import { type News, news } from "./news.ts";

/** News for other processes, told in order. */
export interface WebPeers extends Peers {
  tell(user: string, news: News): void;
}

/** What processes tell one another is short: a part of some news, as JSON. UTF-16 units, of up to 3 bytes each there. */
const LONGEST = 2_000;

const told = z.object({ user: z.string(), news });

/** A part of the JSON of some news; the parts from one process come one after another. */
interface Part {
  readonly from: string;
  /** So many UTF-16 units of the same news came before it. */
  readonly at: number;
  readonly text: string;
  /** How many there are altogether. */
  readonly of: number;
}

/** The other processes of the bot; there are none until `connect` is called. */
export function createPeers({ hear }: { readonly hear: (user: string, news: News) => void }): WebPeers {
  const from = randomUUID();
  /** What has come of news that are not whole yet, by the process that tells them. */
  const begun = new Map<string, string>();
  let send: ((what: object) => Promise<void>) | undefined;
  let sent: Promise<unknown> = Promise.resolve();
  return {
    connect: (tell) => (send = tell),
    hear: (what) => {
      const text = joined(what as Part);
      if (text === undefined) return;
      const { data } = told.safeParse(JSON.parse(text));
      // What a newer version tells, this one need not know.
      if (data) hear(data.user, data.news);
    },
    tell: (user, one) => {
      if (!send) return;
      const text = JSON.stringify({ user, news: one } satisfies z.infer<typeof told>);
      for (let at = 0; at < text.length; at += LONGEST) {
        const part: Part = { from, at, text: text.slice(at, at + LONGEST), of: text.length };
        // What a page misses of a growing answer it sees when that is whole.
        sent = sent.then(() => send?.(part)).catch(() => undefined);
      }
    },
  };

  /** Undefined until the last part has come, and if one is missing. */
  function joined(part: Part): string | undefined {
    const before = part.at === 0 ? "" : begun.get(part.from);
    begun.delete(part.from);
    if (before?.length !== part.at) return undefined;
    const text = before + part.text;
    if (text.length === part.of) return text;
    begun.set(part.from, text);
    return undefined;
  }
}
