import type { Person } from "../protocol.ts";
import { make } from "./dom.ts";
import { makeSwitch } from "./switch.ts";
import { words } from "./words.ts";

/** The worker's own web chat in a frame, once it has one. */
export function makeWebChat(people: readonly [Person, ...Person[]]): {
  readonly element: HTMLElement;
  look(): void;
} {
  const place = make("div", { class: "place" }, make("p", {}, words.webMissing));
  let person = people[0];
  let shown: Person | undefined;
  const choose = makeSwitch(words.web, people, (next) => {
    person = next;
    void look();
  });
  const element = make(
    "section",
    { class: "window web", attributes: { "aria-label": words.web } },
    make("div", { class: "bar" }, make("span", { class: "address" }, `127.0.0.1 / ${words.web}`), choose),
    place,
  );
  return { element, look: () => void look() };

  async function look(): Promise<void> {
    const wanted = person;
    if (shown === wanted) return;
    const address = `playground/web/${wanted}/`;
    const response = await fetch(address).catch(() => undefined);
    const isPage = response?.status === 200 && response.headers.get("content-type")?.includes("text/html");
    if (!isPage || shown === wanted || person !== wanted) return;
    shown = wanted;
    place.replaceChildren(make("iframe", { attributes: { src: address, title: words.web } }));
  }
}
