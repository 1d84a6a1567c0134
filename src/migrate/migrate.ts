import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { ConfigError, StoreError } from "../errors.ts";
import type { ChatEvent } from "../event.ts";
import type { Notice } from "../system/owner-only.ts";
import { openExistingStore, openStore } from "../store/store.ts";
import { isPostgres } from "../store/url.ts";
import { findDifference } from "./compare.ts";
import { type End, pageOf, PLACES, type Place } from "./end.ts";
import { createProgress, type Progress } from "./progress.ts";
import { openSqliteEnd } from "./sqlite.ts";

export interface MigrateOptions {
  /** The STORE_URL of the store that is copied; it is left as it is. */
  readonly from: string;
  /** The STORE_URL of an empty store, or of one that an interrupted migration of the same store has left. */
  readonly to: string;
  /** Whether an event stops what the same conversation asked before it. */
  readonly interrupts: (event: ChatEvent) => boolean;
  /** Where people see how far it is. */
  readonly progress: { readonly isTTY?: boolean; write(text: string): unknown };
  /** Told if others could read the files of a store. */
  readonly notice?: Notice;
}

/** How much is done; of a place, all up to a record. */
const marker = z.object({
  version: z.literal(1),
  from: z.string(),
  place: z.enum(PLACES),
  after: z.string().optional(),
});

type Marker = z.infer<typeof marker>;

/**
 * Copies all of one store into another and compares them; returns what was done and what is next as sentences.
 * Run again, it goes on where it was interrupted. Rejects with a `ConfigError` before anything is written if the
 * target holds something else, or if a program works on either store.
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
      throw new ConfigError(
        "unfinished",
        "FROM holds an unfinished migration itself: run that one to its end first",
      );
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

/** As people know the store, and the marker: without user and password. */
function nameOf(which: "FROM" | "TO", url: string): string {
  if (isPostgres(url) && URL.canParse(url)) {
    const { hostname, port, pathname } = new URL(url);
    if (!pathname.includes("@")) return `postgres://${hostname || "localhost"}:${port || 5432}${pathname}`;
  }
  const [, path] = /^sqlite:(?:\/\/)?(.+)$/s.exec(url) ?? [];
  if (path !== undefined) return `sqlite:${existsSync(path) ? realpathSync(path) : resolve(path)}`;
  const why = url.startsWith("memory:") ? "is memory:, which keeps nothing" : "names no store";
  throw new ConfigError(
    "store_url",
    `${which} ${why}: use sqlite:path/to/file.sqlite or postgres://user:password@host:5432/database`,
  );
}

/** Its failures say which of the two stores they are about. */
async function openEnd(which: "FROM" | "TO", { from, to, interrupts, notice }: MigrateOptions): Promise<End> {
  const url = which === "FROM" ? from : to;
  try {
    if (isPostgres(url)) return await (await import("./postgres.ts")).openPostgresEnd({ url, interrupts });
    const store = await (which === "FROM" ? openExistingStore(url, notice) : openStore(url, notice));
    return await openSqliteEnd(store, url);
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(error.code, `${which}: ${error.message}`);
    if (error instanceof StoreError)
      throw new StoreError(error.code, `${which}: ${error.message}`, { cause: error.cause });
    throw error;
  }
}

/** What an earlier run has done; the target is marked from now on. */
async function begin(target: End, { from, to }: { from: string; to: string }): Promise<Marker> {
  const found = await target.marker();
  if (found !== undefined) return goOn(found, { from, to });
  for (const place of PLACES) {
    const count = await target.count(place);
    if (count === 0) continue;
    throw new ConfigError(
      "not_empty",
      `TO (${to}) holds something already (${place}: ${count}), and two stores are never mixed: name an empty one. ` +
        "If it comes from a migration that has ended, nothing is left to be done",
    );
  }
  const begun: Marker = { version: 1, from, place: PLACES[0] };
  await target.write(begun.place, [], JSON.stringify(begun));
  return begun;
}

function goOn(found: string, { from, to }: { from: string; to: string }): Marker {
  const { data } = marker.safeParse(parse(found));
  if (data?.from === from) return data;
  const whose = data
    ? `an unfinished migration from ${data.from}`
    : "a migration by another version of the program";
  throw new ConfigError("not_empty", `TO (${to}) holds ${whose}: ${EMPTY_IT}, or name another one`);
}

/** How to begin afresh. */
const EMPTY_IT =
  "empty it (SQLite: remove the file and those beside it; PostgreSQL: `drop schema colloquy, graphile_worker cascade`)";

interface Migration {
  readonly source: End;
  readonly target: End;
  readonly begun: Marker;
  readonly progress: Progress;
}

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
      "The migration is not finished. Once its reason is mended, run the same command again: it goes on where it was",
      { cause },
    );
  }
  if (different === undefined) return;
  throw new StoreError(
    "difference",
    `The stores are not the same: ${different}. TO stays marked as unfinished. If a program has worked on one of ` +
      `them since the migration was begun, ${EMPTY_IT} and migrate again`,
  );
}

async function copy({ source, target, begun, progress }: Migration): Promise<void> {
  for (const place of PLACES.slice(PLACES.indexOf(begun.place))) {
    const total = await source.count(place);
    let done = await target.count(place);
    let after = place === begun.place ? begun.after : undefined;
    for (;;) {
      const listed = pageOf(await source.list(place, after));
      after = listed.at(-1)?.at;
      if (after === undefined) break;
      await write({
        source,
        target,
        place,
        keys: listed.map(({ key }) => key),
        marker: { ...begun, place, after },
      });
      done += listed.length;
      progress.show({ action: "copying", place, done, total });
    }
  }
}

async function write({
  source,
  target,
  place,
  keys,
  marker,
}: Pick<Migration, "source" | "target"> & { place: Place; keys: readonly string[]; marker: Marker }) {
  const found = await source.find(place, keys);
  const items = keys.flatMap((key) => found.get(key) ?? []);
  await target.write(place, items, JSON.stringify(marker));
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
    `${from} is copied to ${to} and was compared with it: ${counts.join(", ")}, in ${(ms / 1000).toFixed(1)} s.\n` +
    "Set STORE_URL to the new store and start the program. The old store is as it was: once all is well, it can be removed.\n"
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
