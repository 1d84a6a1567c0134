/** Texts of about so many UTF-16 units, by name: what people see, and what nobody would write. */
export const INPUTS: Readonly<Record<string, (size: number) => string>> = {
  prose: (size) => fill(size, (i) => `${ENGLISH} ${ENGLISH} Number ${i} of them.\n\n`),
  Chinese: (size) => fill(size, () => `${CHINESE.repeat(3)}\n\n`),
  mixed: (size) => fill(size, mixed),
  "one paragraph": (size) => fill(size, (i) => `${ENGLISH} ${i} `),
  "one Chinese paragraph": (size) => fill(size, () => CHINESE),
  "lines in a paragraph": (size) => fill(size, (i) => `A line of words that is not very long, ${i}\n`),
  "one code block": (size) =>
    `\`\`\`ts\n${fill(size, (i) => `  const value${i} = await compute(${i}); // *x*\n`)}\`\`\``,
  "one table": (size) =>
    `| Name | Value | Note |\n|---|---:|---|\n${fill(size, (i) => `| row ${i} | ${i * 7} | *some* words |\n`)}`,
  "one wide table": (size) =>
    `| Name | Value | Note |\n|---|---:|---|\n${fill(size, (i) => `| a row that is wide ${i} | ${ENGLISH} | **some** words |\n`)}`,
  "one list": (size) => fill(size, (i) => `- item **${i}** with some words in it, and \`code\`\n`),
  "numbered list": (size) => fill(size, (i) => `${i + 1}. item with some words\n`),
  "one quote": (size) => fill(size, (i) => `> a quoted line of words, number ${i}\n`),
  "long words": (size) => fill(size, () => `${"abcdefghij".repeat(1000)} `),
  "deep lists": (size) => fill(size, (i) => `${"  ".repeat(i % 50)}- item ${i} at some depth\n`),
  "bold in an item": (size) => `- ${fill(size, (i) => `**b${i}** and `)}`,
  links: (size) => fill(size, (i) => `[a link](https://example.org/${i}) and https://example.com/x_${i}, `),
  emoji: (size) => fill(size, () => "👩‍👩‍👧‍👦🇩🇪👍🏽 e\u0301 "),
  Thai: (size) => fill(size, () => "ภาษาไทยเขียนโดยไม่มีช่องว่างระหว่างคำ"),
  "nested emphasis": (size) => fill(size, () => "*a **b *c **d** e* f** g* "),
  "~~a": (size) => fill(size, () => "~~a"),
  "||a": (size) => fill(size, () => "||a"),
  "**": (size) => fill(size, () => "**"),
  "**a": (size) => fill(size, () => "**a "),
  "[": (size) => fill(size, () => "["),
  "[a](": (size) => fill(size, () => "[a]("),
  "`": (size) => fill(size, (i) => `${"`".repeat((i % 50) + 1)} `),
  "<": (size) => fill(size, () => "<"),
  "![": (size) => fill(size, () => "!["),
  $: (size) => fill(size, () => "$"),
  $a: (size) => fill(size, () => "$a "),
  ">": (size) => fill(size, () => ">"),
  newlines: (size) => fill(size, () => "\n"),
  "zero width": (size) => fill(size, () => "\u200b"),
};

const ENGLISH =
  "The quick brown fox jumps over the lazy dog, as it has done for years; nobody knows why. It is what foxes do.";
const CHINESE = "人工智能正在改变我们的生活方式，从医疗到教育，从交通到娱乐。许多人认为这只是开始！";

function mixed(i: number): string {
  return `## Section ${i}

Some **bold** and *italic* words with \`code\`, a [link](https://example.org/${i}) and ~~old~~ text. ${ENGLISH}

- first **item**
- second item with \`code\`
  - nested item ${i}
- [x] done

1. one
2. two with [a link](https://example.com)

> A quote with *emphasis*
> in two lines.

\`\`\`ts
export function f${i}(x: number): number {
  return x * ${i};
}
\`\`\`

| Name | Value |
|------|------:|
| a${i} | ${i} |
| b    | **2** |

Text with 中文和English混排, and an emoji 👩‍👩‍👧‍👦.

`;
}

function fill(size: number, piece: (index: number) => string): string {
  const pieces: string[] = [];
  let length = 0;
  for (let i = 0; length < size; i++) {
    const next = piece(i);
    pieces.push(next);
    length += next.length;
  }
  return pieces.join("");
}
