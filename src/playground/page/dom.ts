/** The properties of a new element. */
export interface Properties {
  readonly class?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Called on a click. */
  readonly on?: (event: Event) => void;
}

/** Makes an element with children. A string becomes a text node, never HTML. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { class: className, attributes = {}, on }: Properties = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  if (className) element.className = className;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (on) element.addEventListener("click", on);
  element.append(...children);
  return element;
}

/** Makes a button that does not submit a form. */
export function button(text: string, on: () => void, className = ""): HTMLButtonElement {
  return make("button", { class: className, attributes: { type: "button" }, on }, text);
}

/** Finds the element with an id; throws an error if there is none. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}`);
  return found;
}
