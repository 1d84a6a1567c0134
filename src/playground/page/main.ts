import type { Person, WindowName } from "../protocol.ts";
import { makeControls } from "./controls.ts";
import { button, byId } from "./dom.ts";
import { makeJourney } from "./journey.ts";
import { subscribe, wish } from "./server.ts";
import { makeWebChat } from "./webchat.ts";
import { makeWindow } from "./window.ts";
import { locale, texts } from "./texts.ts";

const PEOPLE: readonly [Person, ...Person[]] = ["Ann", "Bob"];
const NAMES: readonly WindowName[] = ["telegram", "discord", "dingtalk", "terminal"];

document.documentElement.lang = locale;
document.title = texts.title;

/** The window that was used last. */
let last: WindowName = "telegram";
const windows = new Map(
  NAMES.map((name) => [name, makeWindow({ name, people: PEOPLE, used: () => (last = name) })] as const),
);
const web = makeWebChat(PEOPLE);
const journey = makeJourney();
const controls = makeControls((text) => windows.get(last)?.say(text));

byId("top").append(...controls.elements);
const all = [...[...windows.values()].map(({ element }) => element), web.element, journey.element];
byId("windows").append(...all);
byId("tabs").append(...all.map(makeTab));
all[0]?.classList.add("current");

let worker = "starting";
subscribe(
  (news) => {
    if (news.type === "frame") windows.get(news.window)?.update(news);
    else if (news.type === "journey") journey.update(news);
    else {
      controls.update(news);
      if (news.worker === "ready" && worker !== "ready") web.load();
      worker = news.worker;
    }
  },
  () => controls.lost(),
);
void wish({ do: "key", person: PEOPLE[0], key: "" });

/** Makes the tab of a window; a phone shows one window at a time. */
function makeTab(element: HTMLElement, index: number): HTMLElement {
  const name = element.getAttribute("aria-label") ?? "";
  const tab = button(name, () => {
    for (const each of all) each.classList.toggle("current", each === element);
    for (const each of byId("tabs").children) each.setAttribute("aria-pressed", String(each === tab));
  });
  tab.setAttribute("aria-pressed", String(index === 0));
  return tab;
}
