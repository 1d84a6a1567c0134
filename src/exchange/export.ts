import type { Conversation } from "../conversation/conversation.ts";
import { harmless, harmlessJson, oneLine } from "../sanitize/harmless.ts";
import { closingFence } from "../text/fence.ts";
import { printUserMessages, toFileMessages } from "./user-messages.ts";

/** The format of a file. */
export type ExportFormat = "json" | "jsonl" | "markdown";

/** A conversation, with its name in the file. */
export type Named = readonly [name: string, conversation: Conversation];

/** The texts of the personas. */
export type Personas = NonNullable<Parameters<typeof toFileMessages>[1]>;

/** Writes a file in chunks. Without `personas`, the system messages of personas are left out. */
export function print(
  format: ExportFormat,
  all: AsyncIterable<Named>,
  personas?: Personas,
): AsyncIterable<string> {
  switch (format) {
    case "json":
      return printUserMessages(inFile(all, personas));
    case "jsonl":
      return printLines(all, personas);
    case "markdown":
      return printMarkdown(all, personas);
  }
}

async function* inFile(all: AsyncIterable<Named>, personas?: Personas) {
  for await (const [name, conversation] of all) yield [name, toFileMessages(conversation, personas)] as const;
}

/** Writes one line per message: `{"user", "role", "content", "at"?}`, with the time in ISO 8601. */
async function* printLines(all: AsyncIterable<Named>, personas?: Personas): AsyncGenerator<string> {
  for await (const [user, conversation] of all) {
    const messages = toFileMessages(conversation, personas);
    const offset = messages.length - conversation.messages.length;
    for (const [index, message] of messages.entries()) {
      const at = conversation.messages[index - offset]?.at;
      const time = at === undefined ? {} : { at: new Date(at).toISOString() };
      yield `${harmlessJson(JSON.stringify({ user, ...message, ...time }))}\n`;
    }
  }
}

/** Writes each message below a heading with its author, without characters that control a terminal. */
async function* printMarkdown(all: AsyncIterable<Named>, personas?: Personas): AsyncGenerator<string> {
  let gap = "";
  for await (const [name, conversation] of all) {
    yield `${gap}# ${inHeading(conversation.title ?? name)}\n`;
    for (const { role, content: raw } of toFileMessages(conversation, personas)) {
      const content = harmless(raw);
      yield `\n## ${role === "user" ? inHeading(name) : HEADINGS[role]}\n\n${content}${closingFence(content)}\n`;
    }
    gap = "\n";
  }
}

const HEADINGS = { system: "System", assistant: "Assistant" } as const;

/** Escapes a name, so that no markup in it takes effect. */
function inHeading(name: string): string {
  return oneLine(name)
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>#|~$]/g, "\\$&");
}
