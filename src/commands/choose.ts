import type { Reply } from "../handler.ts";

/** A command that sets one of several names. */
interface ChooseOptions {
  /** Set if the platform shows the choice itself, so that no reply is needed. */
  readonly silent?: boolean | undefined;
  readonly command: string;
  readonly names: readonly string[];
  /** The name that the user gave; empty to list the names. */
  readonly wanted: string;
  /** The reply without a name: what is set now. */
  readonly now: string;
}

/**
 * Sets a name, or lists the names if none was given. `set` gets the name, or undefined if it is not among them, and returns
 * the reply; after an unknown name, the names are listed as well.
 */
export function choose(
  { command, names, wanted, now, silent }: ChooseOptions,
  set: (found?: string) => string,
): Reply {
  const choices = names.map((name) => ({ label: name, command, text: name }));
  const plain = (name: string) => name.trim().toLowerCase();
  if (!wanted.trim()) return { text: now, choices };
  const found =
    names.find((name) => name === wanted.trim()) ?? names.find((name) => plain(name) === plain(wanted));
  const text = set(found);
  if (silent) return undefined;
  return found === undefined ? { text, choices } : text;
}
