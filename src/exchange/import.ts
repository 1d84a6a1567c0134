import type { KeyedLock } from "../store/keyed-lock.ts";
import type { Conversation, History } from "../conversation/conversation.ts";
import { ConfigError, describeError } from "../errors.ts";
import { oneLine } from "../sanitize/harmless.ts";
import { type FileMessage, fromFileMessages, type UserMessages } from "./user-messages.ts";

export interface ImportOptions {
  readonly history: History;
  readonly alone: KeyedLock;
  /** The key of the conversation for a name in the file. */
  readonly keyOf: (name: string) => string;
  /** Import only these names; all if empty. */
  readonly only: readonly string[];
  /** Whether to replace existing messages. */
  readonly replace: boolean;
  /** Called after each conversation with the number of messages that were stored, of all in the file. */
  readonly done: (name: string, stored: number, all: number) => void;
}

/**
 * Imports the messages of a file into conversations. Before anything is written, throws a `ConfigError` if a name is
 * missing from the file, or if its conversation already has other messages. A conversation that already has the same
 * messages can be imported again.
 */
export async function importMessages(all: UserMessages, options: ImportOptions): Promise<void> {
  const { history, keyOf, only, replace, done } = options;
  const missing = only.filter((name) => !all.has(name));
  if (missing.length > 0)
    throw new ConfigError("user", `The file has no user ${oneLine(missing.join(", "))}: nothing was changed`);
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
      `${some} already have other messages here: nothing was changed. Use --replace to replace these, or --user to import only some users`,
    );
  }
  for (const [index, name] of names.entries()) {
    try {
      done(name, ...(await put(all.get(name) ?? [], keyOf(name), options)));
    } catch (cause) {
      const what = `${index} of ${names.length} users were imported, but not ${oneLine(name)}: ${describeError(cause)}`;
      throw new Error(`${what}. Run the same import again to finish it.`, { cause });
    }
  }
}

/** Replaces the messages of a conversation; returns how many were stored, of how many. */
async function put(
  messages: readonly FileMessage[],
  key: string,
  { history, alone }: ImportOptions,
): Promise<readonly [stored: number, all: number]> {
  const release = await alone(key);
  try {
    const conversation = await history.load(key);
    const imported = fromFileMessages(messages, Date.now());
    const revision = conversation.revision + 1;
    const { summary: _, persona: __, ...rest } = conversation;
    await history.save({ ...rest, ...imported, revision });
    const stored = await history.load(key);
    return [stored.messages.length, imported.messages.length];
  } finally {
    await release();
  }
}

/** Whether a conversation has messages other than these. */
function isTaken({ messages }: Conversation, given: readonly FileMessage[]): boolean {
  const wanted = fromFileMessages(given, 0).messages;
  // Only the end of a long conversation was stored.
  const end = wanted.slice(-messages.length);
  const same = messages.every(
    ({ role, content }, index) => end[index]?.role === role && end[index].content === content,
  );
  return messages.length > 0 && !same;
}
