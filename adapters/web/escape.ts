/** Characters that HTML forbids, and those that change the direction of the text around them. Tabs and line breaks stay. */
const CONTROLS = /(?![\n\t])[\p{Cc}\p{Surrogate}\u202a-\u202e\u2066-\u2069]/gu;

/** A text that needs no escaping. */
const PLAIN = /^[\n\t !#-%'-;=?-~]*$/;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Escapes a text for HTML, between tags and in quoted attributes. */
export function escaped(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(CONTROLS, "").replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}
