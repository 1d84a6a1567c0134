import { ConfigError } from "../errors.ts";

/** Whether a `STORE_URL` names a database that several processes may share. */
export function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/** The file of a `STORE_URL`; undefined for memory. */
export function pathOf(url: string): string | undefined {
  const [, scheme, rest = ""] = /^(\w+):(.*)$/s.exec(url) ?? [];
  const path = rest.replace(/^\/\//, "");
  if (scheme === "memory") return undefined;
  if (scheme === "sqlite" && path) return path;
  throw new ConfigError(
    "store_url",
    `STORE_URL is "${/[@?]/.test(url) ? `${scheme ?? ""}:…` : url}": use sqlite:path/to/file.sqlite, postgres://user:password@host/database or memory:`,
  );
}
