import type { Kind, Shape } from "../protocol.ts";
import { make } from "./dom.ts";

/** The element of each kind, and its class if other kinds use the same element. */
const ELEMENTS: Readonly<Record<Kind, readonly [name: keyof HTMLElementTagNameMap, className?: string]>> = {
  bold: ["strong"],
  italic: ["em"],
  underline: ["u"],
  strike: ["s"],
  dim: ["span", "dim"],
  inverse: ["span", "inverse"],
  cyan: ["span", "cyan"],
  code: ["code"],
  pre: ["pre"],
  spoiler: ["span", "spoiler"],
  quote: ["blockquote"],
  mention: ["span", "mention"],
  small: ["small"],
  h1: ["div", "h1"],
  h2: ["div", "h2"],
  h3: ["div", "h3"],
  paragraph: ["p"],
  list: ["ul"],
  numbers: ["ol"],
  item: ["div", "item"],
  table: ["table"],
  row: ["tr"],
  head: ["th"],
  cell: ["td"],
  link: ["a"],
  rule: ["hr"],
};

/** Makes elements for formatted text. Only known kinds become elements; strings become text nodes. */
export function draw(shapes: readonly Shape[], within?: Kind): (Node | string)[] {
  return shapes.map((shape) => {
    if (typeof shape === "string") return shape;
    const [usual, className] = ELEMENTS[shape.is] ?? ["span"];
    // Discord's items are not inside a list, where <li> is not allowed.
    const name = shape.is === "item" && (within === "list" || within === "numbers") ? "li" : usual;
    const element = make(
      name,
      className === undefined ? {} : { class: className },
      ...draw(shape.of, shape.is),
    );
    if (shape.is === "link") addAddress(element, shape.href);
    if (shape.is === "spoiler") makeSpoiler(element);
    if (shape.is === "pre" && shape.note) element.dataset["language"] = shape.note;
    if (shape.is === "numbers" && shape.note) element.setAttribute("start", shape.note);
    return element;
  });
}

/** Sets the address of a link. Checked again here: no matter what the server sends, links lead only to web pages. */
function addAddress(element: HTMLElement, href = ""): void {
  if (!/^https?:\/\//i.test(href)) return;
  element.setAttribute("href", href);
  element.setAttribute("target", "_blank");
  element.setAttribute("rel", "noopener noreferrer");
  element.title = href;
}

function makeSpoiler(element: HTMLElement): void {
  element.tabIndex = 0;
  element.setAttribute("role", "button");
  const open = () => element.classList.add("open");
  element.addEventListener("click", open);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") open();
  });
}
