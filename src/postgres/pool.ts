import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { ConfigError, StoreError } from "../errors.ts";

/** A PostgreSQL database. All that fails in it rejects with a `StoreError` that says what to do. */
export interface Postgres {
  /**
   * Runs one statement and returns its rows. It must bear being run twice: where the connection breaks, or the server
   * is just being started, it is run again for a while.
   */
  query<Row extends object = object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A connection of one's own, outside the pool; the caller ends it. */
  connect(): Promise<pg.Client>;
  /** The connections that all statements share; for libraries that want a pool. */
  readonly pool: pg.Pool;
  /** A pool of its own, for a library that must not wait for others, or that must be cut off; it ends with the rest at the latest. */
  spare(connections: number): Spare;
  /** What is wrong, as a sentence with what to do. */
  describe(cause: unknown): StoreError;
  close(): Promise<void>;
}

/** A pool beside the shared one. */
export interface Spare {
  readonly pool: pg.Pool;
  /** Safe to call twice. */
  end(): Promise<void>;
}

/**
 * So many connections at most, beside the one of the session: a statement takes about a millisecond, and
 * PostgreSQL takes 100 connections unless told otherwise.
 */
const CONNECTIONS = 10;

/** How long it may take to connect, in ms. */
const CONNECT_MS = 5_000;

/** After this long without an answer, in ms, a connection counts as dead. */
const ANSWER_MS = 15_000;

/** So long a statement is tried again, in ms: a server is started anew within that time, and nobody is told of it. */
const PATIENCE_MS = 20_000;

/** A server that is out of reach does not say goodbye: so long, in ms, is waited for it at the end. */
const GOODBYE_MS = 2_000;

/** Classes of PostgreSQL's codes, and codes, by which only this attempt has failed. */
const PASSING = /^(08|57P0[123]|53300|40001|40P01)/;

/** Opens the database of a `postgres://` URL; nothing is connected yet. */
export function openPostgres(url: string): Postgres {
  const options = {
    ...readUrl(url),
    application_name: "colloquy",
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
  };
  const spares = new Set<Spare>();
  const pool = openPool(CONNECTIONS);
  const where = `The store ${options.host}/${options.database} (STORE_URL)`;
  let closed: Promise<void> | undefined;

  return {
    pool,
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) => {
      const deadline = Date.now() + PATIENCE_MS;
      for (let pauseMs = 50; ; pauseMs = Math.min(1_000, pauseMs * 2)) {
        try {
          return (await pool.query<Row>(sql, [...values])).rows;
        } catch (cause) {
          if (closed || !mayPass(cause) || Date.now() + pauseMs > deadline) throw toStoreError(where, cause);
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
        throw toStoreError(where, cause);
      }
    },
    spare: (connections) => {
      if (closed) throw toStoreError(where, new Error("it is closed"));
      const pool = openPool(connections);
      const spare = {
        pool,
        end: async () => {
          spares.delete(spare);
          if (!pool.ending) await pool.end();
        },
      };
      spares.add(spare);
      return spare;
    },
    describe: (cause) => toStoreError(where, cause),
    close: () => (closed ??= Promise.race([endAll(), sleep(GOODBYE_MS, undefined, { ref: false })])),
  };

  async function endAll(): Promise<void> {
    await Promise.all([pool.end(), ...[...spares].map((spare) => spare.end())]);
  }

  function openPool(max: number): pg.Pool {
    const opened = new pg.Pool({ ...options, max });
    // A connection that breaks while nobody uses it is replaced with the next statement; without listeners it would
    // end the process.
    opened.on("error", () => undefined);
    opened.on("connect", (client) => void client.on("error", () => undefined));
    return opened;
  }
}

/** What the server has not refused itself is the connection's fault. */
function mayPass(cause: unknown): boolean {
  return cause instanceof pg.DatabaseError ? PASSING.test(cause.code ?? "") : true;
}

/** Not by the driver's own reader: its complaint would show the whole URL, with the password. */
function readUrl(url: string) {
  const complain = (why: string): never => {
    throw new ConfigError("store_url", `STORE_URL ${why}: use postgres://user:password@host:5432/database`);
  };
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return complain("is no URL");
  }
  // A password with a / that is not encoded would be taken for a part of the database's name, and shown as such.
  if (parsed.pathname.includes("@"))
    return complain("has an @ behind its first /. In a password write %2F for / and %40 for @");
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (!database) return complain("names no database");
  return { connectionString: url, host: parsed.hostname || "localhost", database };
}

function toStoreError(where: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const { code = "postgres" } = (cause ?? {}) as { code?: string };
  return new StoreError(code, `${where} ${whatToDo(code)}`, { cause });
}

/** By PostgreSQL's codes (postgresql.org/docs/current/errcodes-appendix.html) and Node's. */
function whatToDo(code: string): string {
  switch (code) {
    case "28000":
    case "28P01":
      return "refuses the user or the password: check both in STORE_URL";
    case "3D000":
      return "does not exist: create it with `createdb`, or name another";
    case "42501":
      return "does not allow this: the user must be able to create schemas and tables in it";
    case "53100":
      return "cannot be written, as the disk is full: make room. What waits goes on by itself then";
    case "53300":
      return "takes no more connections: raise max_connections, or run fewer processes. What waits goes on by itself then";
    case "25006":
      return "is read-only: STORE_URL must name the primary server, not a standby";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "cannot be found: check the host in STORE_URL";
    default:
      return "does not answer as it should: check that the server runs and can be reached. What waits goes on by itself then";
  }
}
