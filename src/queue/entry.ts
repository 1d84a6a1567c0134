import { z } from "zod";
import type { Address, ChatEvent } from "../event.ts";
import { type Upgrade, upgrade } from "../store/versions.ts";

/** An event in the queue, as it is stored. */
export interface QueueEntry {
  /** Larger than the numbers of all earlier entries. */
  readonly number: number;
  readonly event: ChatEvent;
  /** How many attempts to answer it were recorded. */
  readonly attempts: number;
}

/** Converts an entry from each version to the next. */
const STEPS: readonly Upgrade[] = [(entry) => ({ ...entry, attempts: 0 })];

/** The fields of an event. The compiler compares them with `ChatEvent`; further fields are kept. */
const event: z.ZodType<ChatEvent> = z.looseObject({
  id: z.string(),
  platform: z.string(),
  user: z.looseObject({
    id: z.string(),
    name: z.string().exactOptional(),
    locale: z.string().exactOptional(),
  }),
  chat: z.looseObject({
    id: z.string(),
    kind: z.enum(["direct", "group"]),
    thread: z.string().exactOptional(),
  }),
  // Only its adapter reads it, and a check of all that is in it could exhaust the stack.
  to: z.custom<Address>((found) => typeof found === "object" && found !== null && !Array.isArray(found)),
  text: z.string(),
  command: z.string().exactOptional(),
  silent: z.literal(true).exactOptional(),
  overflow: z.literal(true).exactOptional(),
  tooLong: z.number().exactOptional(),
  rewinds: z.number().exactOptional(),
  attachments: z.array(z.looseObject({ kind: z.string(), ref: z.string().exactOptional() })).exactOptional(),
  placeholder: z.string().exactOptional(),
  at: z.number(),
} satisfies Readonly<Record<keyof ChatEvent, z.ZodType>>);

const entry = z.object({ number: z.int(), event, attempts: z.int().nonnegative() });

/** Adds the version to an entry before it is stored. */
export function writeEntry(parts: QueueEntry): QueueEntry & { readonly version: number } {
  return { version: STEPS.length + 1, ...parts };
}

/** Reads an entry of any version. Returns undefined if it is invalid; throws a `StoreError` if its version is newer. */
export function readEntry(id: string, found: unknown): QueueEntry | undefined {
  const { data } = entry.safeParse(upgrade(found, STEPS, `The event ${id} in the queue`));
  return data;
}

/** Reads a stored event. Returns undefined if it is invalid. */
export function readEvent(found: unknown): ChatEvent | undefined {
  return event.safeParse(found).data;
}
