import { recordKey } from "./record-store.ts";
import type { TurnKey } from "./records.ts";
import type { AnswerPart, Update } from "./updates.ts";

type Shown = Extract<Update, { kind: "shown" }>;

/**
 * The answers that are being written right now, part by part. Complete answers are in the records. A turn is named by the
 * clock and the client, so turns of two users may have the same name: only user, conversation and turn together identify it.
 */
export interface AnswersInProgress {
  /** The parts of an answer; empty if the answer is not in progress. */
  parts(turn: TurnKey): readonly AnswerPart[];
  /** The difference between what a part shows and what it is to show; undefined if there is none. */
  diff(turn: TurnKey, part: AnswerPart): Pick<Shown, "keep" | "of" | "add"> | undefined;
  /** Applies an update of this process or another one. An update that does not fit what is known is ignored. */
  apply(user: string, update: Update): void;
}

/** Creates an empty collection of answers in memory. */
export function createAnswersInProgress(): AnswersInProgress {
  const answers = new Map<string, Map<string, AnswerPart>>();
  return {
    parts: (turn) => [...(answers.get(keyOf(turn))?.values() ?? [])],
    diff: (turn, { ref, html, choices }) => {
      const known = answers.get(keyOf(turn))?.get(ref);
      const old = known?.html ?? "";
      if (known && old === html && JSON.stringify(known.choices) === JSON.stringify(choices))
        return undefined;
      const keep = commonLength(old, html);
      return { keep, of: old.length, add: html.slice(keep) };
    },
    apply: (user, update) => {
      if (update.kind === "shown") show(user, update);
      if (update.kind === "removed") answers.get(keyOf({ user, ...update }))?.delete(update.ref);
      if (update.kind === "done") answers.delete(keyOf({ user, ...update }));
    },
  };

  function show(user: string, { thread, turn, ref, keep, of, add, choices }: Shown): void {
    const key = keyOf({ user, thread, turn });
    const parts = answers.get(key) ?? new Map<string, AnswerPart>();
    const old = parts.get(ref)?.html ?? "";
    if (old.length !== of && keep > 0) return;
    answers.set(key, parts);
    parts.set(ref, { ref, html: old.slice(0, keep) + add, ...(choices && { choices }) });
  }
}

function keyOf({ user, thread, turn }: TurnKey): string {
  return recordKey(user, thread, turn);
}

function commonLength(a: string, b: string): number {
  const max = Math.min(a.length, b.length);
  let length = 0;
  while (length < max && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
