import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { ConfigError } from "../../errors.ts";
import { queryOn, tryLock } from "../../postgres/advisory-locks.ts";
import { openPostgres, type Postgres } from "../../postgres/pool.ts";

/** How long the connections of a program that was stopped or killed may remain in the database, in ms. */
const VANISH_MS = 3_000;

/** How often to check for them, in ms. */
const CHECK_EVERY_MS = 50;

/** Exclusive use of a database. */
export interface Claim {
  /** Rejects with a `ConfigError` if another process uses the database all the same. */
  check(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes an advisory lock, as programs do (`postgres/session.ts`), so that two migrations also see each other. It is taken
 * before anything else connects: every older connection with the name of the program belongs to another process.
 */
export async function claimDatabase(url: string): Promise<Claim> {
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

/** Every program holds locks with two keys; one that only receives events may hold none, but has a connection. */
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
  for (const deadline = Date.now() + VANISH_MS; ; await sleep(CHECK_EVERY_MS)) {
    const { rows } = await client.query<{ where: string }>(OTHERS).catch((cause: unknown) => {
      throw db.describe(cause);
    });
    const where = rows[0]?.where;
    if (!where) return;
    if (Date.now() < deadline) continue;
    throw new ConfigError(
      "running",
      `a program or another migration uses this database (connected from ${where}): ` +
        "stop all its processes, and migrate again",
    );
  }
}
