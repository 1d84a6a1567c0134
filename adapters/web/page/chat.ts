import { call, type Choice, type Conversation, isAfter, type Me, type News, type Turn } from "./client.ts";
import { type Asking, createComposer } from "./composer.ts";
import { h, iconButton } from "./dom.ts";
import { showImages } from "./images.ts";
import { outbox, type Unsent } from "./outbox.ts";
import { locale, say } from "./texts.ts";
import { createTurnView, type TurnView } from "./turns.ts";

export interface Chat {
  readonly element: HTMLElement;
  /** Shows a conversation; a new one without a name. */
  open(thread: string): Promise<void>;
  readonly thread: string;
  news(news: News, position: string): void;
  /** Looks at everything anew. */
  refresh(): Promise<void>;
}

export interface ChatOptions {
  readonly me: Me;
  readonly failed: (error: unknown) => void;
  /** Shows a sentence for a while. */
  readonly tell: (text: string) => void;
  /** A button that shows the list, on narrow screens. */
  readonly menu: HTMLElement;
  readonly exported: (thread: string) => void;
}

interface Missed {
  readonly news: News;
  readonly position: string;
}

/** One conversation: what was said, and the place to write. */
export function createChat({ me, failed, tell, menu, exported }: ChatOptions): Chat {
  let thread = "";
  let views: TurnView[] = [];
  /** What has come while one looks: the look may be older. */
  let meanwhile: Missed[] | undefined;
  let stale = 0;
  const title = h("h1", { dir: "auto" });
  const persona = select(say("persona"), me.personas, (name) => choose({ persona: name }));
  const model = select(say("model"), me.models, (name) => choose({ model: name }));
  const save = iconButton("download", say("export"), () => exported(thread));
  const list = h("div", { class: "turns", role: "log", ariaLive: "off" });
  const spoken = h("p", { class: "unseen", role: "status" });
  const composer = createComposer({ ask, stop: () => void halt(), failed, tell });
  const scroller = h("div", { class: "scroller", tabIndex: -1 }, list);
  const element = h(
    "main",
    { class: "chat" },
    h("header", {}, menu, title, persona.element, model.element, save),
    scroller,
    spoken,
    composer.element,
  );
  element.ondragover = (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  };
  element.ondrop = (event) => {
    event.preventDefault();
    composer.add([...(event.dataTransfer?.files ?? [])]);
  };
  element.onkeydown = (event) => {
    if (event.key === "Escape" && isRunning()) void halt();
    else if (event.key === "Escape" && composer.isEditing) composer.edit(undefined);
  };
  const actions = {
    edit: (turn: Turn) => composer.edit(turn),
    retry: (turn: Turn) => ask({ text: turn.text, instead: turn }),
    choose: ({ command, text }: Choice) => ask({ text: `/${command} ${text}` }),
  };
  const sending = outbox({ user: me.user, changed: draw, post });

  return {
    element,
    get thread() {
      return thread;
    },
    open,
    refresh: () => look(thread),
    news: take,
  };

  async function open(name: string): Promise<void> {
    thread = name;
    views = [];
    title.textContent = say("new");
    persona.set(undefined);
    model.set(undefined);
    composer.open(thread);
    draw();
    await look(name);
    scroller.scrollTop = scroller.scrollHeight;
  }

  async function look(name: string): Promise<void> {
    const missed: Missed[] = [];
    meanwhile = missed;
    const found = await call<Conversation>("GET", `conversations/${name}`);
    // Only the newest look counts.
    if (meanwhile !== missed) return;
    meanwhile = undefined;
    if (found.title) title.textContent = found.title;
    if (found.turns.length > 0) {
      persona.set(found.persona);
      model.set(found.model);
    }
    views = found.turns.map((turn) => createTurnView(name, turn, actions));
    draw();
    for (const { news, position } of missed) if (isAfter(position, found.position)) take(news, position);
  }

  function take(one: News, at: string): void {
    meanwhile?.push({ news: one, position: at });
    if (one.kind === "listed" && one.thread === thread) title.textContent = one.title;
    if (!("thread" in one) || one.thread !== thread || one.kind === "listed" || one.kind === "deleted")
      return;
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    if (one.kind === "asked") asked(one);
    else if (one.kind === "rewound") {
      views = views.filter(({ turn }) => turn.turn < one.turn);
      draw();
    } else {
      const view = views.find(({ turn }) => turn.turn === one.turn);
      if (!view) return lookSoon();
      if (one.kind === "shown" && !view.show(one)) lookSoon();
      if (one.kind === "removed") view.remove(one.ref);
      if (one.kind === "done") {
        view.finish();
        spoken.textContent = say("finished");
      }
    }
    drawButtons();
    if (atEnd || one.kind === "asked") scroller.scrollTop = scroller.scrollHeight;
  }

  function asked({ kind: _, thread: where, ...question }: Extract<News, { kind: "asked" }>): void {
    if (views.some((view) => view.turn.turn === question.turn)) return;
    views.push(createTurnView(where, { ...question, done: false, pieces: [] }, actions));
    sending.sent(question.turn);
    draw();
  }

  /** What is shown has a gap, or comes from before: a look at everything mends that, a while later at the latest. */
  function lookSoon(): void {
    clearTimeout(stale);
    stale = window.setTimeout(() => void look(thread).catch(failed), 300);
  }

  function draw(): void {
    const unsent = sending.of(thread);
    const welcome = h("p", { class: "welcome" }, say("welcome"));
    const elements = [...views.map((view) => view.element), ...unsent.map(drawUnsent)];
    list.replaceChildren(...(elements.length > 0 ? elements : [welcome]));
    drawButtons();
    if (unsent.length > 0) scroller.scrollTop = scroller.scrollHeight;
  }

  function drawUnsent(one: Unsent): HTMLElement {
    const { text, images = [], why } = one;
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
        why !== undefined && h("button", { type: "button", onclick: () => sending.again(one) }, say("again")),
        h(
          "button",
          {
            type: "button",
            onclick: () => {
              sending.drop(one);
              composer.restore({ text, images });
            },
          },
          say("drop"),
        ),
      ),
    );
  }

  function drawButtons(): void {
    composer.running(isRunning());
  }

  function isRunning(): boolean {
    return views.some(({ turn }) => !turn.done);
  }

  function ask({ text, images, instead }: Asking): void {
    const isNew = views.length === 0;
    sending.add({
      thread,
      text,
      locale: locale(),
      ...(images && { images: [...images] }),
      ...(instead && { replaces: instead.turn }),
      ...(isNew && persona.value() && { persona: persona.value() }),
      ...(isNew && model.value() && { model: model.value() }),
    });
  }

  async function post({ thread: where, why: _, ...body }: Unsent): Promise<void> {
    await call("POST", `conversations/${where}/messages`, body);
  }

  async function halt(): Promise<void> {
    await call("POST", `conversations/${thread}/stop`).catch(failed);
  }

  async function choose(wish: { persona?: string; model?: string }): Promise<void> {
    // A conversation that has not begun is told with its first question.
    if (views.length > 0) await call("PATCH", `conversations/${thread}`, wish).catch(failed);
  }
}

/** Something to choose from; nothing is shown where there is no choice. */
function select(label: string, names: readonly string[], chosen: (name: string) => Promise<void>) {
  const element = h(
    "select",
    { ariaLabel: label, title: label, hidden: names.length < 2 },
    ...names.map((name) => h("option", { value: name }, name)),
  );
  element.onchange = () => void chosen(element.value);
  return {
    element,
    value: () => (element.selectedIndex > 0 ? element.value : undefined),
    set: (name: string | undefined) => (element.selectedIndex = Math.max(0, names.indexOf(name ?? ""))),
  };
}
