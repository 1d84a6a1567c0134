import type { CommandName } from "../protocol.ts";
import { button, make } from "./dom.ts";
import { texts } from "./texts.ts";

export interface ComposerOptions {
  readonly label: string;
  readonly placeholder: string;
  readonly send: (text: string) => void;
  /** The commands to complete after a slash. */
  readonly commands: () => readonly CommandName[];
  /** Called for a key that is pressed in an empty field; returns whether the key was handled. */
  readonly key?: (event: KeyboardEvent) => boolean;
}

/** Makes the field for messages: Enter sends, Shift-Enter begins a line, commands are completed. */
export function makeComposer({ label, placeholder, send, commands, key }: ComposerOptions): HTMLElement {
  const input = make("textarea", {
    attributes: { rows: "1", "aria-label": label, placeholder, spellcheck: "false", autocomplete: "off" },
  });
  const list = make("div", { class: "completions", attributes: { role: "listbox", hidden: "" } });
  let found: readonly CommandName[] = [];
  let chosen = 0;

  const submit = () => {
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    refresh();
    send(text);
  };
  const complete = (name: string) => {
    input.value = `/${name} `;
    refresh();
    input.focus();
  };
  const refresh = () => {
    const begun = /^\/(\S*)$/.exec(input.value)?.[1];
    found = begun === undefined ? [] : commands().filter(({ name }) => name.startsWith(begun));
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    list.hidden = found.length === 0;
    list.replaceChildren(...found.map(makeEntry));
    input.rows = Math.min(5, input.value.split("\n").length);
  };
  const makeEntry = ({ name, description }: CommandName, index: number) => {
    const entry = button("", () => complete(name), index === chosen ? "chosen" : "");
    entry.setAttribute("role", "option");
    entry.setAttribute("aria-selected", String(index === chosen));
    entry.append(make("b", {}, `/${name}`), ` ${description}`);
    return entry;
  };
  input.addEventListener("input", refresh);
  input.addEventListener("keydown", (event) => {
    // In an input method, Enter confirms a character.
    if (event.isComposing) return;
    if (input.value === "" && key?.(event)) return event.preventDefault();
    const exact = found.some(({ name }) => `/${name}` === input.value);
    if (found.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      refresh();
    } else if (found.length > 0 && (event.key === "Tab" || (event.key === "Enter" && !exact))) {
      complete(found[chosen]?.name ?? "");
    } else if (event.key === "Escape" && found.length > 0) {
      list.hidden = true;
      found = [];
    } else if (event.key === "Enter" && !event.shiftKey) submit();
    else return;
    event.preventDefault();
  });
  return make("div", { class: "composer" }, list, input, button(texts.send, submit, "send"));
}
