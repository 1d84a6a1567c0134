import { styleText } from "node:util";
import type { Span, Style } from "../../src/text/block.ts";
import type { Link } from "../../src/text/links.ts";
import type { StyledText } from "./layout.ts";

/** What a terminal or a pipe supports. */
export interface Printer {
  readonly color: boolean;
  readonly links: boolean;
  readonly columns: number | undefined;
}

export type Format = "bold" | "italic" | "strikethrough" | "cyan" | "dim" | "inverse" | "underline";

const FORMATS: Readonly<Record<Style, Format>> = {
  bold: "bold",
  italic: "italic",
  strike: "strikethrough",
  code: "cyan",
  spoiler: "inverse",
};

/** A span in its style, and with its link. `formats` are added to those of the span. */
export function styledText(
  { text, styles = [], href }: Span,
  printer: Printer,
  formats: Format[],
): StyledText {
  const safe = withoutControls(text, printer);
  const shown = printer.color ? safe : marked(safe, styles);
  const paint = painter([...formats, ...styles.map((style) => FORMATS[style])], printer);
  return { text: shown, paint: href ? (part) => linked(paint ? paint(part) : part, href) : paint };
}

/** Marks deleted text and code, which would otherwise look like ordinary text without styles. */
function marked(text: string, styles: readonly Style[]): string {
  if (!text.trim()) return text;
  const code = styles.includes("code") ? `\`${text}\`` : text;
  return styles.includes("strike") ? `~~${code}~~` : code;
}

export function painter(formats: Format[], { color }: Printer): StyledText["paint"] {
  if (!color || formats.length === 0) return undefined;
  return (text) => styleText(formats, text, { validateStream: false });
}

export function dim(text: string, printer: Printer): string {
  return painter(["dim"], printer)?.(text) ?? text;
}

/** Whether a link may be hidden behind its text. If the text looks like an address itself, the target is written out. */
export function isTerminalLink({ href = "", spans }: Link): boolean {
  return (
    /^https?:/i.test(href) && URL.canParse(href) && !spans.some(({ text }) => /https?:|www\./i.test(text))
  );
}

/** Puts a link behind text (OSC 8). The href of a URL is printable ASCII, as the sequence requires. */
function linked(text: string, href: string): string {
  return `\u001B]8;;${new URL(href).href}\u001B\\${text}\u001B]8;;\u001B\\`;
}

/** Removes control characters, so that text cannot send commands to the terminal, and direction overrides. */
export function withoutControls(text: string, { columns }: Printer): string {
  const safe = HARMLESS.test(text) ? text : text.replace(HARMFUL, "");
  return columns === undefined ? safe : safe.replaceAll("\t", "    ");
}

const HARMLESS = /^[\n\t -~]*$/;

const HARMFUL = /(?![\n\t])[\p{Cc}\p{Surrogate}\u2028-\u202e\u2066-\u2069]/gu;
