import { ConfigError } from "../errors.ts";

/** Whether a `STORE_URL` names a PostgreSQL database, which several processes may share. */
export function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/** The path of the SQLite file in a `STORE_URL`; undefined for `memory:`. Throws a `ConfigError` for any other URL. */
export function pathOf(url: string): string | undefined {
  const [, scheme, rest = ""] = /^(\w+):(.*)$/s.exec(url) ?? [];
  const path = rest.replace(/^\/\//, "");
  if (scheme === "memory") return undefined;
  if (scheme === "sqlite" && path) return path;
  throw new ConfigError(
    "store_url",
    `STORE_URL is "${/[@?]/.test(url) ? `${scheme ?? ""}:…` : url}". Use sqlite:path/to/file.sqlite, postgres://user@host/database or memory:`,
  );
}
