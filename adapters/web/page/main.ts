import { createChat } from "./chat.ts";
import { call, type Cost, follow, type Me, type News, speakAs } from "./client.ts";
import { h, iconButton, show } from "./dom.ts";
import { createSidebar } from "./sidebar.ts";
import { keyInAddress, signIn, told } from "./sign-in.ts";
import { LANGUAGES, locale, say } from "./texts.ts";

document.documentElement.lang = locale();
document.documentElement.dataset["theme"] = localStorage.getItem("theme") ?? "auto";
const app = h("div", { id: "app" });
document.body.append(app);
void begin();

async function begin(): Promise<void> {
  speakAs(await signIn(app));
  const me = await call<Me>("GET", "me");
  const notice = h("p", { class: "notice", role: "alert", hidden: true, onclick: () => tell("") });
  let vanishing = 0;
  const failed = (error: unknown) => tell(say("failed", { why: told(error) }));
  const menu = iconButton("menu", say("menu"), () => app.classList.toggle("with-sidebar"));
  const chat = createChat({ me, failed, tell, menu, exported: (thread) => offer(thread, failed) });
  const sidebar = createSidebar({
    open,
    begin: () => open(crypto.randomUUID()),
    failed,
    footer: footer(me, failed),
  });
  app.replaceChildren(sidebar.element, chat.element, notice);
  onhashchange = () => (keyInAddress() ? location.reload() : open(threadInAddress()));
  open(threadInAddress());
  follow({
    news,
    gap: () => void Promise.all([sidebar.refresh(), chat.refresh()]).catch(failed),
    connected: (is) => (is ? tell("") : tell(say("offline"), true)),
    signedOut: () => location.reload(),
  });
  await sidebar.refresh().catch(failed);

  function open(thread: string): void {
    app.classList.remove("with-sidebar");
    sidebar.select(thread);
    if (thread === chat.thread) return;
    history.replaceState(undefined, "", `#c=${thread}`);
    void chat.open(thread).catch(failed);
  }

  function news(one: News, position: string): void {
    sidebar.news(one);
    if (one.kind === "deleted" && one.thread === chat.thread) open(crypto.randomUUID());
    chat.news(one, position);
  }

  /** It vanishes when it is clicked, and after a while unless it `stays`. */
  function tell(text: string, stays = false): void {
    clearTimeout(vanishing);
    notice.hidden = !text;
    notice.textContent = text;
    if (text && !stays) vanishing = window.setTimeout(() => tell(""), SEEN_MS);
  }
}

/** So long a notice is to be seen, in ms. */
const SEEN_MS = 10_000;

function threadInAddress(): string {
  const found = new URLSearchParams(location.hash.slice(1)).get("c") ?? "";
  return /^[\w-]{1,40}$/.test(found) ? found : crypto.randomUUID();
}

function footer(me: Me, failed: (error: unknown) => void): HTMLElement {
  const theme = h(
    "select",
    { ariaLabel: say("theme") },
    ...(["auto", "light", "dark"] as const).map((name) =>
      h(
        "option",
        { value: name, selected: name === (localStorage.getItem("theme") ?? "auto") },
        `${say("theme")}: ${say(THEMES[name])}`,
      ),
    ),
  );
  theme.onchange = () => {
    localStorage.setItem("theme", theme.value);
    document.documentElement.dataset["theme"] = theme.value;
  };
  const language = h(
    "select",
    { ariaLabel: say("language") },
    ...Object.entries(LANGUAGES).map(([tag, { name }]) =>
      h("option", { value: tag, selected: locale().startsWith(tag) }, name),
    ),
  );
  language.onchange = () => {
    localStorage.setItem("language", language.value);
    location.reload();
  };
  const usage = h(
    "button",
    { type: "button", onclick: () => void showUsage(me).catch(failed) },
    say("usage"),
  );
  const leave = h(
    "button",
    { type: "button", onclick: () => void call("DELETE", "session").then(() => location.reload(), failed) },
    say("signOut"),
  );
  return h(
    "div",
    { class: "account" },
    h("p", { class: "name", dir: "auto" }, me.user),
    theme,
    language,
    usage,
    leave,
  );
}

const THEMES = { auto: "themeAuto", light: "themeLight", dark: "themeDark" } as const;

async function showUsage({ currency }: Me): Promise<void> {
  const costs = await call<Cost[]>("GET", "usage");
  if (costs.length === 0) return show(say("usage"), say("close"), h("p", {}, say("usageNone")));
  const number = (value: number) => value.toLocaleString(locale());
  const money = (value: number | undefined) => {
    if (value === undefined) return "–";
    const amount = value.toLocaleString(locale(), { maximumFractionDigits: 4 });
    return /^[A-Z]{3}$/.test(currency) ? `${amount} ${currency}` : currency + amount;
  };
  const sum = (of: (cost: Cost) => number) => costs.reduce((total, cost) => total + of(cost), 0);
  const priced = costs.some(({ cost }) => cost !== undefined);
  const total: Cost = {
    day: say("total"),
    model: "",
    turns: sum(({ turns }) => turns),
    input: sum(({ input }) => input),
    output: sum(({ output }) => output),
    ...(priced && { cost: sum(({ cost = 0 }) => cost) }),
    estimated: costs.some(({ estimated }) => estimated),
  };
  const row = ({ day, model, turns, input, output, cost, estimated }: Cost) => {
    const about = estimated ? "≈ " : "";
    const cells = [day, model, number(turns), about + number(input), about + number(output), money(cost)];
    return h("tr", {}, ...cells.map((text) => h("td", {}, text)));
  };
  const names = [say("day"), say("model"), say("turns"), say("input"), say("output"), say("cost")];
  const head = h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)));
  show(
    say("usage"),
    say("close"),
    h(
      "div",
      { class: "table", tabIndex: 0 },
      h("table", {}, h("thead", {}, head), h("tbody", {}, ...costs.map(row)), h("tfoot", {}, row(total))),
    ),
    h("p", { class: "hint", hidden: !total.estimated }, say("estimated")),
  );
}

const FORMATS = { md: "exportMd", jsonl: "exportJsonl", json: "exportJson" } as const;

/** Asks as what the conversation shall be saved. */
function offer(thread: string, failed: (error: unknown) => void): void {
  const formats = Object.keys(FORMATS) as (keyof typeof FORMATS)[];
  const buttons = formats.map((format) =>
    h(
      "button",
      { type: "button", onclick: () => void save(thread, format).catch(failed) },
      say(FORMATS[format]),
    ),
  );
  show(say("export"), say("close"), h("div", { class: "formats" }, ...buttons));
}

async function save(thread: string, format: keyof typeof FORMATS): Promise<void> {
  const { name, content } = await call<{ name: string; content: string }>(
    "GET",
    `conversations/${thread}/export?format=${format}`,
  );
  const link = h("a", {
    href: URL.createObjectURL(new Blob([content], { type: "text/plain" })),
    download: name,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
