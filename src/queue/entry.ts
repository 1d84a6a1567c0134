import { z } from "zod";
import type { ChatEvent } from "../event.ts";
import { type Upgrade, upgrade } from "../store/versions.ts";

/** What stands in the journal. */
export interface Entry {
  /** Larger than those of all entries before it. */
  readonly number: number;
  readonly event: ChatEvent;
  /** How often the work on it was begun, as far as that is written. */
  readonly attempts: number;
}

/** From each version of an entry to the next. */
const STEPS: readonly Upgrade[] = [(entry) => ({ ...entry, attempts: 0 })];

/** What an event has; whatever else it has is kept. */
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

/** An entry as it is written. */
export function writeEntry(parts: Entry): Entry & { readonly version: number } {
  return { version: STEPS.length + 1, ...parts };
}

/** An entry of any version; undefined if it makes no sense. Throws a `StoreError` if it is of a newer version. */
export function readEntry(id: string, found: unknown): Entry | undefined {
  const { data } = entry.safeParse(upgrade(found, STEPS, `The event ${id} in the queue`));
  return data && { ...data, event: data.event as unknown as ChatEvent };
}

/** An event as it was stored; undefined if it makes no sense. */
export function readEvent(found: unknown): ChatEvent | undefined {
  return event.safeParse(found).data as unknown as ChatEvent | undefined;
}
