import pg from "pg";
import { StoreError } from "../errors.ts";

/** Error classes and codes of PostgreSQL after which another attempt may succeed. */
const TRANSIENT = /^(08|57P0[123]|53300|40001|40P01)/;

/** Whether another attempt may succeed. A failure that the server did not report is a failure of the connection. */
export function isTransientError(cause: unknown): boolean {
  return cause instanceof pg.DatabaseError ? TRANSIENT.test(cause.code ?? "") : true;
}

/** Turns a failure into an error that names the database (`where`) and says what to do. */
export function toPostgresError(where: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const { code = "postgres" } = (cause ?? {}) as { code?: string };
  return new StoreError(code, `${where} ${whatToDo(code)}`, { cause });
}

/** By the error codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) and of Node.js. */
function whatToDo(code: string): string {
  switch (code) {
    case "28000":
    case "28P01":
      return "rejects the user or the password: check both in STORE_URL";
    case "3D000":
      return "does not exist: create it with `createdb`, or name another database";
    case "42501":
      return "denies permission: allow the user to create schemas and tables in it";
    case "53100":
      return "cannot be written because the disk is full: free some space. The program then continues by itself";
    case "53300":
      return "accepts no more connections: raise max_connections, or run fewer processes. The program then continues by itself";
    case "25006":
      return "is read-only: set STORE_URL to the primary server, not a standby";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "cannot be found: check the host in STORE_URL";
    default:
      return "does not respond as expected: check that the server runs and can be reached. The program then continues by itself";
  }
}
