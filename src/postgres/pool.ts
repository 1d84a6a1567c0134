import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { ConfigError, type StoreError } from "../errors.ts";
import { isTransientError, toPostgresError } from "./errors.ts";
import { type BackOff, backOff } from "../system/back-off.ts";

/** A PostgreSQL database. Failures reject with a `StoreError` that says what to do. */
export interface Postgres {
  /**
   * Runs one statement and returns its rows. The statement is repeated for a while if the connection breaks or the
   * server is starting, so it must be safe to run twice.
   */
  query<Row extends object = object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Opens a connection outside the pool; the caller ends it. */
  connect(): Promise<pg.Client>;
  /** The connections that all statements share, for libraries that need a pool. */
  readonly pool: pg.Pool;
  /**
   * Opens a separate pool, for a library that must not wait for other statements or that must be cut off. `close()`
   * ends it if it is still open.
   */
  openSeparatePool(connections: number): SeparatePool;
  /** Turns a failure into an error that says what to do. */
  describe(cause: unknown): StoreError;
  close(): Promise<void>;
}

/** A pool in addition to the shared one. */
export interface SeparatePool {
  readonly pool: pg.Pool;
  /** Safe to call twice. */
  end(): Promise<void>;
}

/**
 * The maximum number of connections, in addition to the session's. A statement takes about a millisecond, and
 * PostgreSQL accepts 100 connections by default.
 */
const MAX_CONNECTIONS = 10;

/** How long connecting may take, in ms. */
const CONNECT_TIMEOUT_MS = 5_000;

/** A connection that does not answer within this time, in ms, counts as dead. */
const ANSWER_TIMEOUT_MS = 15_000;

/** How long to repeat a statement, in ms. A server restarts within this time, and no user notices. */
const RETRY_FOR_MS = 20_000;

/** The pauses between attempts. */
const BACK_OFF: BackOff = { firstMs: 50, maxMs: 1_000 };

/** How long `close()` waits for the server, in ms. A server that cannot be reached does not answer. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Opens the database of a `postgres://` URL. It connects with the first statement. */
export function openPostgres(url: string): Postgres {
  const options = {
    ...readUrl(url),
    application_name: "colloquy",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
  };
  const separatePools = new Set<SeparatePool>();
  const pool = openPool(MAX_CONNECTIONS);
  const where = `The store ${options.host}/${options.database} (STORE_URL)`;
  let closed: Promise<void> | undefined;

  return {
    pool,
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) => {
      const deadline = Date.now() + RETRY_FOR_MS;
      for (let failures = 1; ; failures += 1) {
        const pauseMs = backOff(failures, BACK_OFF);
        try {
          return (await pool.query<Row>(sql, [...values])).rows;
        } catch (cause) {
          if (closed || !isTransientError(cause) || Date.now() + pauseMs > deadline)
            throw toPostgresError(where, cause);
          await sleep(pauseMs);
        }
      }
    },
    connect: async () => {
      const client = new pg.Client(options);
      client.on("error", () => undefined);
      try {
        await client.connect();
        return client;
      } catch (cause) {
        throw toPostgresError(where, cause);
      }
    },
    openSeparatePool: (connections) => {
      if (closed) throw toPostgresError(where, new Error("the program has already closed it"));
      const pool = openPool(connections);
      const separate = {
        pool,
        end: async () => {
          separatePools.delete(separate);
          if (!pool.ending) await pool.end();
        },
      };
      separatePools.add(separate);
      return separate;
    },
    describe: (cause) => toPostgresError(where, cause),
    close: () => (closed ??= Promise.race([endAll(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])),
  };

  async function endAll(): Promise<void> {
    await Promise.all([pool.end(), ...[...separatePools].map((separate) => separate.end())]);
  }

  function openPool(max: number): pg.Pool {
    const opened = new pg.Pool({ ...options, max });
    // Without listeners, an idle connection that breaks would end the process. The next statement replaces it.
    opened.on("error", () => undefined);
    opened.on("connect", (client) => void client.on("error", () => undefined));
    return opened;
  }
}

/** Reads the URL before the driver does: the driver's error messages show the whole URL, including the password. */
function readUrl(url: string) {
  const reject = (why: string): never => {
    throw new ConfigError("store_url", `STORE_URL ${why}: use postgres://user@host:5432/database`);
  };
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return reject("is not a valid URL");
  }
  // An unencoded / in a password would make its rest part of the database name, which error messages show.
  if (parsed.pathname.includes("@"))
    return reject("has an @ after its first /. In a password, write %2F for / and %40 for @");
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (!database) return reject("does not name a database");
  return { connectionString: url, host: parsed.hostname || "localhost", database };
}
