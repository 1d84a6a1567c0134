import { secretsOf } from "../../config/settings.ts";
import { ConfigError } from "../errors.ts";
import { type DeadLetter, type DeadLetters, openDeadLetters } from "../queue/dead.ts";
import { oneLine } from "../sanitize/harmless.ts";
import { scrub } from "../sanitize/secrets.ts";
import { openExistingStore } from "../store/store.ts";
import type { Notice } from "../system/owner-only.ts";
import { ownSettings, toStderr } from "./environment.ts";

/** The store that contains the dead letters. */
interface DeadStore {
  /** The STORE_URL; the program may run on it meanwhile. */
  readonly store: string;
  /** Receives a warning if other users of the machine can read the store's files. */
  readonly notice?: Notice;
}

export interface DeadOptions extends DeadStore {
  /** The ids of the dead letters to change. */
  readonly ids: readonly string[];
  /** Changes all dead letters; `ids` must be empty then. */
  readonly all: boolean;
}

/** `colloquy dead`. */
export async function list({ text = false }: { text?: boolean }): Promise<void> {
  const settings = ownSettings();
  const listed = await listDead({ store: settings.STORE_URL, notice: toStderr, text });
  process.stdout.write(scrub(listed, secretsOf(settings)));
}

/** `colloquy dead retry`. */
export async function retry(ids: readonly string[], { all = false }: { all?: boolean }): Promise<void> {
  const store = ownSettings().STORE_URL;
  process.stdout.write(await retryDead({ store, notice: toStderr, ids, all }));
}

/** `colloquy dead drop`. */
export async function dropLetters(ids: readonly string[], { all = false }: { all?: boolean }): Promise<void> {
  const store = ownSettings().STORE_URL;
  process.stdout.write(await dropDead({ store, notice: toStderr, ids, all }));
}

/** Lists the dead letters, one a line, oldest first. `text` includes what users wrote. */
export async function listDead({ text, ...store }: DeadStore & { readonly text: boolean }): Promise<string> {
  const letters = await withDeadLetters(store, (dead) => dead.list());
  if (letters.length === 0) return "There are no dead letters.\n";
  return letters.map((letter) => lineOf(letter, text)).join("");
}

/** Requests another attempt at dead letters; returns a sentence about what happens next. */
export async function retryDead(options: DeadOptions): Promise<string> {
  const count = await forEach(options, (dead, id) => dead.retry(id));
  return `${counted(count)} tried again: within seconds if the program is running, otherwise at its next start.\n`;
}

/** Deletes dead letters; returns a sentence about what was done. */
export async function dropDead(options: DeadOptions): Promise<string> {
  const count = await forEach(options, (dead, id) => dead.drop(id));
  return `${counted(count)} dropped.\n`;
}

/** Rejects at the first unknown id, so that a mistyped one does not go unnoticed. */
async function forEach(
  { ids, all, ...store }: DeadOptions,
  action: (dead: DeadLetters, id: string) => Promise<boolean>,
): Promise<number> {
  if (all === ids.length > 0) {
    throw new ConfigError("id", "Name the ids that `colloquy dead` lists, or add --all for all of them.");
  }
  return withDeadLetters(store, async (dead) => {
    const chosen = all ? (await dead.list()).map(({ event }) => event.id) : ids;
    for (const id of chosen) {
      if (await action(dead, id)) continue;
      throw new Error(`There is no dead letter ${id}; \`colloquy dead\` lists the existing ones.`);
    }
    return chosen.length;
  });
}

async function withDeadLetters<T>(
  { store: url, notice }: DeadStore,
  use: (dead: DeadLetters) => Promise<T>,
): Promise<T> {
  const store = await openExistingStore(url, notice);
  try {
    return await use(await openDeadLetters(store));
  } finally {
    await store.close();
  }
}

function lineOf({ event, error, attempts, at }: DeadLetter, text: boolean): string {
  const { id, name } = event.user;
  const user = name === undefined ? id : `${id} (${name})`;
  const columns = [event.id, new Date(at).toISOString(), event.platform, user, `${attempts} attempts`, error];
  if (text) columns.push(event.text);
  // Strangers choose names and texts.
  return `${columns.map(oneLine).join("\t")}\n`;
}

function counted(count: number): string {
  return count === 1 ? "1 dead letter is" : `${count} dead letters are`;
}
