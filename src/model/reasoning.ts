/** Takes the thinking at the beginning of an answer away while the answer streams by. */
export interface ThoughtFilter {
  /** The next piece of the stream in; what may be shown out, often nothing. */
  push(piece: string): string;
  /** The stream is over: what was held back because it might have been the beginning of a tag. */
  end(): string;
}

const OPENING = ["<think>", "<thinking>"];

/** Of blanks before the first word so many are kept: a model may send them without end. */
const MAX_BLANKS = 100;

/**
 * Some models write `<think>…</think>` before the answer. Only what stands at the very beginning (after
 * blanks) is thinking: the same tag later on, as in an example of code, belongs to the answer. A tag that
 * is never closed hides all that follows.
 */
export function createThoughtFilter(): ThoughtFilter {
  let held = "";
  let closing: string | undefined;
  let thought = false;
  let answering = false;

  return {
    push: (piece) => {
      if (answering) return piece;
      held += piece;
      while (closing ? close(closing) : open()) {}
      return answering ? release() : "";
    },
    end: () => {
      const rest = closing || answering ? "" : release();
      answering = true;
      return rest;
    },
  };

  /** Before a tag or the answer; true if it went on into a thought. */
  function open(): boolean {
    const text = held.trimStart();
    const tag = OPENING.find((tag) => startsWith(text, tag));
    if (tag) {
      held = text.slice(tag.length);
      closing = tag.replace("<", "</");
      return true;
    }
    if (text === "") held = held.slice(-MAX_BLANKS);
    answering = text !== "" && !OPENING.some((tag) => startsWith(tag, text));
    return false;
  }

  /** Within a thought; true if it ended here. */
  function close(tag: string): boolean {
    const at = held.toLowerCase().indexOf(tag);
    // Only the beginning of a closing tag must be remembered, not the thought.
    held = at < 0 ? held.slice(1 - tag.length) : held.slice(at + tag.length);
    if (at < 0) return false;
    closing = undefined;
    thought = true;
    return true;
  }

  /** The blanks between a thought and the answer belong to neither. */
  function release(): string {
    const text = thought ? held.trimStart() : held;
    held = "";
    return text;
  }
}

function startsWith(text: string, start: string): boolean {
  return text.slice(0, start.length).toLowerCase() === start.toLowerCase();
}
