import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { ConfigError } from "../errors.ts";
import { type ChatEvent, conversationKey } from "../event.ts";
import { openPostgres, type Postgres } from "../postgres/pool.ts";
import { queryOn, tryLock } from "../postgres/advisory-locks.ts";
import { escaped, unescaped } from "../postgres/records.ts";
import { idOf, openInbox } from "../queue/postgres/inbox.ts";
import { openStore, type Store } from "../store/store.ts";
import {
  type End,
  entryOf,
  type Item,
  MARKER,
  PAGE,
  type Place,
  toEventItem,
  toItem,
  valueOf,
} from "./end.ts";

export interface PostgresEndOptions {
  readonly url: string;
  /** Whether an event stops what the same conversation asked before it. */
  readonly interrupts: (event: ChatEvent) => boolean;
}

/** A program that was just stopped, or killed, is gone from the database within so many ms. */
const VANISH_MS = 3_000;

/** How often it is looked meanwhile, in ms. */
const LOOK_EVERY_MS = 50;

/** So many conversations are woken at once. */
const WAKE_AT_ONCE = 8;

/** What sets the marker to the text of a parameter. */
const MARK = `insert into colloquy.records (place, key, value) values ('kept', '${MARKER}', `;
const OVER_OLD = ") on conflict (place, key) do update set value = excluded.value";

/** Opens a database as the end of a migration; rejects with a `ConfigError` if a program works on it. */
export async function openPostgresEnd({ url, interrupts }: PostgresEndOptions): Promise<End> {
  const claim = await claimDatabase(url);
  const { store, db } = await openDatabase(url).catch(async (error: unknown) => {
    await claim.release();
    throw error;
  });

  return {
    count: async (place) => {
      const [row] = await db.query<{ count: number }>(
        place === "queue"
          ? "select count(*)::float8 as count from colloquy.inbox"
          : "select count(*)::float8 as count from colloquy.records where place = $1 and key <> $2",
        place === "queue" ? [] : [place, hidden(place)],
      );
      return row?.count ?? 0;
    },
    list: (place, after) => (place === "queue" ? listQueue(db, after) : listRecords(db, place, after)),
    find: (place, keys) => (place === "queue" ? findEvents(db, keys) : findRecords(db, place, keys)),
    write: (place, items, marker) =>
      place === "queue"
        ? writeEvents(db, { items, marker, interrupts })
        : writeRecords(db, { place, items, marker }),
    marker: async () => {
      const [row] = await db.query<{ value: string }>(
        "select value from colloquy.records where place = 'kept' and key = $1",
        [MARKER],
      );
      return row && String(valueOf(row.value));
    },
    handOver: () => wakeAll(db),
    removeMarker: async () => {
      await db.query("delete from colloquy.records where place = 'kept' and key = $1", [MARKER]);
    },
    checkAlone: () => claim.check(),
    close: async () => {
      await store.close();
      await claim.release();
    },
  };
}

