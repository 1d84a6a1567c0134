import { ACCENTS, SCRIPTS, SYMBOLS } from "./tex-symbols.ts";

/** Formulas longer than this, in UTF-16 units, are shown as they were written. */
export const MAX_FORMULA = 2000;

/** Groups nested deeper than this are shown as they were written. */
const MAX_DEPTH = 30;

/** Commands that only change the look: their arguments are shown. */
const TRANSPARENT =
  /^\\(?:text\w*|math\w+|operatorname\*?|mbox|boxed|boldsymbol|bm|pmb|displaystyle|textstyle|scriptstyle|limits|nolimits|left|right|[bB]igg?[lrm]?|middle|mathopen|mathclose|underbrace|overbrace|rm|bf|it|mathstrut|phantom|hspace|vspace)$/;

/** Commands whose arguments are text, in which spaces count. */
const WORDS = /^\\(?:text\w*|mbox|operatorname\*?|mathrm|ce)$/;

/**
 * Converts LaTeX to a line of Unicode text that reads as much like the formula as possible: `\frac{a}{2}` becomes a/2.
 */
export function readTex(tex: string): string {
  const reader: Reader = { tex, at: 0, depth: 0 };
  const text = tex.length > MAX_FORMULA ? tex : readUntil(reader, "");
  const line = text.replace(RELATION, "$1 $2 ").replace(/[ \t]+/g, " ");
  return line.replace(/ ?\n ?/g, "\n").trim() || tex.trim();
}

/** A relation with a space only after it: in LaTeX the space in `A\to B` just ends the command. */
const RELATION = /(\S)([→←↔⇒⇐⇔↦⟶⟹≤≥≠≈≡∼≃≅∈∉⊂⊆⊃⊇∣∥∝≪≫±×⋅∪∩∧∨∘]) (?=\S)/g;

interface Reader {
  readonly tex: string;
  at: number;
  depth: number;
}

const TOKEN = /\\(?:[A-Za-z]+\*?|[\s\S]|$)|[\s\S]/uy;

function next(reader: Reader): string {
  TOKEN.lastIndex = reader.at;
  const token = TOKEN.exec(reader.tex)?.[0] ?? "";
  reader.at += token.length;
  return token;
}

/** Reads up to a closing token, or to the end. */
function readUntil(reader: Reader, closing: string): string {
  let text = "";
  for (let token = next(reader); token && token !== closing; token = next(reader)) {
    const part = readToken(reader, token);
    // `a\leq b` needs no space in Unicode, but a function name and its argument do.
    if (/\p{L}$/u.test(text) && /^\\[a-z]{2,}$/i.test(token) && /^\p{L}{2}/u.test(part)) text += " ";
    text += part;
    if (/^\\[a-z]{2,}$/i.test(token) && /\p{L}{2}$/u.test(part) && /^ *[\p{L}\p{N}\\]/u.test(rest(reader)))
      text += " ";
  }
  return text;
}

function rest({ tex, at }: Reader): string {
  return tex.slice(at, at + 3);
}

function readToken(reader: Reader, token: string): string {
  if (token === "{") return readGroup(reader, "}");
  if (token === "}") return "";
  if (token === "^" || token === "_") return script(token, readArgument(reader));
  if (token === "&") return " ";
  if (token === "\\\\") return "\n";
  if (/^\s$/.test(token)) return " ";
  if (token.startsWith("\\")) return readCommand(reader, token);
  return SYMBOLS.get(token) ?? token;
}

function readGroup(reader: Reader, closing: string): string {
  if (reader.depth >= MAX_DEPTH) return "{";
  reader.depth += 1;
  const text = readUntil(reader, closing);
  reader.depth -= 1;
  return text;
}

/** The next group, command or character. */
function readArgument(reader: Reader): string {
  skipSpace(reader);
  const token = next(reader);
  return token ? readToken(reader, token) : "";
}

function skipSpace(reader: Reader): void {
  while (/\s/.test(reader.tex[reader.at] ?? "")) reader.at += 1;
}

