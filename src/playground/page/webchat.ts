import type { Person } from "../protocol.ts";
import { make } from "./dom.ts";
import { makeSwitch } from "./switch.ts";
import { texts } from "./texts.ts";

/** Makes the window with the worker's own web chat, in a frame. `load` shows it once the worker serves it. */
export function makeWebChat(people: readonly [Person, ...Person[]]): {
  readonly element: HTMLElement;
  load(): void;
} {
  const content = make("div", { class: "content" }, make("p", {}, texts.webMissing));
  let person = people[0];
  let shown: Person | undefined;
  const choose = makeSwitch(texts.web, people, (next) => {
    person = next;
    void load();
  });
  const element = make(
    "section",
    { class: "window web", attributes: { "aria-label": texts.web } },
    make("div", { class: "bar" }, make("span", { class: "address" }, `127.0.0.1 / ${texts.web}`), choose),
    content,
  );
  return { element, load: () => void load() };

  async function load(): Promise<void> {
    const wanted = person;
    if (shown === wanted) return;
    const address = `playground/web/${wanted}/`;
    const response = await fetch(address).catch(() => undefined);
    const isPage = response?.status === 200 && response.headers.get("content-type")?.includes("text/html");
    if (!isPage || shown === wanted || person !== wanted) return;
    shown = wanted;
    content.replaceChildren(make("iframe", { attributes: { src: address, title: texts.web } }));
  }
}
