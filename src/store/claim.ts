import { dirname } from "node:path";
import { StoreError } from "../errors.ts";
import { makeFile, makeFolder } from "../system/owner-only.ts";
import { type SqliteConnection, connectTo } from "./sqlite-connection.ts";
import { toSqliteError } from "./sqlite-errors.ts";
import { pathOf } from "./url.ts";

/** How long to wait for a claim, in ms: its owner keeps it for long. (0 would mean sqlite3's default of a second.) */
const CLAIM_TIMEOUT_MS = 1;

/** Exclusive use of a store, until it is released or the process dies. */
interface Claim {
  /** Safe to call twice. */
  release(): Promise<void>;
}

/** Claims the store of a `STORE_URL` with a lock on a file next to it. Returns undefined if another process has the claim. */
export async function claimStore(url: string): Promise<Claim | undefined> {
  const path = pathOf(url);
  // Memory belongs to this process anyway.
  if (path === undefined) return { release: async () => undefined };
  const file = `${path}.lock`;
  const connect = await connectTo(file, CLAIM_TIMEOUT_MS);
  let sqlite: SqliteConnection | undefined;
  try {
    makeFolder(dirname(path));
    makeFile(file);
    sqlite = connect("claim");
    await sqlite.query("BEGIN EXCLUSIVE");
  } catch (cause) {
    await sqlite?.close().catch(() => undefined);
    const error = cause instanceof StoreError ? cause : toSqliteError(path, cause);
    if (error.code === "SQLITE_BUSY") return undefined;
    throw error;
  }
  const claimed = sqlite;
  let released: Promise<unknown> | undefined;
  return { release: async () => void (await (released ??= claimed.close())) };
}
