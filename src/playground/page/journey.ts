import type { Journey } from "../protocol.ts";
import { make } from "./dom.ts";
import { stepName, words } from "./words.ts";

/** The panel with the way of the last message. */
export function makeJourney(): { readonly element: HTMLElement; take(journey: Journey): void } {
  const event = make("small", {});
  const list = make(
    "ol",
    { class: "stations", attributes: { tabindex: "0" } },
    make("li", { class: "empty" }, words.journeyEmpty),
  );
  const element = make(
    "section",
    { class: "window journey", attributes: { "aria-label": words.journey } },
    make("div", { class: "bar" }, make("div", { class: "names" }, make("b", {}, words.journey), event)),
    list,
  );
  return {
    element,
    take: ({ event: id, stations }) => {
      event.textContent = id.slice(0, 60);
      list.replaceChildren(
        ...stations.map(({ step, after, times }) =>
          make(
            "li",
            { class: step },
            make("time", {}, `${(after / 1000).toFixed(3)} s`),
            make("span", {}, stepName(step)),
            make("i", {}, times > 1 ? `× ${times}` : ""),
          ),
        ),
      );
      list.scrollTop = list.scrollHeight;
    },
  };
}
