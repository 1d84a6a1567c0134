import { call, type ThreadEntry, type Update } from "./client.ts";
import { ask, h, iconButton } from "./dom.ts";
import { say } from "./texts.ts";

/** The list of conversations. */
export interface Sidebar {
  readonly element: HTMLElement;
  receive(update: Update): void;
  /** Loads the whole list again. */
  refresh(): Promise<void>;
  /** Marks the conversation that is open. */
  select(thread: string): void;
}

export interface SidebarOptions {
  readonly open: (thread: string) => void;
  /** Begins a new conversation. */
  readonly begin: () => void;
  /** Shows an error. */
  readonly failed: (error: unknown) => void;
  /** An element to show below the list. */
  readonly footer: HTMLElement;
}

type Listed = Extract<Update, { kind: "listed" | "deleted" }>;

/** Creates the list of conversations, with a search, and buttons to rename and delete them. */
export function createSidebar({ open, begin, failed, footer }: SidebarOptions): Sidebar {
  const entries = new Map<string, ThreadEntry>();
  /** The conversations that a search has found; all are shown if absent. */
  let found: ReadonlySet<string> | undefined;
  let selected = "";
  let searchTimer = 0;
  /** Updates that arrived while the list was being loaded: what is loaded may be older. */
  let missed: Listed[] | undefined;
  const list = h("ul", { class: "conversations" });
  const search = h("input", { type: "search", placeholder: say("search"), ariaLabel: say("search") });
  search.oninput = () => {
    clearTimeout(searchTimer);
    searchTimer = window.setTimeout(() => void runSearch().catch(failed), 200);
  };
  const element = h(
    "nav",
    { class: "sidebar", id: "sidebar", ariaLabel: say("conversations") },
    h("button", { class: "main new", type: "button", onclick: begin }, say("new")),
    search,
    list,
    footer,
  );
  return {
    element,
    receive: (update) => {
      if (update.kind !== "listed" && update.kind !== "deleted") return;
      missed?.push(update);
      apply(update);
      draw();
    },
    refresh,
    select: (thread) => {
      selected = thread;
      draw();
    },
  };

  async function refresh(): Promise<void> {
    const own: Listed[] = [];
    missed = own;
    const all = await call<ThreadEntry[]>("GET", "conversations");
    // Another load has begun meanwhile, and only the newest one counts.
    if (missed !== own) return;
    missed = undefined;
    entries.clear();
    for (const entry of all) entries.set(entry.thread, entry);
    for (const update of own) apply(update);
    draw();
  }

  function apply(update: Listed): void {
    if (update.kind === "deleted") {
      entries.delete(update.thread);
      return;
    }
    entries.set(update.thread, update);
    found = found && new Set([...found, update.thread]);
  }

  async function runSearch(): Promise<void> {
    const text = search.value.trim();
    const answer =
      text && (await call<ThreadEntry[]>("GET", `conversations?search=${encodeURIComponent(text)}`));
    // The user may have typed something else meanwhile.
    if (text !== search.value.trim()) return;
    found = answer ? new Set(answer.map(({ thread }) => thread)) : undefined;
    draw();
  }

  function draw(): void {
    const shown = [...entries.values()]
      .filter(({ thread }) => found?.has(thread) ?? true)
      .sort((a, b) => b.at - a.at);
    // Keyboard focus stays on the same button.
    const focused = list.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset["at"]
      : undefined;
    list.replaceChildren(...shown.map(item));
    if (shown.length === 0) list.append(h("li", { class: "empty" }, say(found ? "nothingFound" : "noneYet")));
    if (focused) list.querySelector<HTMLElement>(`[data-at="${CSS.escape(focused)}"]`)?.focus();
  }

  function item(entry: ThreadEntry): HTMLElement {
    const { thread, title } = entry;
    const isOpen = thread === selected;
    const rename = iconButton(
      "pencil",
      `${say("rename")}: ${title}`,
      () => void renamed(entry).catch(failed),
    );
    const remove = iconButton("bin", `${say("delete")}: ${title}`, () => void deleted(entry).catch(failed));
    const link = h(
      "button",
      {
        type: "button",
        class: "title",
        title,
        onclick: () => open(thread),
        ...(isOpen && { attributes: { "aria-current": "page" } }),
      },
      h("span", { dir: "auto" }, title),
    );
    link.dataset["at"] = thread;
    rename.dataset["at"] = `${thread} rename`;
    remove.dataset["at"] = `${thread} delete`;
    return h("li", { class: isOpen ? "open" : "" }, link, rename, remove);
  }

  async function renamed({ thread, title }: ThreadEntry): Promise<void> {
    const wish = await ask({ title: say("renameTo"), value: title, yes: say("save"), no: say("cancel") });
    if (wish?.trim()) await call("PATCH", `conversations/${thread}`, { title: wish.trim() });
  }

  async function deleted({ thread, title }: ThreadEntry): Promise<void> {
    const sure = await ask({
      title: `${title}: ${say("deleteSure")}`,
      yes: say("delete"),
      no: say("cancel"),
      danger: true,
    });
    if (sure !== undefined) await call("DELETE", `conversations/${thread}`);
  }
}
