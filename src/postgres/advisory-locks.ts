import type pg from "pg";

/**
 * The name of an advisory lock. PostgreSQL releases such a lock when the connection that has it ends, so it also shows
 * whether a process is alive. See https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS.
 *
 * A key is either two 32-bit numbers or one 64-bit number, and the two kinds never collide. Locks with a `group` have two
 * numbers, so that the locks of a group can be listed. All versions of the program must compute the same numbers.
 */
export type LockKey =
  | { readonly group: string; readonly name: string }
  | { readonly record: string }
  | { readonly number: number };

/** Runs a statement on one connection and returns its rows. */
export type Query = <Row extends object>(sql: string, values: readonly unknown[]) => Promise<Row[]>;

/** Runs statements on a client. */
export function queryOn(client: pg.ClientBase): Query {
  return async <Row extends object>(sql: string, values: readonly unknown[]) =>
    (await client.query<Row>(sql, [...values])).rows;
}

/** Acquires a lock for this connection if no other connection has it. Returns whether it did. */
export async function tryLock(query: Query, key: LockKey): Promise<boolean> {
  const { sql, values } = argumentsOf(key);
  const [row] = await query<{ locked: boolean }>(`select pg_try_advisory_lock(${sql}) as locked`, values);
  return row?.locked ?? false;
}

/** Waits until it has acquired a lock for this connection. */
export async function waitForLock(query: Query, key: LockKey): Promise<void> {
  const { sql, values } = argumentsOf(key);
  await query(`select pg_advisory_lock(${sql})`, values);
}

/** Releases a lock that this connection has. */
export async function unlock(query: Query, key: LockKey): Promise<void> {
  const { sql, values } = argumentsOf(key);
  await query(`select pg_advisory_unlock(${sql})`, values);
}

/** Counts the locks of each group that are held by any connection. */
export async function countLocks(
  query: Query,
  groups: readonly string[],
): Promise<{ group: string; count: number }[]> {
  return query(
    `select name as group, (
       select count(*)::int from pg_locks l where ${HELD} and l.classid = hashtext(name)::oid
     ) as count from unnest($1::text[]) name`,
    [groups],
  );
}

/** Returns the names in a group whose locks no connection has. */
export async function findUnlocked(query: Query, group: string, names: readonly string[]): Promise<string[]> {
  const rows = await query<{ name: string }>(
    `select name from unnest($2::text[]) name where not exists (
       select 1 from pg_locks l
       where ${HELD} and l.classid = hashtext($1)::oid and l.objid = hashtext(name)::oid)`,
    [group, names],
  );
  return rows.map(({ name }) => name);
}

/** Selects the advisory locks with two numbers (`objsubid` is 2) that are held in this database. */
const HELD = `l.locktype = 'advisory' and l.objsubid = 2 and l.granted
  and l.database = (select oid from pg_database where datname = current_database())`;

function argumentsOf(key: LockKey): { sql: string; values: readonly unknown[] } {
  if ("group" in key) return { sql: "hashtext($1), hashtext($2)", values: [key.group, key.name] };
  if ("record" in key) return { sql: "hashtextextended($1, 0)", values: [`colloquy ${key.record}`] };
  return { sql: "$1", values: [key.number] };
}
