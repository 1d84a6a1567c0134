import { setImmediate } from "node:timers/promises";
import type { Entry } from "../conversations/news.ts";
import type { Records } from "../conversations/records.ts";

/** Finds conversations by words that occur in them. */
export interface Search {
  /** Of the conversations of a person those in which these words occur. */
  find(user: string, words: string): Promise<readonly Entry[]>;
}

/** At most this many UTF-16 units are looked through for a search, the newest first: some half a second of work. */
const MAX_LOOKED = 20_000_000;

/**
 * A search reads one conversation after the other and lets others through in between. A person has one at a time: another
 * one ends it, with what it has found so far.
 */
export function createSearch(records: Records, { mostLooked = MAX_LOOKED } = {}): Search {
  const running = new Map<string, object>();
  return {
    find: async (user, words) => {
      const own = {};
      running.set(user, own);
      const wanted = words.toLocaleLowerCase();
      const found: Entry[] = [];
      let left = mostLooked;
      const occurs = (text: string) => {
        left -= text.length;
        return text.toLocaleLowerCase().includes(wanted);
      };
      const goesOn = () => left > 0 && running.get(user) === own;
      try {
        for (const entry of await records.list(user)) {
          if (occurs(entry.title) || (await occursIn(entry))) found.push(entry);
          if (!goesOn()) break;
        }
      } finally {
        if (running.get(user) === own) running.delete(user);
      }
      return found;

      async function occursIn({ thread }: Entry): Promise<boolean> {
        for await (const turns of records.newest(user, thread)) {
          for (const { text, pieces } of turns)
            if (occurs(text) || pieces.some(({ html }) => occurs(textOf(html)))) return true;
          if (!goesOn()) return false;
          await setImmediate();
        }
        return false;
      }
    },
  };
}

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };

/** What is read of the dialect's own HTML. */
function textOf(html: string): string {
  return html.replace(/<[^<>]*>/g, "").replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
}
