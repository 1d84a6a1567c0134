import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { getTdjson } from "prebuilt-tdlib";
import { z } from "zod";

/** Formatting as the Bot API writes it. */
export interface Entity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly language?: string;
}

/** A text with its formatting, as a request gives it or as Telegram leaves it. */
export interface Formatted {
  readonly text: string;
  readonly entities: readonly Entity[];
}

/** What Telegram says against a text. */
export interface Refused {
  readonly refused: string;
}

/** Telegram's own code, as far as it answers without a connection. */
export interface Tdlib {
  /** Texts as TDLib's fix_formatted_text leaves them, but not trimmed; nothing is looked for in them. */
  fix(texts: readonly Formatted[]): Promise<(Formatted | Refused)[]>;
  /** What TDLib finds by itself in texts, as it does in every message, by its names: `Mention`, `Url`, … */
  find(texts: readonly string[]): Promise<Entity[][]>;
  stop(): void;
}

/** Why TDLib cannot be asked on this machine; undefined if it can. */
export function whyNoTdlib(): string | undefined {
  try {
    getTdjson();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const CHILD = new URL("./tdlib-child.ts", import.meta.url);

/** Starts TDLib in a process of its own. */
export function startTdlib(): Tdlib {
  const child = spawn(process.execPath, ["--import", "tsx", fileURLToPath(CHILD), getTdjson()], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ask = asker(child);
  return {
    fix: async (texts) => {
      const bare = await ask(texts.map((text) => toMarkdown(text)));
      const kept = await ask(
        texts.map(({ text, entities }) => toMarkdown({ text: text + STOPPER, entities })),
      );
      return bare.map((answer, index) => {
        if (answer["@type"] === "error") return { refused: answer.message };
        return withoutStopper(toFormatted(kept[index]));
      });
    },
    find: async (texts) => {
      const answers = await ask(texts.map((text) => ({ "@type": "getTextEntities", text })));
      return answers.map((answer) => (answer["@type"] === "error" ? [] : toEntities(answer.entities)));
    },
    // At a normal exit the library can crash.
    stop: () => child.kill("SIGKILL"),
  };
}

const Entities = z.array(
  z.object({
    offset: z.int(),
    length: z.int(),
    type: z.object({
      "@type": z.string(),
      url: z.string().optional(),
      language: z.string().optional(),
    }),
  }),
);
const Answer = z.discriminatedUnion("@type", [
  z.object({ "@type": z.literal("error"), message: z.string() }),
  z.object({ "@type": z.literal("formattedText"), text: z.string(), entities: Entities }),
  z.object({ "@type": z.literal("textEntities"), entities: Entities }),
]);
type Answer = z.infer<typeof Answer>;

type Ask = (requests: readonly object[]) => Promise<Answer[]>;

function asker(child: ChildProcess): Ask {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error("TDLib's process has no pipes");
  // That the process has ended is told by the answer that does not come.
  stdin.on("error", () => {});
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const next = async (requests: readonly object[]) => {
    stdin.write(`${JSON.stringify(requests)}\n`);
    const { done, value } = await lines.next();
    if (done) throw new Error(`TDLib has ended over one of ${JSON.stringify(requests)}`);
    return z.array(Answer).parse(JSON.parse(value));
  };
  // One question at a time: the lines do not say what they answer.
  let last: Promise<unknown> = Promise.resolve();
  return (requests) => {
    const answer = last.then(() => next(requests));
    last = answer.catch(() => undefined);
    return answer;
  };
}

/**
 * `getMarkdownText` fixes what it is given, as for a message, and writes it as Markdown; if that cannot be read back,
 * as here, where there are marks that mark nothing, it gives the fixed text itself.
 */
const STOPPER = "\n**x** __x__ `x`";

function toMarkdown({ text, entities }: Formatted): object {
  const given = entities.map(({ offset, length, ...kind }) => ({ offset, length, type: toType(kind) }));
  return { "@type": "getMarkdownText", text: { "@type": "formattedText", text, entities: given } };
}

const TYPES: Readonly<Record<string, string>> = {
  bold: "Bold",
  italic: "Italic",
  underline: "Underline",
  strikethrough: "Strikethrough",
  spoiler: "Spoiler",
  code: "Code",
  pre: "Pre",
  text_link: "TextUrl",
  text_mention: "MentionName",
  blockquote: "BlockQuote",
  expandable_blockquote: "ExpandableBlockQuote",
};

const NAMES = new Map([
  ...Object.entries(TYPES).map(([name, type]) => [type, name] as const),
  ["PreCode", "pre"],
]);

function toType({ type, url, language }: Omit<Entity, "offset" | "length">): object {
  const name = TYPES[type];
  if (!name) throw new Error(`TDLib is asked for an entity that it does not know: ${type}`);
  if (language) return { "@type": "textEntityTypePreCode", language };
  return { "@type": `textEntityType${name}`, ...(url !== undefined && { url }) };
}

function toFormatted(answer: Answer | undefined): Formatted {
  if (answer?.["@type"] !== "formattedText")
    throw new Error(`TDLib refuses: ${answer?.["@type"] === "error" ? answer.message : "no text"}`);
  return { text: answer.text, entities: toEntities(answer.entities) };
}

function toEntities(entities: z.infer<typeof Entities>): Entity[] {
  return entities.map(({ offset, length, type: { "@type": type, url, language } }) => ({
    type: NAMES.get(type.replace("textEntityType", "")) ?? type.replace("textEntityType", ""),
    offset,
    length,
    ...(url !== undefined && { url }),
    ...(language && { language }),
  }));
}

function withoutStopper({ text, entities }: Formatted): Formatted {
  if (!text.endsWith(STOPPER))
    throw new Error(`TDLib has not left the text as it is: ${JSON.stringify(text)}`);
  return { text: text.slice(0, -STOPPER.length), entities };
}
