import { z } from "zod";
import { StoreError } from "../errors.ts";
import { type StoredRecord, type Upgrade, upgrade } from "../store/versions.ts";
import type { Conversation } from "./conversation.ts";

/** Converts a record from each version to the next. */
const STEPS: readonly Upgrade[] = [sendingAsReference];
const VERSION = STEPS.length + 1;

const totals = z.object({
  turns: z.number(),
  input: z.number(),
  output: z.number(),
  estimated: z.number().optional(),
  cost: z.number().optional(),
  unpriced: z.number().optional(),
});

const message = z.object({
  role: z.enum(["user", "assistant"]),
  content: z.string(),
  images: z.array(z.string()).optional(),
  at: z.number(),
});

const record = z.object({
  version: z.number(),
  key: z.string(),
  revision: z.int().nonnegative().default(0),
  messages: z.array(message),
  summary: z.string().optional(),
  title: z.string().optional(),
  persona: z.string().optional(),
  system: z.string().optional(),
  model: z.string().optional(),
  usage: totals.extend({
    days: z.record(z.string(), z.record(z.string(), totals)).default({}),
  }),
  answered: z.array(z.string()),
  outbox: z
    .object({
      event: z.string(),
      text: z.string().optional(),
      choices: z.array(z.object({ label: z.string(), command: z.string(), text: z.string() })).optional(),
      shown: z.array(z.object({ ref: z.string(), digest: z.string() })),
      sending: z.string().optional(),
    })
    .optional(),
  last: z.string().optional(),
  apologised: z.number().optional(),
});

/** Reads a stored conversation of any version. Throws a `StoreError` if it is invalid or a newer program wrote it. */
export function readRecord(key: string, found: unknown): Conversation {
  const parsed = record.safeParse(upgrade(found, STEPS, `The stored conversation ${key}`));
  if (parsed.success) return parsed.data;
  throw new StoreError(
    "record",
    `The stored conversation ${key} is invalid (${z.prettifyError(parsed.error)}). ` +
      "It was left unchanged. Restore it from a backup, or delete it.",
  );
}

/** Adds the version to a conversation before it is stored. */
export function writeRecord(conversation: Conversation): StoredRecord {
  return { version: VERSION, ...conversation };
}

/** Version 1 stored only whether a message was being sent, as a boolean. */
function sendingAsReference(stored: StoredRecord): StoredRecord {
  const { outbox } = stored;
  if (typeof outbox !== "object" || outbox === null) return stored;
  const { sending, ...rest } = outbox as { readonly sending?: unknown };
  return { ...stored, outbox: { ...rest, ...(sending === true && { sending: "" }) } };
}
