import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { findPersona, loadPersonas } from "../../config/personas.ts";
import type { Settings } from "../../config/settings.ts";
import { openHistory } from "../conversation/conversation.ts";
import { keyOf as keyOfThread } from "../conversation/threads.ts";
import { ConfigError } from "../errors.ts";
import { type ExportFormat, type Named, print, type Personas } from "../exchange/export.ts";
import { importMessages } from "../exchange/import.ts";
import { readUserMessages } from "../exchange/user-messages.ts";
import { writeWhole } from "../exchange/write.ts";
import { oneLine } from "../sanitize/harmless.ts";
import { createKeyedLock } from "../store/keyed-lock.ts";
import { openExistingStore, openStore, type Store } from "../store/store.ts";
import { isTaken } from "../system/owner-only.ts";
import { ownSettings, toStderr } from "./environment.ts";
import { openThreads } from "./threads.ts";

/** The formats of `colloquy export`. */
export const FORMATS: readonly ExportFormat[] = ["json", "jsonl", "markdown"];

interface ExchangeFlags {
  readonly user?: readonly string[];
  readonly all?: true;
  readonly format?: ExportFormat;
  readonly replace?: boolean;
}

/** `colloquy import FILE`: adds the messages in a `user_messages.json` to the histories. */
export async function importFile(
  file: string,
  { user = [], all, replace = false }: ExchangeFlags,
): Promise<void> {
  const found = await readUserMessages(file);
  const { STORE_URL: url } = ownSettings();
  const store = await openStore(url, toStderr);
  try {
    const keyOf = (name: string) => (all ? name : keyOfThread("console", name));
    let count = 0;
    const done = (name: string, saved: number, given: number) => {
      count += 1;
      const rest = saved < given ? `, only the newest ${saved} were saved` : "";
      process.stdout.write(`${oneLine(name)}: ${given} messages${rest}\n`);
    };
    const history = await openHistory(store);
    const alone = createKeyedLock(store, url);
    await importMessages(found, { history, alone, keyOf, only: user, replace, done });
    const next = all || count === 0 ? "" : " They continue with `colloquy chat --user NAME`.";
    process.stdout.write(`${count} of ${found.size} users were imported.${next}\n`);
  } finally {
    await store.close();
  }
}

/** `colloquy export FILE`: writes conversations to a file, or to standard output. */
export async function exportFile(file: string, { user, all, format, replace }: ExchangeFlags): Promise<void> {
  if (file !== "-" && !replace && isTaken(file)) {
    throw new ConfigError("file", `${file} exists already: name another file, or add --replace`);
  }
  const settings = ownSettings();
  const store = await openExistingStore(settings.STORE_URL, toStderr);
  try {
    const found = all ? everything(store) : lastActive(store, settings.STORE_URL, user);
    const chunks = print(format ?? formatOf(file), found, personasOf(settings));
    if (file === "-") await pipeline(Readable.from(chunks), process.stdout, { end: false });
    else await writeWhole(file, chunks, { replace: replace === true });
  } finally {
    await store.close();
  }
}

/** The format that a file name implies. */
export function formatOf(file: string): ExportFormat {
  if (/\.(md|markdown)$/i.test(file)) return "markdown";
  return /\.(jsonl|ndjson)$/i.test(file) ? "jsonl" : "json";
}

/** The text of the usual persona, and the texts of all personas. */
export function personasOf(settings: Settings): Personas {
  const personas = loadPersonas();
  return { persona: findPersona(personas, settings.PERSONA), personas };
}

async function* everything(store: Store): AsyncGenerator<Named> {
  const history = await openHistory(store);
  for (const key of await store.keys("history", "")) {
    const conversation = await history.load(key);
    if (conversation.messages.length > 0) yield [key, conversation];
  }
}

/** The conversation that was last active, of each user of the console or of those named. */
async function* lastActive(store: Store, url: string, named?: readonly string[]): AsyncGenerator<Named> {
  const threads = await openThreads(store, url);
  const users = named ?? (await threads.users()).map(({ user }) => user);
  for (const user of users) {
    const [last, ...others] = await threads.of(user);
    if (!last)
      throw new ConfigError("user", `${oneLine(user)} has no conversation here; nothing was written`);
    if (others.length > 0) {
      const more = `${others.length} more ${others.length === 1 ? "conversation" : "conversations"}`;
      toStderr(`${oneLine(user)} has ${more}, which --all would also export`);
    }
    yield [user, await threads.load(last.key)];
  }
}
