/** Stands between characters that together would mean something, and is not seen. */
export const APART = "\u200b";

/** Text that Discord shows as it is: no style, mention, time stamp, emoji, link or quote. */
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
      // A backslash would not keep the client from taking this for the middle of a link.
      .replace(/\](?=\()/g, `]${APART}`)
  );
}

const CONTROLS = /(?![\n\t])[\p{Cc}\p{Surrogate}]/gu;

/** Headings, small print, quotes, lists. */
const LINE_START = /^([^\S\n\r\u2028\u2029]*)(#{1,3}|-#|>{1,3}|[-+]|\d+(?=[.)]))([.)])?(?=\s|$)/gm;

/**
 * Code within a line. Three backticks open a block whatever follows, so two must do, and longer runs within
 * the code are broken up; a space keeps backticks at the edges from the marks.
 */
export function inlineCode(text: string): string {
  const code = text.replace(CONTROLS, "").replaceAll("\n", " ");
  if (!code.includes("`")) return `\`${code}\``;
  const edged = code.replace(/^`/, " `").replace(/`$/, "` ");
  return `\`\`${edged.replace(/`(?=`)/g, `\`${APART}`)}\`\``;
}

/** A block of code. Discord knows only fences of three backticks: those in the code are broken up. */
export function codeBlock(text: string, language: string): string {
  // Without anything in it Discord would show the fences.
  const code = text
    .replace(CONTROLS, "")
    .replace(/``(?=`)/g, `\`\`${APART}`)
    .replace(/^\s*$/, " ");
  return `\`\`\`${LANGUAGE.test(language) ? language : ""}\n${code}\n\`\`\``;
}

/** What Discord takes for the language of a block; anything else would be shown as code. */
const LANGUAGE = /^[a-z0-9_+\-.#]{1,40}$/i;
