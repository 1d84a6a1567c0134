import { runMigrations } from "graphile-worker";
import type pg from "pg";
import { StoreError } from "../errors.ts";
import { openPostgres, type Postgres } from "./pool.ts";

/** One step from a version of the tables to the next. */
interface Migration {
  readonly sql: string;
  /**
   * Programs of before cannot work with the tables any more. Without it a rolling upgrade goes on: old and new
   * processes work side by side, so that a step only adds what the old ones do not look at.
   */
  readonly breaks?: true;
}

/** What brings an empty database to the newest version; what has been released here is never changed. */
const MIGRATIONS: readonly Migration[] = [
  {
    sql: `
      create table colloquy.records (
        place text not null,
        key text not null,
        value text not null,
        revision bigint,
        primary key (place, key)
      ) with (fillfactor = 80);
      create table colloquy.inbox (
        number bigint generated always as identity primary key,
        id text not null unique,
        conversation text not null,
        entry text not null,
        overflow boolean not null,
        interrupted boolean not null default false,
        attempts int not null default 0,
        failures int not null default 0
      );
      create table colloquy.paces (key text primary key, points int not null default 0, expire bigint);
      create index inbox_conversation on colloquy.inbox (conversation, number);
    `,
  },
  // Whose keys begin alike are found without the others, whatever the database's way of sorting.
  { sql: "create index records_prefix on colloquy.records (place, key text_pattern_ops);" },
];

/** Several processes may start at the same time: one of them makes the tables. An arbitrary number, but always this. */
const MIGRATION_LOCK = 67_111_108;

/**
 * Opens the database of a `postgres://` URL and brings its tables to the newest version. Rejects if a newer program
 * has made them such that this one cannot use them.
 */
export async function openTables(url: string): Promise<Postgres> {
  const db = openPostgres(url);
  try {
    await migrate(db);
    return db;
  } catch (error) {
    await db.close().catch(() => undefined);
    throw error;
  }
}

async function migrate(db: Postgres): Promise<void> {
  const client = await db.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await client.query("create schema if not exists colloquy");
    await client.query(
      "create table if not exists colloquy.version (number int not null, least int not null)",
    );
    await climb(client);
    await runMigrations({ pgPool: db.pool });
  } catch (cause) {
    throw db.describe(cause);
  } finally {
    // The end of the connection releases the lock.
    await client.end().catch(() => undefined);
  }
}

async function climb(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: number; least: number }>(
    "select number, least from colloquy.version",
  );
  const { number, least } = rows[0] ?? { number: 0, least: 0 };
  const newest = MIGRATIONS.length;
  if (least > newest) {
    throw new StoreError(
      "version",
      `The tables of the store (STORE_URL) are of version ${number}, and this program knows ${newest} at most. ` +
        "They were left untouched. Run the newer program that has made them.",
    );
  }
  if (number >= newest) return;
  const steps = MIGRATIONS.slice(number);
  const breaking = steps.findLastIndex(({ breaks }) => breaks);
  await client.query("begin");
  for (const { sql } of steps) await client.query(sql);
  await client.query("delete from colloquy.version");
  await client.query("insert into colloquy.version values ($1, $2)", [
    newest,
    breaking < 0 ? least : number + breaking + 1,
  ]);
  await client.query("commit");
}
