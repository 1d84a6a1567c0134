import type { News, Piece } from "./news.ts";

type Shown = Extract<News, { kind: "shown" }>;

/** Answers that grow right now, piece by piece; what is whole is in the records. */
export interface Live {
  /** Empty if nothing is known of such an answer. */
  pieces(turn: string): readonly Piece[];
  /** How a piece comes to show something else; undefined if it shows that already. */
  change(turn: string, piece: Piece): Pick<Shown, "keep" | "of" | "add"> | undefined;
  /** Takes in what has changed, here or in another process; false if it does not fit what is known. */
  apply(news: News): boolean;
}

/** Growing answers in memory. */
export function createLive(): Live {
  const turns = new Map<string, Map<string, Piece>>();
  return {
    pieces: (turn) => [...(turns.get(turn)?.values() ?? [])],
    change: (turn, { ref, html, choices }) => {
      const known = turns.get(turn)?.get(ref);
      const old = known?.html ?? "";
      if (known && old === html && JSON.stringify(known.choices) === JSON.stringify(choices))
        return undefined;
      const keep = commonLength(old, html);
      return { keep, of: old.length, add: html.slice(keep) };
    },
    apply: (news) => {
      if (news.kind === "shown") return show(news);
      if (news.kind === "removed") turns.get(news.turn)?.delete(news.ref);
      if (news.kind === "done") turns.delete(news.turn);
      return true;
    },
  };

  function show({ turn, ref, keep, of, add, choices }: Shown): boolean {
    const pieces = turns.get(turn) ?? new Map<string, Piece>();
    const old = pieces.get(ref)?.html ?? "";
    if (old.length !== of && keep > 0) return false;
    turns.set(turn, pieces);
    pieces.set(ref, { ref, html: old.slice(0, keep) + add, ...(choices && { choices }) });
    return true;
  }
}

function commonLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
