/** Removes the reasoning at the beginning of an answer from its stream. */
export interface ThoughtFilter {
  /** Adds the next chunk of the stream. Returns the text that may be shown now, which is often empty. */
  push(chunk: string): string;
  /** Ends the stream. Returns the text that was held back because it might have been the beginning of a tag. */
  end(): string;
}

const OPENING = ["<think>", "<thinking>"];

/** The most blanks that are held back before the first word: a model may send them without end. */
const MAX_BLANKS = 100;

/**
 * Creates a filter for models that write `<think>…</think>` before the answer. Only a tag at the very beginning, after
 * blanks, marks reasoning: the same tag later on, as in a code example, belongs to the answer. A tag that is never
 * closed hides everything behind it.
 */
export function createThoughtFilter(): ThoughtFilter {
  let held = "";
  let closing: string | undefined;
  let hadThought = false;
  let isAnswer = false;

  return {
    push: (chunk) => {
      if (isAnswer) return chunk;
      held += chunk;
      while (closing ? close(closing) : open()) {}
      return isAnswer ? release() : "";
    },
    end: () => {
      const rest = closing || isAnswer ? "" : release();
      isAnswer = true;
      return rest;
    },
  };

  /** Handles text before a tag or the answer. Returns true if a thought begins. */
  function open(): boolean {
    const text = held.trimStart();
    const tag = OPENING.find((tag) => startsWith(text, tag));
    if (tag) {
      held = text.slice(tag.length);
      closing = tag.replace("<", "</");
      return true;
    }
    if (text === "") held = held.slice(-MAX_BLANKS);
    isAnswer = text !== "" && !OPENING.some((tag) => startsWith(tag, text));
    return false;
  }

  /** Handles text within a thought. Returns true if the thought ends. */
  function close(tag: string): boolean {
    const at = held.toLowerCase().indexOf(tag);
    // Of the thought itself, only a possible beginning of the closing tag is needed.
    held = at < 0 ? held.slice(1 - tag.length) : held.slice(at + tag.length);
    if (at < 0) return false;
    closing = undefined;
    hadThought = true;
    return true;
  }

  /** Returns the held text, without the blanks between a thought and the answer. */
  function release(): string {
    const text = hadThought ? held.trimStart() : held;
    held = "";
    return text;
  }
}

function startsWith(text: string, start: string): boolean {
  return text.slice(0, start.length).toLowerCase() === start.toLowerCase();
}
