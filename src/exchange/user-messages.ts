import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { type Conversation, type ConversationMessage, withSummary } from "../conversation/conversation.ts";
import { ConfigError } from "../errors.ts";
import { harmlessJson } from "../sanitize/harmless.ts";
import { inWords } from "../model/images.ts";
import { topKeys } from "./top-keys.ts";
import { writeWhole } from "./write.ts";

/** One message as `user_messages.json` has it. */
export interface FileMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What `user_messages.json` holds: the messages of each user, by name. */
export type UserMessages = ReadonlyMap<string, readonly FileMessage[]>;

/** A file is read whole: a larger one would take more memory than many machines have, in bytes. */
const MAX_FILE = 256 * 1024 * 1024;

const ROLES: readonly string[] = ["system", "user", "assistant"];

const message = z.object({ role: z.string(), content: z.string() });

/**
 * Reads a `user_messages.json`; an empty file holds nobody. Throws a `ConfigError` that says what is wrong with it, and
 * where.
 */
export async function readUserMessages(path: string): Promise<UserMessages> {
  return parseUserMessages(await readText(path), path);
}

/** Replaces the file once all of it is written. */
export async function writeUserMessages(path: string, all: UserMessages): Promise<void> {
  await writeWhole(path, printUserMessages(all), { replace: true });
}

/** The file, a user at a time. */
export async function* printUserMessages(
  all:
    | Iterable<readonly [string, readonly FileMessage[]]>
    | AsyncIterable<readonly [string, readonly FileMessage[]]>,
): AsyncGenerator<string> {
  let before = "{\n";
  for await (const [user, messages] of all) {
    const list = JSON.stringify(messages, undefined, 2).replace(/\n/g, "\n  ");
    yield harmlessJson(`${before}  ${JSON.stringify(user)}: ${list}`);
    before = ",\n";
  }
  yield before === "{\n" ? "{}\n" : "\n}\n";
}

/**
 * A conversation as the file has it: what the model was told about itself, and what was said. Without `personas` the
 * former is left out: it is the operator's, not of those who talk to the model.
 */
export function toFileMessages(
  { system, persona: chosen = "", summary, messages }: Conversation,
  personas?: { readonly persona: string; readonly personas: ReadonlyMap<string, string> },
): FileMessage[] {
  const persona = personas && (system ?? personas.personas.get(chosen) ?? personas.persona);
  const told = withSummary(persona ?? "", summary);
  const said = messages.map((message) => ({ role: message.role, content: inWords(message) }));
  return told ? [{ role: "system", content: told }, ...said] : said;
}

/** What of a conversation stands in the file; without a system message the model is told nothing about itself. */
export function fromFileMessages(
  all: readonly FileMessage[],
  at: number,
): Required<Pick<Conversation, "messages" | "system">> {
  const [first, ...rest] = all;
  const isTold = first?.role === "system";
  const said: ConversationMessage[] = (isTold ? rest : all).flatMap(({ role, content }) =>
    role === "system" ? [] : [{ role, content, at }],
  );
  return { system: isTold ? first.content : "", messages: said };
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE) {
      const mb = Math.round(size / 1024 / 1024);
      throw new ConfigError(
        "file",
        `${path} has ${mb} MB, and at most ${MAX_FILE / 1024 / 1024} MB are read at once: split it by users`,
      );
    }
    // Some editors of Windows put the mark in front.
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const missing = (cause as { code?: string }).code === "ENOENT";
    throw new ConfigError("file", missing ? `There is no file ${path}` : `${path} cannot be read`, { cause });
  }
}

async function parseUserMessages(text: string, path: string): Promise<UserMessages> {
  if (!text.trim()) return new Map();
  const found = await parseJson(text, path);
  if (typeof found !== "object" || found === null || Array.isArray(found)) {
    throw wrong(path, 'it must be an object of users, {"user": [{"role": …, "content": …}, …]}');
  }
  const users = topKeys(text);
  const known = new Set<string>();
  const twice = users.find((user) => known.size === known.add(user).size);
  if (twice !== undefined)
    throw wrong(path, `the user ${JSON.stringify(twice.slice(0, 100))} stands in it twice`);
  const all = new Map(Object.entries(found));
  // In the order of the file, which `Object.entries` changes for names that are numbers.
  return new Map(users.map((user) => [user, checkUser(user, all.get(user), path)]));
}

async function parseJson(text: string, path: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    // The error's message would show what people have said.
    const where = await placeOfError(text);
    const isHalf = !text.trimEnd().endsWith("}");
    const why = isHalf
      ? "it breaks off before its end, as a file that was written only by half"
      : "it is no JSON";
    throw wrong(path, where ? `${why} (${where})` : why);
  }
}

/** JSON is YAML, whose parser tells the place; it is too slow for what is large. Empty if it finds nothing wrong. */
async function placeOfError(text: string): Promise<string> {
  if (text.length > 1_000_000) return "";
  const { parseDocument } = await import("yaml");
  const [at] = parseDocument(text, { logLevel: "silent" }).errors[0]?.linePos ?? [];
  return at ? `line ${at.line}, column ${at.col}` : "";
}

function checkUser(user: string, messages: unknown, path: string): FileMessage[] {
  const who = `user ${JSON.stringify(user.slice(0, 100))}`;
  if (!user.trim()) throw wrong(path, "a user has an empty name");
  if (!Array.isArray(messages)) throw wrong(path, `${who} must have a list of messages`);
  return messages.map((given: unknown, index) => {
    const where = `${who}, message ${index + 1}`;
    const { data } = message.safeParse(given);
    if (!data) throw wrong(path, `${where} must be {"role": …, "content": …}, both of them text`);
    const { role, content } = data;
    if (!isRole(role)) {
      throw wrong(
        path,
        `${where} has the role ${JSON.stringify(role.slice(0, 100))}; known are ${ROLES.join(", ")}`,
      );
    }
    if (role === "system" && index > 0) {
      throw wrong(path, `${where} has the role "system", which only the first message can have`);
    }
    return { role, content };
  });
}

function isRole(role: string): role is FileMessage["role"] {
  return ROLES.includes(role);
}

function wrong(path: string, what: string): ConfigError {
  return new ConfigError("file", `${path} cannot be taken: ${what}. Nothing was changed.`);
}
