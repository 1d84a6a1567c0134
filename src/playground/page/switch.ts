import type { Person } from "../protocol.ts";
import { button, make } from "./dom.ts";
import { texts } from "./texts.ts";

/** Makes the switch that selects the user of a window. */
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
    { class: "switch", attributes: { role: "group", "aria-label": `${window}: ${texts.person}` } },
    ...buttons,
  );
}
