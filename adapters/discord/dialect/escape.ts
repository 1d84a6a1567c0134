/** A zero-width space, which separates characters that would form markup together. */
export const APART = "\u200b";

/** Escapes a text so that Discord shows it literally, without styles, mentions, timestamps, emoji, links or quotes. */
export function escaped(text: string, atLineStart: boolean): string {
  const safe = SPECIAL.test(text) ? withoutMarks(text) : text;
  if (!atLineStart && !safe.includes("\n")) return safe;
  return safe.replace(
    LINE_START,
    (found, space: string, mark: string, dot: string | undefined, offset: number) => {
      if (offset === 0 && !atLineStart) return found;
      return dot === undefined ? `${space}\\${mark}` : `${space}${mark}\\${dot}`;
    },
  );
}

const SPECIAL = /[\\*_~`|<\]:\p{Cc}\p{Surrogate}]/u;

function withoutMarks(text: string): string {
  const safe = text.replace(CONTROLS, "").replace(/[\\*_~`|<]/g, "\\$&");
  if (!/[:\]]/.test(safe)) return safe;
  return (
    safe
      .replace(/:(?=[\w+-]+:)|(?<=https?|steam|discord):(?=\/\/)/gi, "\\:")
      // A backslash does not keep the client from reading this as the middle of a link.
      .replace(/\](?=\()/g, `]${APART}`)
  );
}

const CONTROLS = /(?![\n\t])[\p{Cc}\p{Surrogate}]/gu;

/** Marks of headings, subtext, quotes and lists. */
const LINE_START = /^([^\S\n\r\u2028\u2029]*)(#{1,3}|-#|>{1,3}|[-+]|\d+(?=[.)]))([.)])?(?=\s|$)/gm;

/**
 * Prints inline code. Three backticks always open a block, so the fence has at most two, and longer runs within the code
 * are broken up. A space separates backticks at the edges from the fence.
 */
export function inlineCode(text: string): string {
  const code = text.replace(CONTROLS, "").replaceAll("\n", " ");
  if (!code.includes("`")) return `\`${code}\``;
  const edged = code.replace(/^`/, " `").replace(/`$/, "` ");
  return `\`\`${edged.replace(/`(?=`)/g, `\`${APART}`)}\`\``;
}

/** Prints a code block. Discord only knows fences of three backticks, so longer runs in the code are broken up. */
export function codeBlock(text: string, language: string): string {
  // Discord shows the fences of an empty block as text.
  const code = text
    .replace(CONTROLS, "")
    .replace(/``(?=`)/g, `\`\`${APART}`)
    .replace(/^\s*$/, " ");
  return `\`\`\`${LANGUAGE.test(language) ? language : ""}\n${code}\n\`\`\``;
}

/** A valid language of a block; Discord shows anything else as code. */
const LANGUAGE = /^[a-z0-9_+\-.#]{1,40}$/i;
