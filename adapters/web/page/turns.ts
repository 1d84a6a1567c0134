import { type AnswerPart, type Choice, imagesOf, type Turn, type Update } from "./client.ts";
import { decorateCode } from "./code-blocks.ts";
import { copyButton, h, iconButton } from "./dom.ts";
import { showImages } from "./images.ts";
import { morph } from "./morph.ts";
import type { Unsent } from "./outbox.ts";
import { say } from "./texts.ts";

/** What a user can do with a turn. */
export interface TurnActions {
  readonly edit: (turn: Turn) => void;
  readonly retry: (turn: Turn) => void;
  readonly choose: (choice: Choice) => void;
}

/** A question and its answer on the page. */
export interface TurnView {
  readonly element: HTMLElement;
  readonly turn: Turn;
  /** Changes a part of the answer. False if the update does not fit what is shown: the turn must be loaded again. */
  show(update: Extract<Update, { kind: "shown" }>): boolean;
  /** Removes a part of the answer. */
  remove(ref: string): void;
  /** Marks the answer as complete. */
  finish(): void;
}

interface PartView {
  readonly part: AnswerPart;
  readonly body: HTMLElement;
  readonly buttons: HTMLElement;
}

/** Creates the view of a turn. A streaming answer is changed in place. */
export function createTurnView(thread: string, turn: Turn, actions: TurnActions): TurnView {
  const parts = new Map<string, PartView>();
  const said = h("div", { class: "said" });
  const tools = h("div", { class: "tools" });
  const answer = h("div", { class: "answer", role: "group", ariaLabel: say("bot") }, said, tools);
  const question = h(
    "div",
    { class: "question", role: "group", ariaLabel: say("you") },
    showImages(imagesOf(thread, turn)),
    h("div", { class: "text", dir: "auto", hidden: turn.text === "" }, turn.text),
    h(
      "div",
      { class: "tools" },
      iconButton("pencil", say("edit"), () => actions.edit(turn)),
    ),
  );
  const element = h("article", { class: "turn" }, question, answer);
  const waiting = h(
    "p",
    { class: "waiting", ariaLabel: say("waiting"), role: "img" },
    h("span"),
    h("span"),
    h("span"),
  );
  for (const part of turn.pieces) put(part);
  if (turn.done) finish();
  else {
    answer.ariaBusy = "true";
    if (turn.pieces.length === 0) said.append(waiting);
  }

  return {
    element,
    turn,
    show: ({ ref, keep, of, add, choices }) => {
      const known = parts.get(ref)?.part;
      const old = known?.html ?? "";
      if (keep > 0 && old.length !== of) return false;
      const part = known ?? { ref, html: "" };
      part.html = old.slice(0, keep) + add;
      part.choices = choices;
      put(part);
      return true;
    },
    remove: (ref) => {
      const known = parts.get(ref);
      known?.body.remove();
      known?.buttons.remove();
      parts.delete(ref);
    },
    finish,
  };

  function put(part: AnswerPart): void {
    waiting.remove();
    let known = parts.get(part.ref);
    if (!known) {
      known = { part, body: h("div", { class: "part" }), buttons: h("p", { class: "choices" }) };
      parts.set(part.ref, known);
      said.append(known.body, known.buttons);
    }
    morph(known.body, part.html);
    // The last block may still change.
    decorateCode(known.body, turn.done ? undefined : known.body.lastElementChild);
    known.buttons.replaceChildren(
      ...(part.choices ?? []).map((choice) =>
        h("button", { type: "button", onclick: () => actions.choose(choice) }, choice.label),
      ),
    );
  }

  function finish(): void {
    turn.done = true;
    waiting.remove();
    answer.ariaBusy = "false";
    for (const { body } of parts.values()) decorateCode(body, undefined);
    if (parts.size === 0) return tools.replaceChildren();
    tools.replaceChildren(
      copyButton(say("copy"), () => said.innerText.trim()),
      iconButton("again", say("retry"), () => actions.retry(turn)),
    );
  }
}

/** Creates the view of a message that the server does not have yet. */
export function createUnsentView(
  { text, images = [], why }: Unsent,
  { retry, drop }: { readonly retry: () => void; readonly drop: () => void },
): HTMLElement {
  return h(
    "article",
    { class: "turn" },
    h(
      "div",
      { class: "question unsent" },
      showImages(images),
      h("div", { class: "text", dir: "auto", hidden: text === "" }, text),
    ),
    h(
      "p",
      { class: "problem", role: "alert" },
      why === undefined ? say("unsent") : say("refused", { why }),
      why !== undefined && h("button", { type: "button", onclick: retry }, say("again")),
      h("button", { type: "button", onclick: drop }, say("drop")),
    ),
  );
}
