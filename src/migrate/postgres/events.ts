import { type ChatEvent, conversationKey } from "../../event.ts";
import type { Postgres } from "../../postgres/pool.ts";
import { eventIdOf, openInbox } from "../../queue/postgres/inbox.ts";
import { entryOf, type Item, PAGE, toEventItem, valueOf } from "../end.ts";
import { MARK, OVER_OLD } from "./records.ts";

/** How many conversations are woken at once. */
const WAKE_AT_ONCE = 8;

export async function listQueue(db: Postgres, after = "0") {
  return db.query<{ key: string; size: number; at: string }>(
    `select id as key, octet_length(entry) as size, number::text as at from colloquy.inbox
     where number > $1 order by number limit ${PAGE}`,
    [after],
  );
}

export async function findEvents(db: Postgres, keys: readonly string[]): Promise<Map<string, Item>> {
  const rows = await db.query<{ id: string; entry: string; number: number; attempts: number }>(
    "select id, entry, number::float8 as number, attempts from colloquy.inbox where id = any($1)",
    [keys.map(eventIdOf)],
  );
  return new Map(rows.map(({ id, entry, ...known }) => [id, toEventItem(id, parse(entry), known)]));
}

/** Parses JSON; any other text is returned as it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Writes events, which get their numbers from the table in the order of the items. No conversation is woken yet. */
export async function writeEvents(
  db: Postgres,
  {
    items,
    marker,
    interrupts,
  }: { items: readonly Item[]; marker: string; interrupts: (event: ChatEvent) => boolean },
): Promise<void> {
  const rows = items.map((item) => rowOf(item, interrupts));
  const last = new Map(
    rows.map(({ conversation, interrupts }, index) => [interrupts ? conversation : "", index]),
  );
  await db.query(
    `with put as (
       insert into colloquy.inbox (id, conversation, entry, overflow, interrupted, attempts)
       select id, conversation, entry, overflow, interrupted, attempts
       from unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::bool[], $6::int[])
         with ordinality as item (id, conversation, entry, overflow, interrupted, attempts, index)
       order by index
     ), stopped as (
       update colloquy.inbox set interrupted = true where conversation = any($7)
     ) ${MARK} $8 ${OVER_OLD}`,
    [
      rows.map(({ id }) => id),
      rows.map(({ conversation }) => conversation),
      rows.map(({ entry }) => entry),
      rows.map(({ overflow }) => overflow),
      rows.map(({ conversation }, index) => index < (last.get(conversation) ?? 0)),
      rows.map(({ attempts }) => attempts),
      [...last.keys()].filter(Boolean),
      JSON.stringify({ value: marker }),
    ],
  );
}

/**
 * The row of an event; an invalid one is set aside, so that it does not block others and the operator can inspect it.
 */
function rowOf(item: Item, interrupts: (event: ChatEvent) => boolean) {
  const id = eventIdOf(item.key);
  const entry = JSON.stringify(valueOf(item.text));
  const read = entryOf(item);
  if (!read)
    return { id, entry, conversation: `${SET_ASIDE}${id}`, overflow: false, interrupts: false, attempts: 0 };
  const { event, attempts } = read;
  const overflow = event.overflow === true;
  return {
    id,
    entry,
    conversation: conversationKey(event),
    overflow,
    interrupts: !overflow && interrupts(event),
    attempts,
  };
}

/** The prefix that the inbox uses for the conversations of invalid events. */
const SET_ASIDE = "set aside: ";

/** Wakes all conversations, the one that has waited longest first. */
export async function wakeAll(db: Postgres): Promise<void> {
  const inbox = openInbox(db);
  const rows = await db.query<{ conversation: string }>(
    `select conversation from colloquy.inbox where not starts_with(conversation, $1)
     group by conversation order by min(number)`,
    [SET_ASIDE],
  );
  for (let first = 0; first < rows.length; first += WAKE_AT_ONCE) {
    const some = rows.slice(first, first + WAKE_AT_ONCE);
    await Promise.all(some.map(({ conversation }) => inbox.wake(conversation)));
  }
}
