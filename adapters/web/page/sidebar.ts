import { call, type Entry, type News } from "./client.ts";
import { ask, h, iconButton } from "./dom.ts";
import { say } from "./texts.ts";

export interface Sidebar {
  readonly element: HTMLElement;
  news(news: News): void;
  /** Looks at the whole list anew. */
  refresh(): Promise<void>;
  /** Shows which one is open. */
  select(thread: string): void;
}

export interface SidebarOptions {
  readonly open: (thread: string) => void;
  readonly begin: () => void;
  readonly failed: (error: unknown) => void;
  /** What stands below the list. */
  readonly footer: HTMLElement;
}

type Listed = Extract<News, { kind: "listed" | "deleted" }>;

/** The list of one's conversations, to be searched and looked after. */
export function createSidebar({ open, begin, failed, footer }: SidebarOptions): Sidebar {
  const entries = new Map<string, Entry>();
  /** The threads that a search has found; all if absent. */
  let found: ReadonlySet<string> | undefined;
  let selected = "";
  let searching = 0;
  /** What has come while one looks at the whole list: the look may be older. */
  let meanwhile: Listed[] | undefined;
  const list = h("ul", { class: "conversations" });
  const search = h("input", { type: "search", placeholder: say("search"), ariaLabel: say("search") });
  search.oninput = () => {
    clearTimeout(searching);
    searching = window.setTimeout(() => void look().catch(failed), 200);
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
    news: (one) => {
      if (one.kind !== "listed" && one.kind !== "deleted") return;
      meanwhile?.push(one);
      take(one);
      draw();
    },
    refresh,
    select: (thread) => {
      selected = thread;
      draw();
    },
  };

  async function refresh(): Promise<void> {
    const missed: Listed[] = [];
    meanwhile = missed;
    const all = await call<Entry[]>("GET", "conversations");
    // Only the newest look counts.
    if (meanwhile !== missed) return;
    meanwhile = undefined;
    entries.clear();
    for (const entry of all) entries.set(entry.thread, entry);
    for (const one of missed) take(one);
    draw();
  }

  function take(one: Listed): void {
    if (one.kind === "deleted") {
      entries.delete(one.thread);
      return;
    }
    entries.set(one.thread, one);
    found = found && new Set([...found, one.thread]);
  }

  async function look(): Promise<void> {
    const words = search.value.trim();
    const answer = words && (await call<Entry[]>("GET", `conversations?search=${encodeURIComponent(words)}`));
    // Meanwhile something else may have been asked for.
    if (words !== search.value.trim()) return;
    found = answer ? new Set(answer.map(({ thread }) => thread)) : undefined;
    draw();
  }

  function draw(): void {
    const shown = [...entries.values()]
      .filter(({ thread }) => found?.has(thread) ?? true)
      .sort((a, b) => b.at - a.at);
    // Whoever uses the keyboard stays where they are.
    const focused = list.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset["at"]
      : undefined;
    list.replaceChildren(...shown.map(item));
    if (shown.length === 0) list.append(h("li", { class: "empty" }, say(found ? "nothingFound" : "noneYet")));
    if (focused) list.querySelector<HTMLElement>(`[data-at="${CSS.escape(focused)}"]`)?.focus();
  }

  function item(entry: Entry): HTMLElement {
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

  async function renamed({ thread, title }: Entry): Promise<void> {
    const wish = await ask({ title: say("renameTo"), value: title, yes: say("save"), no: say("cancel") });
    if (wish?.trim()) await call("PATCH", `conversations/${thread}`, { title: wish.trim() });
  }

  async function deleted({ thread, title }: Entry): Promise<void> {
    const sure = await ask({
      title: `${title}: ${say("deleteSure")}`,
      yes: say("delete"),
      no: say("cancel"),
      danger: true,
    });
    if (sure !== undefined) await call("DELETE", `conversations/${thread}`);
  }
}