function readCommand(reader: Reader, command: string): string {
  if (/^\\[dtc]?frac$/.test(command)) {
    const over = inBrackets(readArgument(reader), /^[\p{L}\p{N}\p{M}′]*$/u);
    return `${over}/${inBrackets(readArgument(reader), ONE)}`;
  }
  if (/^\\[dt]?binom$/.test(command)) return `C(${readArgument(reader)}, ${readArgument(reader)})`;
  if (command === "\\sqrt") return root(reader);
  if (command === "\\begin" || command === "\\end") return readEnvironment(reader, command);
  if (command === "\\not") return `${readArgument(reader)}\u0338`;
  const accent = ACCENTS.get(command);
  if (accent) return accented(readArgument(reader), accent);
  if (WORDS.test(command)) return readWords(reader);
  const symbol = SYMBOLS.get(command) ?? symbolWithArgument(reader, command);
  if (symbol !== undefined) return symbol;
  if (!TRANSPARENT.test(command)) return unknown(reader, command);
  if (/^\\(?:left|right)$/.test(command) && reader.tex[reader.at] === ".") reader.at += 1;
  return "";
}

/** An unknown command is shown as it was written. */
function unknown(reader: Reader, command: string): string {
  if (reader.tex[reader.at] !== "{") return command;
  return `${command}{${readArgument(reader)}}`;
}

/** A symbol such as `\mathbb{R}`. */
function symbolWithArgument(reader: Reader, command: string): string | undefined {
  const argument = /^\{[A-Za-z0-9]\}/.exec(rest(reader))?.[0];
  const symbol = argument && SYMBOLS.get(command + argument);
  if (symbol) reader.at += argument.length;
  return symbol || undefined;
}

function readWords(reader: Reader): string {
  const group = /^\s*\{([^{}]*)\}/.exec(reader.tex.slice(reader.at));
  if (!group) return "";
  reader.at += group[0].length;
  return group[1] ?? "";
}

function root(reader: Reader): string {
  skipSpace(reader);
  let sign = "√";
  if (reader.tex[reader.at] === "[") {
    reader.at += 1;
    const degree = readGroup(reader, "]").trim();
    sign = degree === "3" ? "∛" : degree === "4" ? "∜" : `${script("^", degree)}√`;
  }
  return sign + inBrackets(readArgument(reader), ONE);
}

const MATRIX = /^([pbBvV]?)(?:small)?matrix\*?$|^array$/;
const BRACKETS: Readonly<Record<string, readonly [string, string]>> = {
  p: ["(", ")"],
  B: ["{", "}"],
  v: ["|", "|"],
  V: ["‖", "‖"],
};

/** Writes a matrix on one line, as `[a b; c d]`; the content of any other environment is shown as it is. */
function readEnvironment(reader: Reader, command: string): string {
  const name = readWords(reader);
  if (command === "\\end") return "";
  if (name === "array" || name === "tabular") readArgument(reader);
  if (reader.depth >= MAX_DEPTH) return "";
  reader.depth += 1;
  const body = readUntil(reader, "\\end");
  reader.depth -= 1;
  readWords(reader);
  const matrix = MATRIX.exec(name);
  if (!matrix) return name === "cases" ? `{${body}` : body;
  const [open, close] = BRACKETS[matrix[1] ?? ""] ?? ["[", "]"];
  return open + body.trim().replace(/(?<!\s)\s*\n\s*/g, "; ") + close;
}

/** A number, or a single letter with its marks. */
const ONE = /^(?:\p{N}*|\p{L}[\p{No}\p{Lm}\p{M}′]*|.)$/u;

function inBrackets(text: string, unless: RegExp): string {
  const inner = text.trim();
  return unless.test(inner) ? inner : `(${inner})`;
}

/** A superscript or subscript in Unicode characters or, if there is none for one of its characters, as `^(text)`. */
export function script(mark: "^" | "_", text: string): string {
  const inner = text.trim();
  const letters = Array.from(inner.replace(/ /g, ""), (char) =>
    SCRIPTS.get(mark + char.replace("−", "-").replace("′", "'")),
  );
  if (inner === "∘" && mark === "^") return "°";
  if (inner === "′") return inner;
  if (letters.every((letter) => letter !== undefined)) return letters.join("");
  return Array.from(inner).length > 1 ? `${mark}(${inner})` : mark + inner;
}

function accented(text: string, accent: string): string {
  return Array.from(text.normalize("NFC")).length === 1 ? text + accent : text;
}
