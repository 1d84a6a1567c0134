import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { type Conversation, type ConversationMessage, withSummary } from "../conversation/conversation.ts";
import { ConfigError } from "../errors.ts";
import { harmlessJson } from "../sanitize/harmless.ts";
import { inWords } from "../model/images.ts";
import { topKeys } from "./top-keys.ts";
import { writeWhole } from "./write.ts";

/** One message in `user_messages.json`. */
export interface FileMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The content of `user_messages.json`: the messages of each user, by name. */
export type UserMessages = ReadonlyMap<string, readonly FileMessage[]>;

/** The maximum size of a file, in bytes. Files are read whole, and a larger one would need too much memory. */
const MAX_FILE = 256 * 1024 * 1024;

const ROLES: readonly string[] = ["system", "user", "assistant"];

const message = z.object({ role: z.string(), content: z.string() });

/**
 * Reads a `user_messages.json`; an empty file has no users. Throws a `ConfigError` that says what is wrong, and where.
 */
export async function readUserMessages(path: string): Promise<UserMessages> {
  return parseUserMessages(await readText(path), path);
}

/** Writes a `user_messages.json` completely, then replaces the old one. */
export async function writeUserMessages(path: string, all: UserMessages): Promise<void> {
  await writeWhole(path, printUserMessages(all), { replace: true });
}

/** Writes the file one user at a time. */
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
 * Converts a conversation to the messages of a file, with the persona as system message. Without `personas` the persona
 * is left out: it belongs to the operator, not to the users.
 */
export function toFileMessages(
  { system, persona: chosen = "", summary, messages }: Conversation,
  personas?: { readonly persona: string; readonly personas: ReadonlyMap<string, string> },
): FileMessage[] {
  const persona = personas && (system ?? personas.personas.get(chosen) ?? personas.persona);
  const instructions = withSummary(persona ?? "", summary);
  const rest = messages.map((message) => ({ role: message.role, content: inWords(message) }));
  return instructions ? [{ role: "system", content: instructions }, ...rest] : rest;
}

/** Converts the messages of a file to those of a conversation; without a system message it has an empty persona. */
export function fromFileMessages(
  all: readonly FileMessage[],
  at: number,
): Required<Pick<Conversation, "messages" | "system">> {
  const [first, ...rest] = all;
  const hasSystem = first?.role === "system";
  const messages: ConversationMessage[] = (hasSystem ? rest : all).flatMap(({ role, content }) =>
    role === "system" ? [] : [{ role, content, at }],
  );
  return { system: hasSystem ? first.content : "", messages };
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE) {
      const mb = Math.round(size / 1024 / 1024);
      throw new ConfigError(
        "file",
        `${path} has ${mb} MB, but a file may have at most ${MAX_FILE / 1024 / 1024} MB: split it by users`,
      );
    }
    // Some editors on Windows write a byte order mark.
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
    throw invalid(path, 'it must be an object of users, {"user": [{"role": …, "content": …}, …]}');
  }
  const users = topKeys(text);
  const known = new Set<string>();
  const duplicate = users.find((user) => known.size === known.add(user).size);
  if (duplicate !== undefined)
    throw invalid(path, `it contains the user ${JSON.stringify(duplicate.slice(0, 100))} twice`);
  const all = new Map(Object.entries(found));
  // In the order of the file: `Object.entries` moves names that are numbers to the front.
  return new Map(users.map((user) => [user, checkUser(user, all.get(user), path)]));
}

async function parseJson(text: string, path: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    // The message of the error would show what users wrote.
    const where = await positionOfError(text);
    const isHalf = !text.trimEnd().endsWith("}");
    const why = isHalf ? "it is incomplete, as if it had been only partly written" : "it is not valid JSON";
    throw invalid(path, where ? `${why} (${where})` : why);
  }
}

/**
 * The position of a syntax error; empty if unknown. JSON is also YAML, and the YAML parser reports positions, but it is
 * too slow for large files.
 */
async function positionOfError(text: string): Promise<string> {
  if (text.length > 1_000_000) return "";
  const { parseDocument } = await import("yaml");
  const [at] = parseDocument(text, { logLevel: "silent" }).errors[0]?.linePos ?? [];
  return at ? `line ${at.line}, column ${at.col}` : "";
}

function checkUser(user: string, messages: unknown, path: string): FileMessage[] {
  const who = `user ${JSON.stringify(user.slice(0, 100))}`;
  if (!user.trim()) throw invalid(path, "a user has an empty name");
  if (!Array.isArray(messages)) throw invalid(path, `${who} must have a list of messages`);
  return messages.map((given: unknown, index) => {
    const where = `${who}, message ${index + 1}`;
    const { data } = message.safeParse(given);
    if (!data) throw invalid(path, `${where} must be {"role": …, "content": …}, both of them text`);
    const { role, content } = data;
    if (!isRole(role)) {
      throw invalid(
        path,
        `${where} has the role ${JSON.stringify(role.slice(0, 100))}; it must be one of ${ROLES.join(", ")}`,
      );
    }
    if (role === "system" && index > 0) {
      throw invalid(path, `${where} has the role "system", which only the first message can have`);
    }
    return { role, content };
  });
}

function isRole(role: string): role is FileMessage["role"] {
  return ROLES.includes(role);
}

function invalid(path: string, what: string): ConfigError {
  return new ConfigError("file", `${path} cannot be imported: ${what}. Nothing was changed.`);
}
