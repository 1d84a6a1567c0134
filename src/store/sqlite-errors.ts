import { StoreError } from "../errors.ts";

/** What SQLite says of a file, as a sentence that says what to do. */
export function toStoreError(path: string, cause: unknown): StoreError {
  const { code = "open" } = cause as { code?: string };
  return new StoreError(code, `The store ${path} (STORE_URL) ${whatToDo(code, path)}`, { cause });
}

/** By SQLite's codes (sqlite.org/rescode.html). */
function whatToDo(code: string, path: string): string {
  switch (code) {
    case "SQLITE_FULL":
      return "cannot be written, as the disk is full: make room. What waits goes on by itself then";
    case "SQLITE_BUSY":
    case "SQLITE_LOCKED":
      return "is locked by another program: end that one, or wait. What waits goes on by itself then";
    case "SQLITE_READONLY":
      return "is read-only: this user must be able to write to the file and to its folder";
    case "SQLITE_CORRUPT":
    case "SQLITE_NOTADB":
      return (
        "is damaged, or no SQLite file: stop every program that uses it, move it away together with " +
        `${path}-wal and ${path}-shm, and put a backup in its place; without one everything starts afresh`
      );
    case "moved":
      return "was deleted or replaced while the program uses it, and what is written now goes with its end: start it again";
    default:
      return "cannot be written and read: check that the folder exists, that this user may write to it and that the disk is not full";
  }
}
