import { readButtons, type SimulatedButton } from "./components.ts";
import type { AllowedMentions } from "../mentions.ts";
import { invalidForm, refusals } from "./refusal.ts";

/** A request's body: the JSON, and the files of multipart/form-data. */
export interface Body {
  readonly json: Record<string, unknown>;
  readonly files: readonly SentFile[];
}

/** A file that the bot sent. */
export interface SentFile {
  readonly name: string;
  readonly text: string;
  readonly bytes: number;
}

/** The validated fields of a message that the simulator supports. */
export interface MessageBody {
  readonly content: string | undefined;
  readonly flags: number;
  readonly nonce: string | undefined;
  readonly enforceNonce: boolean;
  readonly mentions: AllowedMentions | undefined;
  readonly embeds: number;
  readonly files: readonly SentFile[];
  /** Undefined leaves the present ones in place. */
  readonly buttons: readonly SimulatedButton[] | undefined;
  /** The ids of the attachments that an edit keeps; undefined keeps all. */
  readonly kept: readonly string[] | undefined;
}

/** In code points (Discord's staff in discord-api-docs #1315). */
const MAX_CONTENT_LENGTH = 2000;
/** API docs, "Create Message". */
const MAX_NONCE_LENGTH = 25;
const MAX_EMBEDS = 10;
const MAX_FILES = 10;
/** In bytes (API reference, "Uploading Files"). */
const MAX_REQUEST_BYTES = 25 * 1024 * 1024;

/** Reads a request's body as JSON or multipart/form-data; a missing body is an empty object. */
export async function readBody(request: Request): Promise<Body> {
  const type = request.headers.get("content-type") ?? "";
  if (type.startsWith("multipart/form-data")) return readForm(await request.formData());
  const text = await request.text();
  if (!text) return { json: {}, files: [] };
  return { json: parse(text), files: [] };
}

async function readForm(form: FormData): Promise<Body> {
  const files: SentFile[] = [];
  for (const [key, value] of form) {
    if (typeof value === "string" || !/^files\[\d+\]$/.test(key)) continue;
    files.push({ name: value.name, text: await value.text(), bytes: value.size });
  }
  const payload = form.get("payload_json");
  return { json: typeof payload === "string" ? parse(payload) : {}, files };
}

/** Refuses files of more than `maxFileBytes`, and requests of more than 25 MiB. */
export function checkSizes({ files }: Body, length: number, maxFileBytes: number): void {
  if (length > MAX_REQUEST_BYTES || files.some(({ bytes }) => bytes > maxFileBytes))
    throw refusals.tooLarge();
}

function parse(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    // A bulk overwrite sends an array, which gets a name of its own.
    if (Array.isArray(json)) return { list: json };
    if (typeof json === "object" && json !== null) return { ...json };
  } catch {
    // Refused below, like everything that is not an object.
  }
  throw refusals.badJson();
}

/** Validates the fields of a message as "Create Message" and "Edit Message" do. */
export function readMessage({ json, files }: Body): MessageBody {
  const embeds = Array.isArray(json.embeds) ? json.embeds.length : 0;
  if (embeds > MAX_EMBEDS) throw tooLong("embeds", MAX_EMBEDS);
  if (files.length > MAX_FILES) throw tooLong("attachments", MAX_FILES);
  return {
    content: readContent(json.content),
    flags: typeof json.flags === "number" ? json.flags : 0,
    nonce: readNonce(json.nonce),
    enforceNonce: json.enforce_nonce === true,
    mentions: readMentions(json.allowed_mentions),
    embeds,
    files,
    buttons: readButtons(json.components),
    kept: readKept(json.attachments),
  };
}

function readKept(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.map((part: unknown) =>
    typeof part === "object" && part !== null && "id" in part ? String(part.id) : "",
  );
}

function readContent(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string")
    throw invalidForm("content", "STRING_TYPE_CONVERT", "Could not interpret the value as string.");
  const content = value.trim();
  if (codePoints(content) > MAX_CONTENT_LENGTH) throw tooLong("content", MAX_CONTENT_LENGTH);
  return content;
}

function readNonce(value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  if (String(value).length > MAX_NONCE_LENGTH) throw tooLong("nonce", MAX_NONCE_LENGTH);
  return String(value);
}

function readMentions(value: unknown): AllowedMentions | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields: Record<string, unknown> = { ...value };
  const list = (field: unknown) => (Array.isArray(field) ? field.map(String) : []);
  const mentions = { parse: list(fields.parse), users: list(fields.users), roles: list(fields.roles) };
  for (const kind of ["users", "roles"] as const) {
    if (!mentions.parse.includes(kind) || mentions[kind].length === 0) continue;
    throw invalidForm(
      "allowed_mentions",
      "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
      `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`,
    );
  }
  return mentions;
}

function tooLong(field: string, limit: number) {
  return invalidForm(field, "BASE_TYPE_MAX_LENGTH", `Must be ${limit} or fewer in length.`);
}

/** The length of a text as Discord counts it. */
export function codePoints(text: string): number {
  return Array.from(text).length;
}
