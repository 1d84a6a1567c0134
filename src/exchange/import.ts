import type { KeyedLock } from "../store/keyed-lock.ts";
import type { Conversation, History } from "../conversation/conversation.ts";
import { ConfigError, describeError } from "../errors.ts";
import { oneLine } from "../sanitize/harmless.ts";
import { type FileMessage, fromFileMessages, type UserMessages } from "./user-messages.ts";

export interface ImportOptions {
  readonly history: History;
  readonly alone: KeyedLock;
  /** The conversation of a name in the file. */
  readonly keyOf: (name: string) => string;
  /** Only these names. */
  readonly only: readonly string[];
  /** What was said there before is replaced. */
  readonly replace: boolean;
  /** Told of each conversation once it is in. */
  readonly done: (name: string, kept: number, all: number) => void;
}

/**
 * Puts what a file holds into conversations. Nothing is written unless all of it can be: throws a `ConfigError` if a
 * name is missing, or has said something else already. Those that are equal already are left as they are.
 */
export async function importMessages(all: UserMessages, options: ImportOptions): Promise<void> {
  const { history, keyOf, only, replace, done } = options;
  const missing = only.filter((name) => !all.has(name));
  if (missing.length > 0)
    throw new ConfigError("user", `The file has no ${oneLine(missing.join(", "))}: nothing was changed`);
  const names = only.length > 0 ? only : [...all.keys()];
  const taken: string[] = [];
  for (const name of names) {
    const conversation = await history.load(keyOf(name));
    if (!replace && isTaken(conversation, all.get(name) ?? [])) taken.push(name);
  }
  if (taken.length > 0) {
    const some =
      oneLine(taken.slice(0, 10).join(", ")) + (taken.length > 10 ? `, and ${taken.length - 10} more` : "");
    throw new ConfigError(
      "taken",
      `${some} have said other things here already: nothing was changed. --replace forgets what was said here, --user imports some only`,
    );
  }
  for (const [index, name] of names.entries()) {
    try {
      done(name, ...(await put(all.get(name) ?? [], keyOf(name), options)));
    } catch (cause) {
      const what = `${index} of ${names.length} are imported; ${oneLine(name)} is not: ${describeError(cause)}`;
      throw new Error(`${what}. Import once more: those that are in are left as they are.`, { cause });
    }
  }
}

/** How many messages are kept, of how many. */
async function put(
  messages: readonly FileMessage[],
  key: string,
  { history, alone }: ImportOptions,
): Promise<readonly [kept: number, all: number]> {
  const release = await alone(key);
  try {
    const conversation = await history.load(key);
    const told = fromFileMessages(messages, Date.now());
    const revision = conversation.revision + 1;
    const { summary: _, persona: __, ...rest } = conversation;
    await history.save({ ...rest, ...told, revision });
    const kept = await history.load(key);
    return [kept.messages.length, told.messages.length];
  } finally {
    await release();
  }
}

/** Whether something else stands there. */
function isTaken({ messages }: Conversation, given: readonly FileMessage[]): boolean {
  const wanted = fromFileMessages(given, 0).messages;
  // Of a long conversation only the end was kept.
  const end = wanted.slice(-messages.length);
  const same = messages.every(
    ({ role, content }, index) => end[index]?.role === role && end[index].content === content,
  );
  return messages.length > 0 && !same;
}
