import { setImmediate } from "node:timers/promises";
import type { Records } from "./records.ts";
import type { ThreadEntry } from "./updates.ts";

/** Finds conversations by a text that occurs in them. */
export interface Search {
  /** Finds the user's conversations whose title or turns contain `text`. Case does not matter. */
  find(user: string, text: string): Promise<readonly ThreadEntry[]>;
}

/** How much text one search reads at most, the newest first, in UTF-16 units: about half a second of work. */
const MAX_SEARCHED = 20_000_000;

/**
 * Creates a search. It reads one conversation after another and lets other work run in between. Each user has one search at
 * a time: a new one ends the one before, which then returns what it has found so far.
 */
export function createSearch(records: Records, { maxSearched = MAX_SEARCHED } = {}): Search {
  const running = new Map<string, object>();
  return {
    find: async (user, text) => {
      const own = {};
      running.set(user, own);
      const wanted = text.toLocaleLowerCase();
      const found: ThreadEntry[] = [];
      let left = maxSearched;
      const occursIn = (searched: string) => {
        left -= searched.length;
        return searched.toLocaleLowerCase().includes(wanted);
      };
      const mayContinue = () => left > 0 && running.get(user) === own;
      try {
        for (const entry of await records.list(user)) {
          if (occursIn(entry.title) || (await occursInTurns(entry))) found.push(entry);
          if (!mayContinue()) break;
        }
      } finally {
        if (running.get(user) === own) running.delete(user);
      }
      return found;

      async function occursInTurns({ thread }: ThreadEntry): Promise<boolean> {
        for await (const turns of records.newest(user, thread)) {
          for (const { text: question, pieces } of turns)
            if (occursIn(question) || pieces.some(({ html }) => occursIn(textOf(html)))) return true;
          if (!mayContinue()) return false;
          await setImmediate();
        }
        return false;
      }
    },
  };
}

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };

/** The text of HTML that the dialect has written. */
function textOf(html: string): string {
  return html.replace(/<[^<>]*>/g, "").replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
}
