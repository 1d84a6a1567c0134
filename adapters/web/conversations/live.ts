import type { News, Piece } from "./news.ts";
import type { Place } from "./records.ts";
import { shelfKey } from "./shelf.ts";

type Shown = Extract<News, { kind: "shown" }>;

/**
 * Answers that grow right now, piece by piece; what is whole is in the records. The clock and the
 * client name a turn, so that two people's turns may have the same name: only person, conversation and turn say which.
 */
export interface Live {
  /** Empty if nothing is known of such an answer. */
  pieces(place: Place): readonly Piece[];
  /** How a piece comes to show something else; undefined if it shows that already. */
  change(place: Place, piece: Piece): Pick<Shown, "keep" | "of" | "add"> | undefined;
  /** Takes in what has changed for a person, here or in another process; false if it does not fit what is known. */
  apply(user: string, news: News): boolean;
}

/** Growing answers in memory. */
export function createLive(): Live {
  const turns = new Map<string, Map<string, Piece>>();
  return {
    pieces: (place) => [...(turns.get(keyOf(place))?.values() ?? [])],
    change: (place, { ref, html, choices }) => {
      const known = turns.get(keyOf(place))?.get(ref);
      const old = known?.html ?? "";
      if (known && old === html && JSON.stringify(known.choices) === JSON.stringify(choices))
        return undefined;
      const keep = commonLength(old, html);
      return { keep, of: old.length, add: html.slice(keep) };
    },
    apply: (user, news) => {
      if (news.kind === "shown") return show(user, news);
      if (news.kind === "removed") turns.get(keyOf({ user, ...news }))?.delete(news.ref);
      if (news.kind === "done") turns.delete(keyOf({ user, ...news }));
      return true;
    },
  };

  function show(user: string, { thread, turn, ref, keep, of, add, choices }: Shown): boolean {
    const key = keyOf({ user, thread, turn });
    const pieces = turns.get(key) ?? new Map<string, Piece>();
    const old = pieces.get(ref)?.html ?? "";
    if (old.length !== of && keep > 0) return false;
    turns.set(key, pieces);
    pieces.set(ref, { ref, html: old.slice(0, keep) + add, ...(choices && { choices }) });
    return true;
  }
}

function keyOf({ user, thread, turn }: Place): string {
  return shelfKey(user, thread, turn);
}

function commonLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
