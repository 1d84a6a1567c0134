/** The blocks of Hebrew, Arabic and the other scripts that are written from right to left. */
const RIGHT_TO_LEFT = /^[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1eeff}]/u;

/** Whether the first letter of a rich message, outside code and formulas, belongs to a right-to-left script. */
export function isRightToLeft(html: string): boolean {
  const text = html.replace(/<(code|pre|tg-math|tg-math-block)\b[^<>]*>[^<]*|<[^<>]*>|&\w+;/g, "");
  return RIGHT_TO_LEFT.test(/\p{L}/u.exec(text)?.[0] ?? "");
}
