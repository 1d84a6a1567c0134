import type { Person } from "../protocol.ts";
import { button, make } from "./dom.ts";
import { words } from "./words.ts";

/** Lets one choose whose window it is. */
export function makeSwitch(
  window: string,
  people: readonly Person[],
  choose: (person: Person) => void,
): HTMLElement {
  const buttons = people.map((person) =>
    button(person, () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other.textContent === person));
      choose(person);
    }),
  );
  buttons.forEach((each, index) => each.setAttribute("aria-pressed", String(index === 0)));
  return make(
    "div",
    { class: "switch", attributes: { role: "group", "aria-label": `${window}: ${words.person}` } },
    ...buttons,
  );
}
