import type { Peers } from "../../src/adapter.ts";
import type { News } from "./news.ts";

/** News for other processes, told in order. */
export interface WebPeers extends Peers {
  tell(user: string, news: News): void;
}

/** A longer addition is told in parts: what processes tell one another is short. UTF-16 units, of up to 6 bytes in JSON. */
const LONGEST = 1_000;

/** The other processes of the bot; there are none until `connect` is called. */
export function createPeers({ hear }: { readonly hear: (user: string, news: News) => void }): WebPeers {
  let send: ((what: object) => Promise<void>) | undefined;
  let told: Promise<unknown> = Promise.resolve();
  return {
    connect: (tell) => (send = tell),
    hear: (what) => {
      const { user, news } = what as { readonly user: string; readonly news: News };
      hear(user, news);
    },
    tell: (user, news) => {
      if (!send) return;
      for (const part of partsOf(news)) {
        // What a page misses of a growing answer it sees when that is whole.
        told = told.then(() => send?.({ user, news: part })).catch(() => undefined);
      }
    },
  };
}

function partsOf(news: News): News[] {
  if (news.kind === "raw") return rawParts(news);
  if (news.kind !== "shown" || news.add.length <= LONGEST) return [cut(news)];
  const parts: News[] = [];
  let { keep, of } = news;
  for (let from = 0; from < news.add.length; from += LONGEST) {
    const add = news.add.slice(from, from + LONGEST);
    const isLast = from + LONGEST >= news.add.length;
    parts.push({ ...news, keep, of, add, ...(!isLast && { more: true }) });
    keep += add.length;
    of = keep;
  }
  return parts;
}

function rawParts(news: Extract<News, { kind: "raw" }>): News[] {
  const count = Math.ceil(news.add.length / LONGEST);
  return Array.from({ length: count }, (_, index) => {
    const from = index * LONGEST;
    return { ...news, at: news.at + from, add: news.add.slice(from, from + LONGEST) };
  });
}

/** A question may be long too: its other pages read it in full when they look at the conversation again. */
function cut(news: News): News {
  return news.kind === "asked" ? { ...news, text: news.text.slice(0, LONGEST) } : news;
}
