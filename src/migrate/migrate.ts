import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError, StoreError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import type { Notice } from "../system/owner-only.ts";
import { openExistingStore, openStore } from "../store/store.ts";
import { isPostgres } from "../store/url.ts";
import { findDifference } from "./compare.ts";
import { copy, type Marker, marker, type Migration } from "./copy.ts";
import { type End, TABLES } from "./end.ts";
import { createProgress } from "./progress.ts";
import { openSqliteEnd } from "./sqlite.ts";

export interface MigrateOptions {
  /** The STORE_URL of the store to copy, which is not changed. */
  readonly from: string;
  /** The STORE_URL of an empty store, or of one with an interrupted migration from the same store. */
  readonly to: string;
  /** Whether an event stops earlier ones of the same conversation. */
  readonly interrupts: (event: ChatEvent) => boolean;
  /** Where to show the progress. */
  readonly progress: { readonly isTTY?: boolean; write(text: string): unknown };
  /** Called if other users could read the files of a store. */
  readonly notice?: Notice;
}

/**
 * Copies one store into another and compares them; returns sentences about what was done and what to do next. After an
 * interruption it continues where it stopped. Rejects with a `ConfigError` before it writes anything if the target holds
 * other data, or if a program uses either store.
 */
export async function migrate(options: MigrateOptions): Promise<string> {
  const startedAt = Date.now();
  const from = nameOf("FROM", options.from);
  const to = nameOf("TO", options.to);
  if (from === to) throw new ConfigError("store_url", `FROM and TO are the same store: ${from}`);
  const progress = createProgress(options.progress);
  const source = await openEnd("FROM", options);
  let target: End | undefined;
  try {
    if (await source.marker()) {
      throw new ConfigError("unfinished", "FROM itself holds an unfinished migration: finish that one first");
    }
    target = await openEnd("TO", options);
    const begun = await begin(target, { from, to });
    await finish({ source, target, begun, progress });
    return await report(source, { from, to, ms: Date.now() - startedAt });
  } finally {
    progress.end();
    await target?.close();
    await source.close();
  }
}

/** The name of a store in messages and in the marker: its URL without user and password. */
function nameOf(which: "FROM" | "TO", url: string): string {
  if (isPostgres(url) && URL.canParse(url)) {
    const { hostname, port, pathname } = new URL(url);
    if (!pathname.includes("@")) return `postgres://${hostname || "localhost"}:${port || 5432}${pathname}`;
  }
  const [, path] = /^sqlite:(?:\/\/)?(.+)$/s.exec(url) ?? [];
  if (path !== undefined) return `sqlite:${existsSync(path) ? realpathSync(path) : resolve(path)}`;
  const why = url.startsWith("memory:") ? "is memory:, which stores nothing" : "is not the URL of a store";
  throw new ConfigError(
    "store_url",
    `${which} ${why}: use sqlite:path/to/file.sqlite or postgres://user@host:5432/database`,
  );
}

/** Opens a store; errors say which of the two stores they are about. */
async function openEnd(which: "FROM" | "TO", { from, to, interrupts, notice }: MigrateOptions): Promise<End> {
  const url = which === "FROM" ? from : to;
  try {
    if (isPostgres(url))
      return await (await import("./postgres/open.ts")).openPostgresEnd({ url, interrupts });
    const store = await (which === "FROM" ? openExistingStore(url, notice) : openStore(url, notice));
    return await openSqliteEnd(store, url);
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(error.code, `${which}: ${error.message}`);
    if (error instanceof StoreError)
      throw new StoreError(error.code, `${which}: ${error.message}`, { cause: error.cause });
    throw error;
  }
}

/** Returns the progress of an earlier run, or marks the target as begun. */
async function begin(target: End, { from, to }: { from: string; to: string }): Promise<Marker> {
  const found = await target.marker();
  if (found !== undefined) return resume(found, { from, to });
  for (const table of TABLES) {
    const count = await target.count(table);
    if (count === 0) continue;
    throw new ConfigError(
      "not_empty",
      `TO (${to}) is not empty (${table}: ${count}), and stores are never merged: choose an empty one. ` +
        "If this is the result of a finished migration, there is nothing left to do",
    );
  }
  const begun: Marker = { version: 1, from, place: TABLES[0] };
  await target.write(begun.place, [], JSON.stringify(begun));
  return begun;
}

function resume(found: string, { from, to }: { from: string; to: string }): Marker {
  const { data } = marker.safeParse(parse(found));
  if (data?.from === from) return data;
  const whose = data
    ? `an unfinished migration from ${data.from}`
    : "a migration by another version of the program";
  throw new ConfigError("not_empty", `TO (${to}) holds ${whose}: ${EMPTY_IT}, or choose another store`);
}

/** How to start over. */
const EMPTY_IT =
  "empty it (SQLite: remove the file and those beside it; PostgreSQL: `drop schema colloquy, graphile_worker cascade`)";

async function finish({ source, target, begun, progress }: Migration): Promise<void> {
  let different: string | undefined;
  try {
    await copy({ source, target, begun, progress });
    different = await findDifference({ source, target, progress });
    await Promise.all([source.checkAlone(), target.checkAlone()]);
    if (different === undefined) {
      await target.handOver();
      await target.removeMarker();
    }
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new StoreError(
      "unfinished",
      "The migration is not finished. Once the cause is fixed, run the same command again; it continues where it stopped",
      { cause },
    );
  }
  if (different === undefined) return;
  throw new StoreError(
    "difference",
    `The stores differ: ${different}. TO remains marked as unfinished. If a program has used one of ` +
      `them since the migration began, ${EMPTY_IT} and migrate again`,
  );
}

async function report(
  source: End,
  { from, to, ms }: { from: string; to: string; ms: number },
): Promise<string> {
  const counts = [
    counted(await source.count("history"), "conversation"),
    counted(await source.count("queue"), "waiting event"),
    counted(await source.count("dead"), "dead letter"),
  ];
  return (
    `Copied ${from} to ${to} and compared them: ${counts.join(", ")}, in ${(ms / 1000).toFixed(1)} s.\n` +
    "Set STORE_URL to the new store and start the program. The old store was not changed; remove it once all is well.\n"
  );
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
