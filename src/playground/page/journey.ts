import type { Journey } from "../protocol.ts";
import { make } from "./dom.ts";
import { stageName, texts } from "./texts.ts";

/** Makes the panel with the journey of the last message. */
export function makeJourney(): { readonly element: HTMLElement; update(journey: Journey): void } {
  const event = make("small", {});
  const list = make(
    "ol",
    { class: "stations", attributes: { tabindex: "0" } },
    make("li", { class: "empty" }, texts.journeyEmpty),
  );
  const element = make(
    "section",
    { class: "window journey", attributes: { "aria-label": texts.journey } },
    make("div", { class: "bar" }, make("div", { class: "names" }, make("b", {}, texts.journey), event)),
    list,
  );
  return {
    element,
    update: ({ event: id, stages }) => {
      event.textContent = id.slice(0, 60);
      list.replaceChildren(
        ...stages.map(({ stage, after, times }) =>
          make(
            "li",
            { class: stage },
            make("time", {}, `${(after / 1000).toFixed(3)} s`),
            make("span", {}, stageName(stage)),
            make("i", {}, times > 1 ? `× ${times}` : ""),
          ),
        ),
      );
      list.scrollTop = list.scrollHeight;
    },
  };
}
