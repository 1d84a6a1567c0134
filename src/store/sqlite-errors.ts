import { StoreError } from "../errors.ts";

/** Turns an error of SQLite into a sentence that names the file and says what to do. */
export function toSqliteError(path: string, cause: unknown): StoreError {
  const { code = "open" } = cause as { code?: string };
  return new StoreError(code, `The store ${path} (STORE_URL) ${whatToDo(code, path)}`, { cause });
}

/** By result code, see https://sqlite.org/rescode.html. */
function whatToDo(code: string, path: string): string {
  switch (code) {
    case "SQLITE_FULL":
      return "cannot be written because the disk is full: free some space. The program then continues by itself";
    case "SQLITE_BUSY":
    case "SQLITE_LOCKED":
      return "is locked by another program: stop that program, or wait. This one then continues by itself";
    case "SQLITE_READONLY":
      return "is read-only: give this user write access to the file and to its folder";
    case "SQLITE_CORRUPT":
    case "SQLITE_NOTADB":
      return (
        "is damaged or is not a SQLite file: stop every program that uses it, move it away together with " +
        `${path}-wal and ${path}-shm, and put a backup in its place. Without a backup the program starts with an empty store`
      );
    case "moved":
      return "was deleted or replaced while the program was using it, and everything written since will be lost: restart the program";
    default:
      return "cannot be read and written: check that its folder exists, that this user may write to it, and that the disk is not full";
  }
}
