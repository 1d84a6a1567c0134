/** What an element is given beside its children. */
export interface Given {
  readonly class?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly on?: (event: Event) => void;
}

/** An element with children; `on` is told of clicks. Text is only ever text. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { class: className, attributes = {}, on }: Given = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  if (className) element.className = className;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (on) element.addEventListener("click", on);
  element.append(...children);
  return element;
}

/** A button that is no part of a form. */
export function button(text: string, on: () => void, className = ""): HTMLButtonElement {
  return make("button", { class: className, attributes: { type: "button" }, on }, text);
}

/** The element of the page with this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}`);
  return found;
}
