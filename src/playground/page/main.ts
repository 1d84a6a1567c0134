import { say, locale, type TextName } from "./texts.ts";

interface Line {
  readonly mine: boolean;
  readonly html: string;
  readonly buttons?: readonly string[];
}

interface State {
  readonly running: boolean;
  readonly web: boolean;
  readonly slow: boolean;
  readonly simulated: boolean;
}

const WINDOWS = ["telegram", "discord", "dingtalk", "terminal"] as const;
const NAMES = {
  telegram: "Telegram",
  discord: "Discord",
  dingtalk: "DingTalk",
  terminal: "colloquy chat",
  web: "Web",
};
const HINTS: Readonly<Record<string, TextName>> = { discord: "hintDiscord" };
const CONTROLS = ["slow", "long", "busy", "flood", "drop", "kill"] as const;
const PEOPLE = ["Ann", "Bob"];

document.documentElement.lang = locale();
let person = PEOPLE[0] ?? "";
let events: EventSource | undefined;

const lists = new Map(WINDOWS.map((name) => [name, element("div", "lines")]));
for (const list of lists.values()) list.setAttribute("role", "log");
const frame = element("iframe", "frame");
frame.title = NAMES.web;
const journey = element("ol", "journey");
const status = element("span", "status");
status.setAttribute("role", "status");
const buttons = new Map(CONTROLS.map((what) => [what, control(what)]));

document.body.append(header(), windows(), aside());
follow();

function header(): HTMLElement {
  const title = element("h1");
  title.textContent = say("title");
  const choice = element("div", "people");
  choice.setAttribute("role", "group");
  choice.setAttribute("aria-label", say("person"));
  for (const name of PEOPLE) {
    const button = element("button");
    button.textContent = name;
    button.setAttribute("aria-pressed", String(name === person));
    button.onclick = () => {
      person = name;
      for (const other of choice.children) other.setAttribute("aria-pressed", String(other === button));
      follow();
    };
    choice.append(button);
  }
  const top = element("header");
  top.append(title, choice, ...buttons.values(), status);
  return top;
}

function windows(): HTMLElement {
  const main = element("main");
  for (const name of WINDOWS) {
    const window = element("section", `window ${name}`);
    window.setAttribute("aria-label", NAMES[name]);
    const title = element("h2");
    title.textContent = NAMES[name];
    const form = element("form");
    const input = element("input");
    input.placeholder = say(HINTS[name] ?? "hint");
    input.ariaLabel = `${NAMES[name]}: ${say("hint")}`;
    input.autocomplete = "off";
    form.append(input);
    form.onsubmit = (event) => {
      event.preventDefault();
      if (input.value.trim()) void post("say", { window: name, person, text: input.value });
      input.value = "";
    };
    window.append(title, lists.get(name) ?? "", form);
    main.append(window);
  }
  const web = element("section", "window web");
  web.setAttribute("aria-label", NAMES.web);
  const title = element("h2");
  title.textContent = NAMES.web;
  web.append(title, frame);
  main.append(web);
  return main;
}

function aside(): HTMLElement {
  const side = element("aside");
  const title = element("h2");
  title.textContent = say("journey");
  side.append(title, journey);
  return side;
}

function control(what: (typeof CONTROLS)[number]): HTMLButtonElement {
  const button = element("button", "control");
  button.textContent = say(what);
  button.title = say(`${what}Hint`);
  if (what === "slow" || what === "long") button.setAttribute("aria-pressed", "false");
  button.onclick = () => {
    void post("control", { what });
    const pressed = button.getAttribute("aria-pressed");
    if (pressed) button.setAttribute("aria-pressed", String(pressed !== "true"));
  };
  return button;
}

function follow(): void {
  events?.close();
  frame.removeAttribute("src");
  events = new EventSource(`events?person=${encodeURIComponent(person)}`);
  for (const name of WINDOWS)
    events.addEventListener(name, (event) => draw(name, JSON.parse(event.data as string) as Line[]));
  events.addEventListener("journey", (event) => {
    const steps = JSON.parse(event.data as string) as { step: string; ms: number }[];
    journey.replaceChildren(...shortened(steps).map((text) => withText("li", text)));
  });
  events.addEventListener("state", (event) => {
    const { running, web, simulated } = JSON.parse(event.data as string) as State;
    status.textContent = say(web ? "works" : running ? "starts" : "killed");
    status.dataset["state"] = web ? "good" : "bad";
    for (const what of ["slow", "long", "busy"] as const) {
      const button = buttons.get(what);
      if (button) button.hidden = !simulated;
    }
    if (web && !frame.getAttribute("src")) frame.src = `web/${person}/`;
  });
}

function draw(name: (typeof WINDOWS)[number], lines: readonly Line[]): void {
  const list = lists.get(name);
  if (!list) return;
  const wanted = lines.map(({ mine, html, buttons = [] }) => ({
    mine,
    html,
    buttons,
    key: JSON.stringify([mine, html, buttons]),
  }));
  const present = [...list.children] as HTMLElement[];
  for (const [index, line] of wanted.entries()) {
    const old = present[index];
    if (old?.dataset["key"] === line.key) continue;
    const next = element("div", line.mine ? "line mine" : "line");
    next.dataset["key"] = line.key;
    const bubble = element("div", "bubble");
    bubble.dir = "auto";
    // The server's own HTML, in which all that people and models write is escaped.
    bubble.innerHTML = line.html;
    next.append(bubble, ...line.buttons.map((label) => choice(name, label)));
    if (old) old.replaceWith(next);
    else list.append(next);
  }
  for (const old of present.slice(wanted.length)) old.remove();
  list.scrollTop = list.scrollHeight;
}

function choice(window: string, label: string): HTMLElement {
  const button = element("button", "choice");
  button.textContent = label;
  button.onclick = () => void post("press", { window, person, text: label });
  return button;
}

/** The same step many times over stands there once. */
function shortened(steps: readonly { step: string; ms: number }[]): string[] {
  const rows: { step: string; ms: number; times: number }[] = [];
  for (const { step, ms } of steps) {
    const last = rows.at(-1);
    if (last?.step === step) Object.assign(last, { ms, times: last.times + 1 });
    else rows.push({ step, ms, times: 1 });
  }
  return rows.map(
    ({ step, ms, times }) => `${step}${times > 1 ? ` ×${times}` : ""} · ${(ms / 1000).toFixed(2)} s`,
  );
}

async function post(path: string, body: object): Promise<void> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => undefined);
  if (response && !response.ok) status.textContent = ((await response.json()) as { error: string }).error;
}

function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, name = ""): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}

function withText(tag: "li", text: string): HTMLElement {
  const made = element(tag);
  made.textContent = text;
  return made;
}
