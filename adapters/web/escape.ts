/** What HTML may not hold, and what would turn the direction of the text around it; a tab and a line break stay. */
const CONTROLS = /(?![\n\t])[\p{Cc}\p{Surrogate}\u202a-\u202e\u2066-\u2069]/gu;

const PLAIN = /^[\n\t !#-%'-;=?-~]*$/;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as HTML, between tags and within quotes. */
export function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(CONTROLS, "").replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}
