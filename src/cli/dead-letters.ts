import { ConfigError } from "../errors.ts";
import { type DeadLetter, type DeadLetters, openDeadLetters } from "../queue/dead.ts";
import { oneLine } from "../sanitize/harmless.ts";
import type { Notice } from "../system/owner-only.ts";
import { openExistingStore } from "../store/store.ts";

/** Where dead letters are. */
interface DeadStore {
  /** The STORE_URL; a program may run on it meanwhile. */
  readonly store: string;
  /** Told if others could read the store's files. */
  readonly notice?: Notice;
}

export interface DeadOptions extends DeadStore {
  /** The ids of the letters that are meant; `all` means each. */
  readonly ids: readonly string[];
  readonly all: boolean;
}

/** The dead letters as lines, oldest first. What people wrote is shown only with `text`. */
export async function listDead({ text, ...store }: DeadStore & { readonly text: boolean }): Promise<string> {
  const letters = await look(store, (dead) => dead.list());
  if (letters.length === 0) return "There are no dead letters.\n";
  return letters.map((letter) => lineOf(letter, text)).join("");
}

/** Asks for another attempt at dead letters; returns what happens next as a sentence. */
export async function retryDead(options: DeadOptions): Promise<string> {
  const count = await forEach(options, (dead, id) => dead.retry(id));
  return `${counted(count)} tried once more: by the program that runs within seconds, or at its next start.\n`;
}

/** Forgets dead letters; returns what was done as a sentence. */
export async function dropDead(options: DeadOptions): Promise<string> {
  const count = await forEach(options, (dead, id) => dead.drop(id));
  return `${counted(count)} dropped.\n`;
}

/** Rejects at the first id that is not there: whoever has mistyped one shall know. */
async function forEach(
  { ids, all, ...store }: DeadOptions,
  action: (dead: DeadLetters, id: string) => Promise<boolean>,
): Promise<number> {
  if (all === ids.length > 0) {
    throw new ConfigError("id", "Say which: the ids that `colloquy dead` lists, or --all for each.");
  }
  return look(store, async (dead) => {
    const chosen = all ? (await dead.list()).map(({ event }) => event.id) : ids;
    for (const id of chosen) {
      if (await action(dead, id)) continue;
      throw new Error(`There is no dead letter ${id}; \`colloquy dead\` lists those there are.`);
    }
    return chosen.length;
  });
}

async function look<T>(
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
  // Names and texts come from strangers.
  return `${columns.map(oneLine).join("\t")}\n`;
}

function counted(count: number): string {
  return count === 1 ? "1 dead letter is" : `${count} dead letters are`;
}
