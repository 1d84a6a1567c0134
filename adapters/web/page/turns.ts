import { type Choice, imagesOf, type News, type Piece, type Turn } from "./client.ts";
import { h, iconButton } from "./dom.ts";
import { colour } from "./colour.ts";
import { copyButton } from "./copy.ts";
import { showImages } from "./images.ts";
import { morph } from "./morph.ts";
import { say } from "./texts.ts";

/** What people can do with a turn. */
export interface TurnActions {
  readonly edit: (turn: Turn) => void;
  readonly retry: (turn: Turn) => void;
  readonly choose: (choice: Choice) => void;
}

/** A question with its answer, as it stands on the page. */
export interface TurnView {
  readonly element: HTMLElement;
  readonly turn: Turn;
  /** False if the news do not fit what is shown: then it is to be looked at anew. */
  show(news: Extract<News, { kind: "shown" }>): boolean;
  remove(ref: string): void;
  finish(): void;
}

/** Shows a turn; what grows is changed in place. */
export function createTurnView(thread: string, turn: Turn, actions: TurnActions): TurnView {
  const pieces = new Map<
    string,
    { readonly piece: Piece; readonly body: HTMLElement; readonly buttons: HTMLElement }
  >();
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
  for (const piece of turn.pieces) put(piece);
  if (turn.done) finish();
  else {
    answer.ariaBusy = "true";
    if (turn.pieces.length === 0) said.append(waiting);
  }

  return {
    element,
    turn,
    show: ({ ref, keep, of, add, choices }) => {
      const known = pieces.get(ref)?.piece;
      const old = known?.html ?? "";
      if (keep > 0 && old.length !== of) return false;
      const piece = known ?? { ref, html: "" };
      piece.html = old.slice(0, keep) + add;
      piece.choices = choices;
      put(piece);
      return true;
    },
    remove: (ref) => {
      const known = pieces.get(ref);
      known?.body.remove();
      known?.buttons.remove();
      pieces.delete(ref);
    },
    finish,
  };

  function put(piece: Piece): void {
    waiting.remove();
    let known = pieces.get(piece.ref);
    if (!known) {
      known = { piece, body: h("div", { class: "piece" }), buttons: h("p", { class: "choices" }) };
      pieces.set(piece.ref, known);
      said.append(known.body, known.buttons);
    }
    morph(known.body, piece.html);
    // The last block still grows.
    colour(known.body, turn.done ? undefined : known.body.lastElementChild);
    known.buttons.replaceChildren(
      ...(piece.choices ?? []).map((choice) =>
        h("button", { type: "button", onclick: () => actions.choose(choice) }, choice.label),
      ),
    );
  }

  function finish(): void {
    turn.done = true;
    waiting.remove();
    answer.ariaBusy = "false";
    for (const { body } of pieces.values()) colour(body, undefined);
    if (pieces.size === 0) return tools.replaceChildren();
    tools.replaceChildren(
      copyButton(say("copy"), () => said.innerText.trim()),
      iconButton("again", say("retry"), () => actions.retry(turn)),
    );
  }
}
