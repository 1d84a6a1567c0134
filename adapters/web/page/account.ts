import { call, type Cost, type Me } from "./client.ts";
import { h, show } from "./dom.ts";
import { LANGUAGES, locale, say } from "./texts.ts";

const THEMES = { auto: "themeAuto", light: "themeLight", dark: "themeDark" } as const;

/** Creates the footer of the sidebar: the user's name, theme, language and usage, and a button to sign out. */
export function accountFooter(me: Me, failed: (error: unknown) => void): HTMLElement {
  const usage = h(
    "button",
    { type: "button", onclick: () => void showUsage(me).catch(failed) },
    say("usage"),
  );
  const signOut = h(
    "button",
    { type: "button", onclick: () => void call("DELETE", "session").then(() => location.reload(), failed) },
    say("signOut"),
  );
  return h(
    "div",
    { class: "account" },
    h("p", { class: "name", dir: "auto" }, me.user),
    themeMenu(),
    languageMenu(),
    usage,
    signOut,
  );
}

function themeMenu(): HTMLElement {
  const menu = h(
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
  menu.onchange = () => {
    localStorage.setItem("theme", menu.value);
    document.documentElement.dataset["theme"] = menu.value;
  };
  return menu;
}

function languageMenu(): HTMLElement {
  const menu = h(
    "select",
    { ariaLabel: say("language") },
    ...Object.entries(LANGUAGES).map(([tag, { name }]) =>
      h("option", { value: tag, selected: locale().startsWith(tag) }, name),
    ),
  );
  menu.onchange = () => {
    localStorage.setItem("language", menu.value);
    location.reload();
  };
  return menu;
}

async function showUsage({ currency }: Me): Promise<void> {
  const costs = await call<Cost[]>("GET", "usage");
  if (costs.length === 0) return show(say("usage"), say("close"), h("p", {}, say("usageNone")));
  const total = totalOf(costs);
  const names = [say("day"), say("model"), say("turns"), say("input"), say("output"), say("cost")];
  const head = h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)));
  const body = costs.map((cost) => usageRow(cost, currency));
  const foot = usageRow(total, currency);
  show(
    say("usage"),
    say("close"),
    h(
      "div",
      { class: "table", tabIndex: 0 },
      h("table", {}, h("thead", {}, head), h("tbody", {}, ...body), h("tfoot", {}, foot)),
    ),
    h("p", { class: "hint", hidden: !total.estimated }, say("estimated")),
  );
}

function totalOf(costs: readonly Cost[]): Cost {
  const sum = (of: (cost: Cost) => number) => costs.reduce((total, cost) => total + of(cost), 0);
  const hasPrices = costs.some(({ cost }) => cost !== undefined);
  return {
    day: say("total"),
    model: "",
    turns: sum(({ turns }) => turns),
    input: sum(({ input }) => input),
    output: sum(({ output }) => output),
    ...(hasPrices && { cost: sum(({ cost = 0 }) => cost) }),
    estimated: costs.some(({ estimated }) => estimated),
  };
}

function usageRow(
  { day, model, turns, input, output, cost, estimated }: Cost,
  currency: string,
): HTMLElement {
  const number = (value: number) => value.toLocaleString(locale());
  const about = estimated ? "≈ " : "";
  const cells = [day, model, number(turns), about + number(input), about + number(output)];
  return h("tr", {}, ...[...cells, moneyOf(cost, currency)].map((text) => h("td", {}, text)));
}

function moneyOf(value: number | undefined, currency: string): string {
  if (value === undefined) return "–";
  const amount = value.toLocaleString(locale(), { maximumFractionDigits: 4 });
  return /^[A-Z]{3}$/.test(currency) ? `${amount} ${currency}` : currency + amount;
}
