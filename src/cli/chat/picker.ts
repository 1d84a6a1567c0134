import type { Seat } from "../../../adapters/console/index.ts";
import { oneLine } from "../../sanitize/harmless.ts";
import type { Say } from "../../i18n/texts.ts";
import type { Thread, Threads } from "../../conversation/threads.ts";

export interface PickerOptions {
  readonly threads: Threads;
  readonly say: Say;
  readonly locale: string;
  /** The terminal. */
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** The prompts of the library, which is loaded only when there is a choice to make. */
type Prompts = typeof import("@clack/prompts");

/** The choices beside the conversations themselves. */
const NEW = "new";
const MANAGE = "manage";
const OTHERS = "others";

/** Asks the user who they are; undefined if they leave instead. */
export async function pickUser({
  threads,
  say,
  locale,
  input,
  output,
}: PickerOptions): Promise<string | undefined> {
  const { autocomplete, isCancel, text } = await import("@clack/prompts");
  const users = await threads.users();
  const at = { input, output };
  const chosen = await autocomplete<number>({
    ...at,
    message: say("terminal.who"),
    maxItems: MAX_SHOWN,
    options: [
      ...users.map(({ user, conversations: count, at: last }, index) => ({
        value: index,
        label: oneLine(user),
        hint: say("terminal.conversations", { count, when: when(last, locale) }),
      })),
      { value: users.length, label: say("terminal.someone") },
    ],
  });
  if (isCancel(chosen)) return undefined;
  const known = users[chosen];
  if (known) return known.user;
  const name = await text({
    ...at,
    message: say("terminal.name"),
    validate: (given = "") => (given.trim() ? undefined : say("terminal.name.empty")),
  });
  return isCancel(name) ? undefined : name.trim();
}

/** Asks the user which of their conversations to continue, or whether to begin one; undefined if they leave instead. */
export async function pickThread(given: string, options: PickerOptions): Promise<Seat | undefined> {
  const prompts = await import("@clack/prompts");
  const { threads, say, input, output } = options;
  for (let user = given; ; ) {
    const all = await threads.of(user);
    const chosen = await prompts.autocomplete<string | Thread>({
      input,
      output,
      message: say("terminal.which", { user: oneLine(user) }),
      maxItems: MAX_SHOWN,
      options: [
        ...all.map((thread) => optionOf(thread, options)),
        { value: NEW, label: say("terminal.new") },
        ...(all.length > 0 ? [{ value: MANAGE, label: say("terminal.manage") }] : []),
        { value: OTHERS, label: say("terminal.others") },
      ],
    });
    if (prompts.isCancel(chosen)) return undefined;
    if (chosen === NEW) return newSeat(user, all);
    if (chosen === MANAGE) await manage(all, prompts, options);
    else if (chosen === OTHERS) {
      const other = await pickUser(options);
      if (other === undefined) return undefined;
      user = other;
    } else if (typeof chosen === "object") return { user, thread: chosen.thread };
  }
}

/** A conversation without messages; a user's first one is their default conversation, which has no name. */
export function newSeat(user: string, all: readonly Thread[]): Seat {
  return all.length === 0 ? { user } : { user, thread: newThread() };
}

/** Creates a unique name for a conversation; names sort by time. */
export function newThread(): string {
  const time = new Date().toISOString().replace(/\D/g, "");
  return `${time}-${Math.random().toString(36).slice(2, 8)}`;
}

/** How many choices are visible at once. */
const MAX_SHOWN = 12;

async function manage(all: readonly Thread[], prompts: Prompts, options: PickerOptions): Promise<void> {
  const { threads, say, input, output } = options;
  const at = { input, output };
  const { autocomplete, confirm, isCancel, select, text } = prompts;
  const thread = await autocomplete<Thread>({
    ...at,
    message: say("terminal.manage.which"),
    maxItems: MAX_SHOWN,
    options: all.map((each) => ({ ...optionOf(each, options), value: each })),
  });
  if (isCancel(thread)) return;
  const { key } = thread;
  const title = oneLine(thread.title);
  const action = await select({
    ...at,
    message: say("terminal.manage.what", { title }),
    options: [
      { value: "rename", label: say("terminal.rename") },
      { value: "delete", label: say("terminal.delete") },
      { value: "back", label: say("terminal.back") },
    ],
  });
  if (action === "rename") {
    const name = await text({ ...at, message: say("terminal.rename.to"), initialValue: title });
    if (!isCancel(name)) await threads.rename(key, name ?? "");
  } else if (action === "delete") {
    const sure = await confirm({
      ...at,
      message: say("terminal.delete.sure", { title }),
      initialValue: false,
    });
    if (sure === true) await threads.remove(key);
  }
}

function optionOf(thread: Thread, { say, locale }: PickerOptions) {
  const { title, messages: count, at } = thread;
  return {
    value: thread,
    label: oneLine(title),
    hint: say("terminal.messages", { count, when: when(at, locale) }),
  };
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_536_000_000],
  ["month", 2_592_000_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** The age of a time, such as "3 hours ago". */
function when(at: number, locale: string): string {
  const ago = at - Date.now();
  const [unit, ms] = UNITS.find(([, size]) => -ago >= size) ?? (["second", 1000] as const);
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.trunc(ago / ms), unit);
}
