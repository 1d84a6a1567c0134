import { runMigrations } from "graphile-worker";
import type pg from "pg";
import { StoreError } from "../errors.ts";
import { queryOn, waitForLock } from "./advisory-locks.ts";
import { openPostgres, type Postgres } from "./pool.ts";

/** A step from one version of the tables to the next. */
interface Migration {
  readonly sql: string;
  /**
   * Set if older programs cannot use the tables after this step. Without it, a rolling upgrade is possible, in which old
   * and new processes run side by side; such a step may only add what older programs ignore.
   */
  readonly breaks?: true;
}

/** All steps from an empty database to the newest version. A released step is never changed. */
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
  // Finds keys by prefix, whatever the collation of the database.
  { sql: "create index records_prefix on colloquy.records (place, key text_pattern_ops);" },
];

/** Held while the tables are created, because several processes may start at once. The number is arbitrary but fixed. */
const MIGRATION_LOCK = { number: 67_111_108 };

/**
 * Opens the database of a `postgres://` URL and migrates its tables to the newest version. Rejects if a newer program
 * has changed them so that this one cannot use them.
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
    await waitForLock(queryOn(client), MIGRATION_LOCK);
    await client.query("create schema if not exists colloquy");
    await client.query(
      "create table if not exists colloquy.version (number int not null, least int not null)",
    );
    await runSteps(client);
    await runMigrations({ pgPool: db.pool });
  } catch (cause) {
    throw db.describe(cause);
  } finally {
    // The lock is released when the connection ends.
    await client.end().catch(() => undefined);
  }
}

async function runSteps(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: number; least: number }>(
    "select number, least from colloquy.version",
  );
  const { number, least } = rows[0] ?? { number: 0, least: 0 };
  const newest = MIGRATIONS.length;
  if (least > newest) {
    throw new StoreError(
      "version",
      `The tables of the store (STORE_URL) have version ${number}, but this program supports at most version ` +
        `${newest}. They were left unchanged. Run the newer program that created them.`,
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
