/** The languages of the demo model. */
export type DemoLanguage = "en" | "zh";

/** The length of a text that the user asks for. */
export interface Amount {
  readonly count: number;
  readonly unit: "characters" | "words";
}

/** The most characters in a text. */
export const MAX_SAMPLE = 200_000;

/** A text with an example of every Markdown construct. */
export function showMarkdown(language: DemoLanguage): string {
  return sections(language)[0]?.(1).join("\n\n") ?? "";
}

/** Markdown of at least this length, up to `MAX_SAMPLE`. It is numbered throughout, so that a gap is noticed. */
export function writeAtLength(language: DemoLanguage, { count, unit }: Amount): string {
  const kinds = sections(language);
  const written: string[] = [language === "zh" ? "# 一篇长文" : "# A long text"];
  let characters = written[0]?.length ?? 0;
  let words = 0;
  for (let number = 1; ; number += 1) {
    for (const block of kinds[(number - 1) % kinds.length]?.(number) ?? []) {
      if (characters >= MAX_SAMPLE || (unit === "words" ? words : characters) >= count)
        return written.join("\n\n");
      written.push(block);
      characters += Array.from(block).length + "\n\n".length;
      words += block.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
    }
  }
}

/** Creates the blocks of the section with this number. */
type Section = (number: number) => string[];

function sections(language: DemoLanguage): readonly Section[] {
  return language === "zh" ? CHINESE : ENGLISH;
}

const ENGLISH: readonly Section[] = [
  (n) => [
    `## ${n}. Formatting`,
    `Paragraph ${n}.1 has **bold**, *italic*, ~~struck~~ and \`inline code\`, a [link](https://example.com/page/${n}) and emoji: 😀 👩‍🚀 🇫🇷.`,
    `- item ${n}.a\n  - nested item ${n}.b with **bold** text\n    - deeper still: ${n}.c\n- item ${n}.d`,
    `1. first, number ${n}\n2. second\n   - with a note\n3. third`,
    `| Kind | Number | Note |\n|:-----|------:|------|\n| table | ${n} | aligned |\n| row | ${n + 1} | **bold** here |`,
    `> A quotation, number ${n}.\n>\n> It has two paragraphs.`,
    codeIn("typescript", `const answer: number = ${n};\nconsole.log(\`section \${answer}\`);`),
    codeIn("python", `def section():\n    return ${n}  # indented by four`),
    "---",
  ],
  (n) => [
    `## ${n}. Plain text`,
    `Paragraph ${n}.1 is long but says little: the demo model knows no facts, so it writes about itself. It numbers its sections, and this is section ${n}.`,
    `Paragraph ${n}.2 follows. On a chat platform you can see here how a long answer is split into messages: at the end of a block, a line or a sentence, but never within a word.`,
    `> Quotation ${n}: once a page is full, it does not change any more.`,
  ],
  (n) => [
    `## ${n}. Steps and code`,
    `1. Start with step ${n}.1.\n2. Continue with step ${n}.2, which has two parts:\n   - part one\n   - part two\n3. Finish with step ${n}.3.`,
    codeIn("bash", `echo "section ${n}"\nfor i in 1 2 3; do\n  echo "$i"\ndone`),
    codeIn("sql", `SELECT name, total\nFROM sections\nWHERE number = ${n};`),
    `Paragraph ${n}.4 closes the section with \`code ${n}\` and **strong text**.`,
  ],
];

const CHINESE: readonly Section[] = [
  (n) => [
    `## ${n}. 各种格式`,
    `第 ${n}.1 段有**粗体**、*斜体*、~~删除线~~和\`行内代码\`，有[链接](https://example.com/page/${n})，也有表情：😀 👩‍🚀 🇨🇳。这是**重点：**后面紧跟着文字。`,
    `- 项目 ${n}.a\n  - 嵌套项目 ${n}.b，带**粗体**\n    - 更深一层：${n}.c\n- 项目 ${n}.d`,
    `1. 第一步，编号 ${n}\n2. 第二步\n   - 附带说明\n3. 第三步`,
    `| 形式 | 编号 | 备注 |\n|:-----|------:|--------|\n| 表格 | ${n} | 对齐 |\n| 一行 | ${n + 1} | 这里有**粗体** |`,
    `> 引文，编号 ${n}。\n>\n> 它有两段。`,
    codeIn("typescript", `const answer: number = ${n};\nconsole.log(\`第 \${answer} 节\`);`),
    codeIn("python", `def section():\n    return ${n}  # 缩进四格`),
    "---",
  ],
  (n) => [
    `## ${n}. 平常的话`,
    `第 ${n}.1 段会写得长一些，却没有多少内容：演示模型不懂任何知识，只好写写自己。它给每一节编号，这里是第 ${n} 节。`,
    `第 ${n}.2 段接着写。在聊天平台上读到这里的人可以看到，长回答是怎样分成多条消息的：在一段、一行或一句的末尾分开，不会从一个词的中间断开。`,
    `> 引文 ${n}：已经写满的一页不会再变。`,
  ],
  (n) => [
    `## ${n}. 步骤与代码`,
    `1. 先看步骤 ${n}.1。\n2. 再看步骤 ${n}.2，它有两部分：\n   - 第一部分\n   - 第二部分\n3. 最后是步骤 ${n}.3。`,
    codeIn("bash", `echo "第 ${n} 节"\nfor i in 1 2 3; do\n  echo "$i"\ndone`),
    codeIn("sql", `SELECT name, total\nFROM sections\nWHERE number = ${n};`),
    `第 ${n}.4 段用\`代码 ${n}\`和**强调的话**结束这一节。`,
  ],
];

function codeIn(language: string, code: string): string {
  return `\`\`\`${language}\n${code}\n\`\`\``;
}
