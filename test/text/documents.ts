import fc from "fast-check";

/** Something in every script and shape: none of these is Markdown, and all of them are visible. */
const WORDS = [
  "alpha",
  "beta7",
  "gamma",
  "is",
  "a",
  "Überlänge",
  "naïve",
  "日本語",
  "重点",
  "测试文字",
  "한국어",
  "עברית",
  "العربية",
  "ไทย",
  "👩‍👩‍👧‍👦",
  "🇩🇪🇫🇷",
  "👍🏽",
  "e\u0301o\u0308",
  "x".repeat(120),
  "漢".repeat(90),
  "don't",
  "3.14",
  "end.",
  "why?",
  "句子。",
];

const word = fc.constantFrom(...WORDS);
const words = fc.array(word, { minLength: 1, maxLength: 8 }).map((list) => list.join(" "));

const styled = fc
  .tuple(words, fc.constantFrom("**", "*", "~~", "||", "`", "``", "***", "_", ""))
  .map(([text, mark]) => mark + text + mark);

/** Marks that nobody closes, and things that only look like marks. */
const stray = fc.constantFrom(
  "**",
  "*",
  "`",
  "~~",
  "||",
  "[",
  "](",
  "[text](http://",
  "<b>",
  "&amp;",
  "&",
  "\\",
  "\\*",
  "$x_1$",
  "\\(y\\)",
  "5 * 3",
  "snake_case",
  "a|b",
  "!",
);

const link = fc
  .tuple(
    words,
    fc.constantFrom("https://example.org/a_b", "mailto:me@example.org", "foo:bar", "http://localhost:3000"),
  )
  .map(([text, href]) => `[${text}](${href})`);

const url = fc.constantFrom(
  "https://example.org/x_y?z=1",
  "<https://example.org>",
  "www.example.org",
  "me@example.org",
);

const inline = fc.oneof(
  { weight: 6, arbitrary: words },
  { weight: 4, arbitrary: styled },
  { weight: 1, arbitrary: stray },
  { weight: 2, arbitrary: link },
  { weight: 1, arbitrary: url },
);

const line = fc.array(inline, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(" "));
const paragraph = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join("\n"));
const longParagraph = fc.array(inline, { minLength: 20, maxLength: 40 }).map((parts) => parts.join(" "));
const heading = fc
  .tuple(fc.integer({ min: 1, max: 6 }), words)
  .map(([level, text]) => `${"#".repeat(level)} ${text}`);

const codeLine = fc.constantFrom(
  "",
  "let a = 1;",
  "    indented();",
  "`tick` ``two``",
  "\tif (x) {",
  "# no heading",
  "- no item",
  "}",
  "z".repeat(150),
);
const code = fc
  .tuple(
    fc.array(codeLine, { maxLength: 30 }),
    fc.constantFrom("", "js", "c++"),
    fc.constantFrom("```", "````", "~~~"),
    fc.boolean(),
  )
  .map(([lines, language, fence, closed]) =>
    [fence + language, ...lines, ...(closed ? [fence] : [])].join("\n"),
  );
const indentedCode = fc
  .array(codeLine, { minLength: 1, maxLength: 5 })
  .map((lines) => lines.map((l) => `    ${l}`).join("\n"));

const table = fc
  .tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.array(fc.oneof(word, inline), { minLength: 1, maxLength: 5 }), { maxLength: 20 }),
  )
  .map(([columns, rows]) => {
    const head = Array.from({ length: columns }, (_, i) => `Head${i}`);
    const body = rows.map((cells) => `| ${cells.join(" | ")} |`);
    return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(columns)}`, ...body].join("\n");
  });

const simple = fc.oneof(
  paragraph,
  heading,
  code,
  indentedCode,
  table,
  fc.constantFrom("---", "***", "$$\nx_1 - y\n- z\n$$", "\\[\na\n\\]"),
);

const { block } = fc.letrec<{ block: string; list: string; quote: string }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 5, arbitrary: simple },
    { weight: 3, arbitrary: tie("list") },
    { weight: 1, arbitrary: tie("quote") },
  ),
  list: fc
    .tuple(
      fc.array(fc.array(tie("block"), { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom("- ", "* ", "1. ", "7) ", "- [ ] ", "- [x] "),
      fc.boolean(),
    )
    .map(([items, marker, loose]) =>
      items.map((blocks) => toItem(blocks, marker, loose)).join(loose ? "\n\n" : "\n"),
    ),
  quote: fc
    .array(tie("block"), { minLength: 1, maxLength: 3 })
    .map((blocks) => blocks.join("\n\n").replace(/^/gm, "> ")),
}));

function toItem(blocks: readonly string[], marker: string, loose: boolean): string {
  const width = marker.indexOf(" ") + 1;
  return marker + blocks.join(loose ? "\n\n" : "\n").replaceAll("\n", `\n${" ".repeat(width)}`);
}

/** What a model might write: all constructs, long and short, some of them broken. */
export const documents = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 8, arbitrary: block }, { weight: 1, arbitrary: longParagraph }),
      fc.constantFrom("\n", "\n\n", "\n\n\n"),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.map(([text, gap]) => text + gap).join(""));

/** What nobody would write: marks and letters in any order. */
export const scrambled = fc
  .array(
    fc.constantFrom(
      "*",
      "**",
      "_",
      "`",
      "``",
      "```",
      "~~~",
      "~~",
      "||",
      "|",
      "-",
      "--",
      "- ",
      "1. ",
      "# ",
      ">",
      "> ",
      "\n",
      "\n\n",
      "\n  ",
      "\n    ",
      " ",
      "  ",
      "[",
      "]",
      "](",
      ")",
      "(http://a.b)",
      "!",
      "\\",
      "&",
      ";",
      "<",
      ">",
      "$",
      "$$",
      "\t",
      "\r",
      "a",
      "b c",
      "é",
      "漢字",
      "👩‍👩‍👧",
      "\u200b",
      "\u0001",
      "e\u0301",
      ":--",
      "| a | b |\n|---|---|\n",
      "abc ".repeat(150),
      "word*word ".repeat(70),
    ),
    { maxLength: 80, size: "max" },
  )
  .map((parts) => parts.join(""));

/** Any string at all, unpaired surrogates too. */
export const strings = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 })
    .map((units) => String.fromCharCode(...units)),
);
