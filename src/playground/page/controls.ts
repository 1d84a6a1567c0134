import type { State } from "../protocol.ts";
import { button, make } from "./dom.ts";
import { wish } from "./server.ts";
import { words } from "./words.ts";

/** The line at the top: how things stand, and what can go wrong. */
export function makeControls(say: (text: string) => void): {
  readonly elements: readonly HTMLElement[];
  take(state: State): void;
  lost(): void;
} {
  const pill = make("span", { class: "pill starting", attributes: { role: "status" } }, words.starting);
  const model = make("span", { class: "pill model" });
  const slow = makeToggle(words.slow, (on) => void wish({ do: "slow", on }));
  const real = makeToggle(words.useReal, (on) => void wish({ do: "real", on }));
  real.hidden = true;
  const refuse = makeToggle(words.refuse, (on) => void wish({ do: "refuse", on }));
  const elements = [
    make("div", { class: "title" }, make("h1", {}, words.title), make("p", {}, words.about)),
    make("div", { class: "pills" }, pill, model),
    make(
      "div",
      { class: "controls", attributes: { role: "group" } },
      button(words.show, () => say(words.showText), "say"),
      button(words.long, () => say(words.longText), "say"),
      real,
      slow,
      refuse,
      button(words.flood, () => void wish({ do: "flood" })),
      button(words.drop, () => void wish({ do: "drop" })),
      button(words.kill, () => void wish({ do: "kill" }), "kill"),
    ),
  ];
  return {
    elements,
    take: (state) => {
      pill.className = `pill ${state.worker}`;
      pill.textContent = words[state.worker] + (state.trouble ? `: ${state.trouble}` : "");
      pill.title = state.trouble ?? "";
      model.textContent = words[state.model];
      real.hidden = !state.canBeReal;
      real.setAttribute("aria-pressed", String(state.model === "real"));
      slow.setAttribute("aria-pressed", String(state.slow));
      refuse.setAttribute("aria-pressed", String(state.refusing));
    },
    lost: () => {
      pill.className = "pill down";
      pill.textContent = words.lost;
    },
  };
}

function makeToggle(text: string, set: (on: boolean) => void): HTMLButtonElement {
  const toggle = button(text, () => set(toggle.getAttribute("aria-pressed") !== "true"), "toggle");
  toggle.setAttribute("aria-pressed", "false");
  return toggle;
}
