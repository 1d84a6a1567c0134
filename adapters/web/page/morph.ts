/**
 * Replaces the content of an element by HTML, but keeps the first nodes that have not changed: a selection in a finished
 * paragraph stays while the next one is being written. The HTML comes from the web dialect, which escapes everything that
 * the model wrote.
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

/** The HTML of nodes before anything else, such as highlighting, was added to them. */
const sources = new WeakMap<Node, string>();

function isSame(source: string | undefined, node: Node): boolean {
  return source !== undefined && source === sourceOf(node);
}

function sourceOf(node: Node): string {
  return node instanceof Element ? node.outerHTML : `#${node.textContent}`;
}
