/** Stands between characters that together would mean something, and is not seen. */
const APART = "\u200b";

/** Text that Discord shows as it is: no style, mention, time stamp, emoji, masked link or quote. */
export function escaped(text: string, atLineStart: boolean): string {
  if (!SPECIAL.test(text)) return text;
  const safe = text
    .replace(CONTROLS, "")
    .replace(/[\\*_~`|<]/g, "\\$&")
    .replace(/\](?=\()/g, "\\]");
  return safe.replace(
    LINE_START,
    (found, space: string, mark: string, dot: string | undefined, offset: number) => {
      if (offset === 0 && !atLineStart) return found;
      return dot === undefined ? `${space}\\${mark}` : `${space}${mark}\\${dot}`;
    },
  );
}

const SPECIAL = /[\\*_~`|<\]#>\-+.)\p{Cc}\p{Surrogate}]/u;

const CONTROLS = /(?![\n\t])[\p{Cc}\p{Surrogate}]/gu;

/** Headings, small print, quotes, lists. */
const LINE_START = /^([^\S\n]*)(#{1,3}|-#|>{1,3}|[-+]|\d+(?=[.)]))([.)])?(?=\s|$)/gm;

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
  const code = text.replace(CONTROLS, "").replace(/``(?=`)/g, `\`\`${APART}`);
  return `\`\`\`${LANGUAGE.test(language) ? language : ""}\n${code}\n\`\`\``;
}

/** What Discord takes for the language of a block; anything else would be shown as code. */
const LANGUAGE = /^[a-z0-9_+\-.#]{1,40}$/i;