async function openDatabase(url: string): Promise<{ store: Store; db: Postgres }> {
  const store = await openStore(url);
  const db = store.postgres;
  try {
    if (!db) throw new Error("a postgres:// URL has opened another store");
    // Without its statistics the rest of the table would be sorted for every page, as long as it is young.
    await db.query("analyze colloquy.records");
    return { store, db };
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Claim {
  check(): Promise<void>;
  release(): Promise<void>;
}

/**
 * A lock as the programs have theirs (`postgres/session.ts`): so two migrations see each other too. It is taken before
 * anything else is connected: all older connections of the program's name are strangers'.
 */
async function claimDatabase(url: string): Promise<Claim> {
  const db = openPostgres(url);
  let client: pg.Client | undefined;
  const check = async () => {
    if (client) await waitUntilAlone(db, client);
  };
  const release = async () => {
    await client?.end().catch(() => undefined);
    await db.close();
  };
  try {
    client = await db.connect();
    await tryLock(queryOn(client), { group: "migration", name: "store" });
    await check();
    return { check, release };
  } catch (error) {
    await release();
    throw error instanceof ConfigError ? error : db.describe(error);
  }
}

/** Every program has locks of two numbers; one that only takes in events may have none, but a connection. */
const OTHERS = `
  select coalesce(string_agg(distinct coalesce(host(client_addr), 'this machine'), ', '), '') as where
  from pg_stat_activity a
  where datname = current_database() and pid <> pg_backend_pid() and (
    (application_name = 'colloquy'
      and backend_start < (select backend_start from pg_stat_activity where pid = pg_backend_pid()))
    or exists (
      select 1 from pg_locks l
      where l.pid = a.pid and l.locktype = 'advisory' and l.objsubid = 2 and l.granted
        and l.database = a.datid))`;

async function waitUntilAlone(db: Postgres, client: pg.Client): Promise<void> {
  for (const deadline = Date.now() + VANISH_MS; ; await sleep(LOOK_EVERY_MS)) {
    const { rows } = await client.query<{ where: string }>(OTHERS).catch((cause: unknown) => {
      throw db.describe(cause);
    });
    const where = rows[0]?.where;
    if (!where) return;
    if (Date.now() < deadline) continue;
    throw new ConfigError(
      "running",
      `a program works on this database, or another migration does (connected from ${where}): ` +
        "stop every process of it, and migrate again",
    );
  }
}

async function listRecords(db: Postgres, place: Place, after?: string) {
  const rows = await db.query<{ key: string; size: number }>(
    `select key, octet_length(value) as size from colloquy.records
     where place = $1 and key <> $2 ${after === undefined ? "" : "and key > $3"} order by key limit ${PAGE}`,
    [place, hidden(place), ...(after === undefined ? [] : [escaped(after)])],
  );
  return rows.map(({ key: stored, size }) => {
    const key = unescaped(stored);
    return { key, size, at: key };
  });
}

async function listQueue(db: Postgres, after = "0") {
  return db.query<{ key: string; size: number; at: string }>(
    `select id as key, octet_length(entry) as size, number::text as at from colloquy.inbox
     where number > $1 order by number limit ${PAGE}`,
    [after],
  );
}

async function findRecords(db: Postgres, place: Place, keys: readonly string[]): Promise<Map<string, Item>> {
  const rows = await db.query<{ key: string; value: string }>(
    "select key, value from colloquy.records where place = $1 and key = any($2)",
    [place, keys.map(escaped)],
  );
  return new Map(rows.map(({ key, value }) => [unescaped(key), toItem(unescaped(key), value)]));
}

async function findEvents(db: Postgres, keys: readonly string[]): Promise<Map<string, Item>> {
  const rows = await db.query<{ id: string; entry: string; number: number; attempts: number }>(
    "select id, entry, number::float8 as number, attempts from colloquy.inbox where id = any($1)",
    [keys.map(idOf)],
  );
  return new Map(rows.map(({ id, entry, ...known }) => [id, toEventItem(id, parse(entry), known)]));
}

async function writeRecords(
  db: Postgres,
  { place, items, marker }: { place: Place; items: readonly Item[]; marker: string },
): Promise<void> {
  await db.query(
    `with put as (
       insert into colloquy.records (place, key, value, revision)
       select $1, * from unnest($2::text[], $3::text[], $4::bigint[])
     ) ${MARK} $5 ${OVER_OLD}`,
    [
      place,
      items.map(({ key }) => escaped(key)),
      items.map(({ text }) => text),
      items.map(revisionOf),
      JSON.stringify({ value: marker }),
    ],
  );
}

/** Their numbers come from the table, in the order of the items; nobody is woken yet. */
async function writeEvents(
  db: Postgres,
  {
    items,
    marker,
    interrupts,
  }: { items: readonly Item[]; marker: string } & Pick<PostgresEndOptions, "interrupts">,
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

/** What makes no sense is out of the way of the others, for the eyes of people. */
function rowOf(item: Item, interrupts: (event: ChatEvent) => boolean) {
  const id = idOf(item.key);
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

/** As the inbox writes it. */
const SET_ASIDE = "set aside: ";

/** Who has waited longest is first. */
async function wakeAll(db: Postgres): Promise<void> {
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

function revisionOf({ text }: Item): number | null {
  const { revision } = (valueOf(text) ?? {}) as { revision?: unknown };
  return typeof revision === "number" && Number.isSafeInteger(revision) ? revision : null;
}

/** What is no JSON stays the text that it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The key that nobody else is to see; an escaped key is never one backslash alone. */
function hidden(place: Place): string {
  return place === "kept" ? MARKER : "\\";
}
