import type { State } from "../protocol.ts";
import { button, make } from "./dom.ts";
import { wish } from "./server.ts";
import { texts } from "./texts.ts";

/** Makes the line at the top, with the state of the worker and the faults that can be caused. */
export function makeControls(say: (text: string) => void): {
  readonly elements: readonly HTMLElement[];
  update(state: State): void;
  lost(): void;
} {
  const pill = make("span", { class: "pill starting", attributes: { role: "status" } }, texts.starting);
  const model = make("span", { class: "pill model" });
  const slow = makeToggle(texts.slow, (on) => void wish({ do: "slow", on }));
  const real = makeToggle(texts.useReal, (on) => void wish({ do: "real", on }));
  real.hidden = true;
  const refuse = makeToggle(texts.refuse, (on) => void wish({ do: "refuse", on }));
  const elements = [
    make("div", { class: "title" }, make("h1", {}, texts.title), make("p", {}, texts.about)),
    make("div", { class: "pills" }, pill, model),
    make(
      "div",
      { class: "controls", attributes: { role: "group" } },
      button(texts.show, () => say(texts.showText), "say"),
      button(texts.long, () => say(texts.longText), "say"),
      real,
      slow,
      refuse,
      button(texts.flood, () => void wish({ do: "flood" })),
      button(texts.drop, () => void wish({ do: "drop" })),
      button(texts.kill, () => void wish({ do: "kill" }), "kill"),
    ),
  ];
  return {
    elements,
    update: (state) => {
      pill.className = `pill ${state.worker}`;
      pill.textContent = texts[state.worker] + (state.trouble ? `: ${state.trouble}` : "");
      pill.title = state.trouble ?? "";
      model.textContent = texts[state.model];
      real.hidden = !state.canBeReal;
      real.setAttribute("aria-pressed", String(state.model === "real"));
      slow.setAttribute("aria-pressed", String(state.slow));
      refuse.setAttribute("aria-pressed", String(state.refusing));
    },
    lost: () => {
      pill.className = "pill down";
      pill.textContent = texts.lost;
    },
  };
}

function makeToggle(text: string, set: (on: boolean) => void): HTMLButtonElement {
  const toggle = button(text, () => set(toggle.getAttribute("aria-pressed") !== "true"), "toggle");
  toggle.setAttribute("aria-pressed", "false");
  return toggle;
}
