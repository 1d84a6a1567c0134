import type { Kind, Shape } from "../protocol.ts";
import { make } from "./dom.ts";

/** The element of each kind, with a class where the element alone does not say it. */
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

/** Elements for formatted text. Only kinds that are known become elements, and words only text. */
export function draw(shapes: readonly Shape[], within?: Kind): (Node | string)[] {
  return shapes.map((shape) => {
    if (typeof shape === "string") return shape;
    const [usual, className] = ELEMENTS[shape.is] ?? ["span"];
    // An item that stands outside a list, as Discord's do, only looks like one.
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

/** Checked here once more: whatever the server says, only web pages are led to. */
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
