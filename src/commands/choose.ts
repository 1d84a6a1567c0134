import type { Reply } from "../handler.ts";

/** What a command that chooses one of several names was given, and what it says without a name. */
interface Chosen {
  /** It is not said what was chosen: that is seen. */
  readonly silent?: boolean | undefined;
  readonly command: string;
  readonly names: readonly string[];
  readonly wanted: string;
  readonly now: string;
}

/** Without a name: all to choose from. With one: what `take` says to it, and all once more if there is none of that name. */
export function choose(
  { command, names, wanted, now, silent }: Chosen,
  take: (found?: string) => string,
): Reply {
  const choices = names.map((name) => ({ label: name, command, text: name }));
  const plain = (name: string) => name.trim().toLowerCase();
  if (!wanted.trim()) return { text: now, choices };
  const found =
    names.find((name) => name === wanted.trim()) ?? names.find((name) => plain(name) === plain(wanted));
  const text = take(found);
  if (silent) return undefined;
  return found === undefined ? { text, choices } : text;
}
