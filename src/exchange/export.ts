import type { Conversation } from "../conversation/conversation.ts";
import { harmless, harmlessJson, oneLine } from "../sanitize/harmless.ts";
import { closingFence } from "../text/fence.ts";
import { printUserMessages, toFileMessages } from "./user-messages.ts";

/** How a file is written. */
export type ExportFormat = "json" | "jsonl" | "markdown";

/** A conversation under the name that it gets in the file. */
export type Named = readonly [name: string, conversation: Conversation];

/** What the model was told by personas. */
export type Told = NonNullable<Parameters<typeof toFileMessages>[1]>;

/** The file, piece by piece; without `told` it says nothing of what the model is told about itself. */
export function print(format: ExportFormat, all: AsyncIterable<Named>, told?: Told): AsyncIterable<string> {
  switch (format) {
    case "json":
      return printUserMessages(inFile(all, told));
    case "jsonl":
      return printLines(all, told);
    case "markdown":
      return printMarkdown(all, told);
  }
}

async function* inFile(all: AsyncIterable<Named>, told?: Told) {
  for await (const [name, conversation] of all) yield [name, toFileMessages(conversation, told)] as const;
}

/** A line for each message: `{"user", "role", "content", "at"?}`, the time as ISO 8601. */
async function* printLines(all: AsyncIterable<Named>, told?: Told): AsyncGenerator<string> {
  for await (const [user, conversation] of all) {
    const messages = toFileMessages(conversation, told);
    const before = messages.length - conversation.messages.length;
    for (const [index, message] of messages.entries()) {
      const at = conversation.messages[index - before]?.at;
      const time = at === undefined ? {} : { at: new Date(at).toISOString() };
      yield `${harmlessJson(JSON.stringify({ user, ...message, ...time }))}\n`;
    }
  }
}

/**
 * Who says something, as a heading; what they say, as it is, but for what would steer the terminal that shows the file.
 */
async function* printMarkdown(all: AsyncIterable<Named>, told?: Told): AsyncGenerator<string> {
  let gap = "";
  for await (const [name, conversation] of all) {
    yield `${gap}# ${inHeading(conversation.title ?? name)}\n`;
    for (const { role, content: said } of toFileMessages(conversation, told)) {
      const content = harmless(said);
      yield `\n## ${role === "user" ? inHeading(name) : HEADINGS[role]}\n\n${content}${closingFence(content)}\n`;
    }
    gap = "\n";
  }
}

const HEADINGS = { system: "System", assistant: "Assistant" } as const;

/** A name is text, whatever stands in it. */
function inHeading(name: string): string {
  return oneLine(name)
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>#|~$]/g, "\\$&");
}
