import type { Frame, Line, Person, WindowName } from "../protocol.ts";
import { makeComposer } from "./composer.ts";
import { button, make } from "./dom.ts";
import { wish } from "./server.ts";
import { draw } from "./shapes.ts";
import { makeSwitch } from "./switch.ts";
import { words } from "./words.ts";

/** A window of the page that the server draws. */
export interface PlayWindow {
  readonly element: HTMLElement;
  take(frame: Frame): void;
  say(text: string): void;
}

export interface WindowOptions {
  readonly name: WindowName;
  readonly people: readonly [Person, ...Person[]];
  /** Somebody writes here now. */
  readonly used: () => void;
}

interface Seen {
  readonly lines: Map<string, Line>;
  order: readonly string[];
  typing: boolean;
  commands: Frame["commands"];
}

/** Nearer than this to the end somebody reads along, in pixels. */
const NEAR_END = 60;

/** A window with its messages, person switch and place to write. */
export function makeWindow({ name, people, used }: WindowOptions): PlayWindow {
  const seen = new Map<string, Seen>();
  let person = people[0];
  const log = make("div", { class: "log", attributes: { role: "log", "aria-live": "off", tabindex: "0" } });
  const typing = make("div", { class: "typing" }, words.typing);
  const status = make("small", {}, words.online);
  const choose = makeSwitch(words[name], people, (next) => {
    person = next;
    element.dataset["person"] = person;
    if (name === "terminal") void wish({ do: "key", person, key: "" });
    drawnOf.clear();
    log.replaceChildren();
    show();
  });
  const say = (text: string) => void wish({ do: "say", window: name, person, text });
  const composer = makeComposer({
    label: `${words[name]}: ${words.write}`,
    placeholder: name === "terminal" ? words.command : words.write,
    send: (text) => {
      used();
      say(text);
    },
    commands: () => seen.get(person)?.commands ?? [],
    ...(name === "terminal" && { key: pressKey }),
  });
  const element = make(
    "section",
    { class: `window ${name}`, attributes: { "aria-label": words[name], "data-person": person } },
    make(
      "div",
      { class: "bar" },
      make("span", { class: "face", attributes: { "aria-hidden": "true" } }),
      make("div", { class: "names" }, make("b", {}, words[name]), status),
      choose,
    ),
    log,
    typing,
    composer,
  );
  element.addEventListener("focusin", used);
  /** The lines as they stand on the page. */
  const drawnOf = new Map<string, { line: Line; element: HTMLElement }>();

  return {
    element,
    say,
    take: (frame) => {
      const before = seen.get(frame.person)?.lines;
      const lines = new Map<string, Line>();
      for (const line of frame.lines) {
        const known = typeof line === "string" ? before?.get(line) : line;
        if (known) lines.set(known.id, known);
      }
      const { typing, commands } = frame;
      seen.set(frame.person, { lines, order: [...lines.keys()], typing, commands });
      if (frame.person === person) show();
    },
  };

  function show(): void {
    const now = seen.get(person);
    const isNear = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    typing.classList.toggle("seen", now?.typing ?? false);
    status.textContent = now?.typing ? words.typing : words.online;
    for (const [id, drawn] of drawnOf) {
      if (now?.lines.get(id) === drawn.line) continue;
      if (!now?.lines.has(id)) drawn.element.remove();
    }
    for (const [index, id] of (now?.order ?? []).entries()) place(index, id, now?.lines.get(id));
    for (const id of drawnOf.keys()) if (!now?.lines.has(id)) drawnOf.delete(id);
    if (isNear) log.scrollTop = log.scrollHeight;
  }

  function place(index: number, id: string, line: Line | undefined): void {
    if (!line) return;
    const known = drawnOf.get(id);
    const at = log.children[index];
    if (known?.line === line) {
      if (at !== known.element) log.insertBefore(known.element, at ?? null);
      return;
    }
    const fresh = makeLine(line);
    drawnOf.set(id, { line, element: fresh });
    if (known) known.element.replaceWith(fresh);
    else log.insertBefore(fresh, at ?? null);
  }

  function makeLine(line: Line): HTMLElement {
    if (name === "terminal") return make("div", { class: "row" }, ...draw(line.shapes));
    const { from, shapes, state, title, edits = 0, buttons = [], files = [] } = line;
    const body = make("div", { class: "bubble" }, ...draw(shapes));
    if (title && name === "dingtalk") body.prepend(make("div", { class: "title" }, title));
    if (state && from !== "draft") body.append(make("span", { class: `state ${state}` }, words[state]));
    for (const file of files) body.append(makeFile(file));
    if (edits > 0 && from === "bot") body.append(make("small", { class: "edited" }, `(${words.edited})`));
    const press = (label: string) => void wish({ do: "press", window: name, person, button: label });
    const row = make(
      "div",
      { class: "buttons" },
      ...buttons.map((label) => button(label, () => press(label))),
    );
    if (from === "draft" && state) {
      row.append(button(words.stopDraft, () => void wish({ do: "stop", window: name, person })));
    }
    const who = from === "me" ? person : "Colloquy";
    return make(
      "article",
      { class: `line ${from}` },
      make("span", { class: "face", attributes: { "aria-hidden": "true" } }, who.slice(0, 1)),
      make("div", { class: "said" }, makeName(who, from), body, ...(row.childElementCount > 0 ? [row] : [])),
    );
  }

  function pressKey(event: KeyboardEvent): boolean {
    const key = event.ctrlKey && event.key === "c" ? "Ctrl-C" : event.key;
    if (!["Ctrl-C", "ArrowUp", "ArrowDown", "Enter"].includes(key)) return false;
    void wish({ do: "key", person, key });
    return true;
  }
}

function makeName(who: string, from: Line["from"]): HTMLElement {
  const name = make("div", { class: "who" }, make("b", {}, who));
  if (from !== "me") name.append(make("span", { class: "tag" }, from === "draft" ? words.draft : words.app));
  return name;
}

function makeFile({ name, text }: { readonly name: string; readonly text: string }): HTMLElement {
  const size = `${name} · ${Math.ceil(new TextEncoder().encode(text).length / 1024)} kB`;
  return make(
    "details",
    { class: "file" },
    make("summary", {}, size),
    make("pre", {}, text.slice(0, 20_000)),
  );
}
