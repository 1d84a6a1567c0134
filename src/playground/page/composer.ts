import type { CommandName } from "../protocol.ts";
import { button, make } from "./dom.ts";
import { words } from "./words.ts";

export interface ComposerOptions {
  readonly label: string;
  readonly placeholder: string;
  readonly send: (text: string) => void;
  /** The commands that are completed after a slash. */
  readonly commands: () => readonly CommandName[];
  /** A key that is pressed while nothing is typed; true if something was done. */
  readonly key?: (event: KeyboardEvent) => boolean;
}

/** Where one writes: Enter sends, Shift-Enter begins a line, commands are completed. */
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
    look();
    send(text);
  };
  const complete = (name: string) => {
    input.value = `/${name} `;
    look();
    input.focus();
  };
  const look = () => {
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
  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    // Enter that ends the choice of a character sends nothing.
    if (event.isComposing) return;
    if (input.value === "" && key?.(event)) return event.preventDefault();
    const exact = found.some(({ name }) => `/${name}` === input.value);
    if (found.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      look();
    } else if (found.length > 0 && (event.key === "Tab" || (event.key === "Enter" && !exact))) {
      complete(found[chosen]?.name ?? "");
    } else if (event.key === "Escape" && found.length > 0) {
      list.hidden = true;
      found = [];
    } else if (event.key === "Enter" && !event.shiftKey) submit();
    else return;
    event.preventDefault();
  });
  return make("div", { class: "composer" }, list, input, button(words.send, submit, "send"));
}
