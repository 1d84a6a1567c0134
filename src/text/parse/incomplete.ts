/** A line of nothing but marks, which may still become any kind of block. */
const ONLY_MARKS = /^(?:[#>*+\-=_~`|:$\\[\] \t]+|[ \t]*\d{1,9}[.)]?[ \t]*)$/;

/** A fence, or the beginning of one, without code after it. */
const LAST_FENCE = /(?<=^|\n)[ \t>]*(?:`{3,}|~{3,}(?!~))[^\n`]*\n?$/;

/** Removes the last line while it consists of marks alone, so that they do not flash up. */
export function hideMarks(text: string): string {
  const source = text.replace(LAST_FENCE, "");
  const start = source.lastIndexOf("\n") + 1;
  return ONLY_MARKS.test(source.slice(start)) ? source.slice(0, start) : source;
}

const CLOSED_CODE = /(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)/gs;

/** Completes half-written marks at the end of an incomplete paragraph, so that no raw Markdown is shown. */
export function completeInline(source: string): string {
  const plain = source.replace(CLOSED_CODE, (code) => "x".repeat(code.length));
  const tick = plain.search(/`/);
  if (tick >= 0) return closeCode(source, tick);
  const shown = withoutHalfLink(source, plain)
    .replace(/(?<!\\|(?<!\\)[*_~|])[*_~|]+$/, (marks) => closersIn(source, marks))
    .replace(/<\/?[a-z]{0,6}$/i, "");
  return shown.trimEnd() + openMarks(shown).reverse().join("");
}

function closeCode(source: string, tick: number): string {
  const before = source.slice(0, tick);
  const marks = /^`+/.exec(source.slice(tick))?.[0] ?? "";
  const code = source.slice(tick + marks.length).replace(/(?<!`)`+$/, "");
  const closers = openMarks(before).reverse().join("");
  return code.trim() ? before + marks + code + marks + closers : completeInline(before);
}

/** Whether a mark or an address may continue after a part of a paragraph. A wrong guess only affects the look. */
export function endsIncomplete(part: string): boolean {
  const plain = part.replace(CLOSED_CODE, (code) => "x".repeat(code.length));
  return plain.includes("`") || isInAddress(plain) || openMarks(plain).length > 0;
}

/** Whether the part ends inside a bare address, the text of a link, or the address of a link. */
function isInAddress(part: string): boolean {
  const word = /(?<!\S)\S*$/.exec(part)?.[0] ?? "";
  const label = part.slice(part.lastIndexOf("]") + 1);
  return (
    /https?:\/\/|www\./i.test(word) ||
    /(?<!\\)\[/.test(label) ||
    part.slice(part.lastIndexOf(")") + 1).includes("](")
  );
}

/** Reduces `[text](addr` to its text while the address is incomplete; `[1]` stays, as it is probably no link. */
function withoutHalfLink(source: string, plain: string): string {
  const link = /!?\[([^[\]]*)(?:\](?:\([^()\s]*)?)?$/.exec(plain);
  if (!link || plain[link.index - 1] === "\\" || /^\[\^?\d+\]?$/.test(link[0])) return source;
  const start = link.index + link[0].indexOf("[") + 1;
  return source.slice(0, link.index) + source.slice(start, start + (link[1] ?? "").length);
}

/** Marks at the very end are kept if they close the open ones, and hidden otherwise. */
function closersIn(source: string, marks: string): string {
  const open = openMarks(source.slice(0, source.length - marks.length))
    .reverse()
    .join("");
  return open === marks ? marks : "";
}

const MARKS = /\\.|`[^`]*`|\*{1,3}|(?<!\w)_{1,2}(?=\S)|_{1,2}(?!\w)|~~|\|\|/gs;

/** The marks still open at the end of the text, outermost first. */
function openMarks(source: string): string[] {
  const open: string[] = [];
  for (const match of source.matchAll(MARKS)) {
    const [mark] = match;
    if (/^[\\`]/.test(mark)) continue;
    const before = source[match.index - 1] ?? " ";
    const after = source[match.index + mark.length] ?? " ";
    if (open.at(-1) === mark && /\S/.test(before)) open.pop();
    else if (/\S/.test(after)) open.push(mark);
  }
  return open;
}
