import type { Frame, Line, Person, WindowName } from "../protocol.ts";
import { makeComposer } from "./composer.ts";
import { button, make } from "./dom.ts";
import { wish } from "./server.ts";
import { draw } from "./shapes.ts";
import { makeSwitch } from "./switch.ts";
import { texts } from "./texts.ts";

/** A window of the page. */
export interface PlayWindow {
  readonly element: HTMLElement;
  /** Shows a frame of the server. */
  update(frame: Frame): void;
  say(text: string): void;
}

export interface WindowOptions {
  readonly name: WindowName;
  readonly people: readonly [Person, ...Person[]];
  /** Called when the window is used. */
  readonly used: () => void;
}

interface Seen {
  readonly lines: Map<string, Line>;
  order: readonly string[];
  typing: boolean;
  commands: Frame["commands"];
}

/** The distance from the end, in pixels, within which the window scrolls along with new text. */
const NEAR_END = 60;

/** Makes a window with its messages, its user switch and its field for messages. */
export function makeWindow({ name, people, used }: WindowOptions): PlayWindow {
  const seen = new Map<string, Seen>();
  let person = people[0];
  const log = make("div", { class: "log", attributes: { role: "log", "aria-live": "off", tabindex: "0" } });
  const typing = make("div", { class: "typing" }, texts.typing);
  const status = make("small", {}, texts.online);
  const choose = makeSwitch(texts[name], people, (next) => {
    person = next;
    element.dataset["person"] = person;
    if (name === "terminal") void wish({ do: "key", person, key: "" });
    drawnLines.clear();
    log.replaceChildren();
    show();
  });
  const say = (text: string) => void wish({ do: "say", window: name, person, text });
  const composer = makeComposer({
    label: `${texts[name]}: ${texts.write}`,
    placeholder: name === "terminal" ? texts.command : texts.write,
    send: (text) => {
      used();
      say(text);
    },
    commands: () => seen.get(person)?.commands ?? [],
    ...(name === "terminal" && { key: pressKey }),
  });
  const element = make(
    "section",
    { class: `window ${name}`, attributes: { "aria-label": texts[name], "data-person": person } },
    make(
      "div",
      { class: "bar" },
      make("span", { class: "face", attributes: { "aria-hidden": "true" } }),
      make("div", { class: "names" }, make("b", {}, texts[name]), status),
      choose,
    ),
    log,
    typing,
    composer,
  );
  element.addEventListener("focusin", used);
  /** The lines that the page shows, by id. */
  const drawnLines = new Map<string, { line: Line; element: HTMLElement }>();

  return {
    element,
    say,
    update: (frame) => {
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
    status.textContent = now?.typing ? texts.typing : texts.online;
    for (const [id, drawn] of drawnLines) {
      if (now?.lines.get(id) === drawn.line) continue;
      if (!now?.lines.has(id)) drawn.element.remove();
    }
    for (const [index, id] of (now?.order ?? []).entries()) putLine(index, id, now?.lines.get(id));
    for (const id of drawnLines.keys()) if (!now?.lines.has(id)) drawnLines.delete(id);
    if (isNear) log.scrollTop = log.scrollHeight;
  }

  function putLine(index: number, id: string, line: Line | undefined): void {
    if (!line) return;
    const known = drawnLines.get(id);
    const at = log.children[index];
    if (known?.line === line) {
      if (at !== known.element) log.insertBefore(known.element, at ?? null);
      return;
    }
    const fresh = makeLine(line);
    drawnLines.set(id, { line, element: fresh });
    if (known) known.element.replaceWith(fresh);
    else log.insertBefore(fresh, at ?? null);
  }

  function makeLine(line: Line): HTMLElement {
    if (name === "terminal") return make("div", { class: "row" }, ...draw(line.shapes));
    const { from, shapes, state, title, edits = 0, buttons = [], files = [] } = line;
    const body = make("div", { class: "bubble" }, ...draw(shapes));
    if (title && name === "dingtalk") body.prepend(make("div", { class: "title" }, title));
    if (state && from !== "draft") body.append(make("span", { class: `state ${state}` }, texts[state]));
    for (const file of files) body.append(makeFile(file));
    if (edits > 0 && from === "bot") body.append(make("small", { class: "edited" }, `(${texts.edited})`));
    const press = (label: string) => void wish({ do: "press", window: name, person, button: label });
    const row = make(
      "div",
      { class: "buttons" },
      ...buttons.map((label) => button(label, () => press(label))),
    );
    if (from === "draft" && state) {
      row.append(button(texts.stopDraft, () => void wish({ do: "stop", window: name, person })));
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
  if (from !== "me") name.append(make("span", { class: "tag" }, from === "draft" ? texts.draft : texts.app));
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
