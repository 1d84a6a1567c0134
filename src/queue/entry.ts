import { z } from "zod";
import type { ChatEvent } from "../event.ts";
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

/** The fields that an event must have. Other fields are kept. */
const event = z.looseObject({
  id: z.string(),
  platform: z.string(),
  user: z.looseObject({ id: z.string(), name: z.string().optional(), locale: z.string().optional() }),
  chat: z.looseObject({ id: z.string(), kind: z.enum(["direct", "group"]) }),
  to: z.looseObject({}),
  text: z.string(),
  command: z.string().optional(),
  silent: z.literal(true).optional(),
  rewinds: z.number().optional(),
  attachments: z.array(z.looseObject({ kind: z.string(), ref: z.string().optional() })).optional(),
  placeholder: z.string().optional(),
  at: z.number(),
});

const entry = z.object({ number: z.int(), event, attempts: z.int().nonnegative() });

/** Adds the version to an entry before it is stored. */
export function writeEntry(parts: QueueEntry): QueueEntry & { readonly version: number } {
  return { version: STEPS.length + 1, ...parts };
}

/** Reads an entry of any version. Returns undefined if it is invalid; throws a `StoreError` if its version is newer. */
export function readEntry(id: string, found: unknown): QueueEntry | undefined {
  const { data } = entry.safeParse(upgrade(found, STEPS, `The event ${id} in the queue`));
  return data && { ...data, event: data.event as unknown as ChatEvent };
}

/** Reads a stored event. Returns undefined if it is invalid. */
export function readEvent(found: unknown): ChatEvent | undefined {
  return event.safeParse(found).data as unknown as ChatEvent | undefined;
}
