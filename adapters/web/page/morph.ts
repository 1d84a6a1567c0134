/**
 * Makes an element hold this HTML and leaves alone what is the same already: what is selected in a finished paragraph
 * stays selected while the next one grows. The HTML is the server's own, in which all that the model wrote is escaped.
 */
export function morph(element: Element, html: string): void {
  const template = document.createElement("template");
  template.innerHTML = html;
  const wanted = [...template.content.childNodes];
  const present = [...element.childNodes];
  let same = 0;
  while (
    same < wanted.length &&
    same < present.length &&
    isSame(sources.get(present[same] as Node), wanted[same] as Node)
  )
    same += 1;
  for (const node of present.slice(same)) node.remove();
  for (const node of wanted.slice(same)) {
    sources.set(node, sourceOf(node));
    element.append(node);
  }
}

/** What nodes were before something else, such as colours, was added to them. */
const sources = new WeakMap<Node, string>();

function isSame(source: string | undefined, node: Node): boolean {
  return source !== undefined && source === sourceOf(node);
}

function sourceOf(node: Node): string {
  return node instanceof Element ? node.outerHTML : `#${node.textContent}`;
}
