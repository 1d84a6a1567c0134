import {
  call,
  type Choice,
  type Conversation,
  imagesOf,
  isAfter,
  type Me,
  type News,
  type Turn,
} from "./client.ts";
import { h, iconButton } from "./dom.ts";
import { attachImages, fetchImage, showImages } from "./images.ts";
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

/** What is asked; without images, those of the turn that it is asked instead of. */
interface Asking {
  readonly text: string;
  readonly images?: readonly string[];
  readonly instead?: Turn | undefined;
}

/** One conversation: what was said, and the place to write. */
export function createChat({ me, failed, tell, menu, exported }: ChatOptions): Chat {
  let thread = "";
  let views: TurnView[] = [];
  let replaces: Turn | undefined;
  /** Only the newest look counts. */
  let looks = 0;
  /** What has come while one looks: the look may be older. */
  let meanwhile: { readonly news: News; readonly position: string }[] | undefined;
  let stale = 0;
  const title = h("h1", { dir: "auto" });
  const persona = select(say("persona"), me.personas, (name) => choose({ persona: name }));
  const model = select(say("model"), me.models, (name) => choose({ model: name }));
  const save = iconButton("download", say("export"), () => exported(thread));
  const list = h("div", { class: "turns", role: "log", ariaLive: "off" });
  const spoken = h("p", { class: "unseen", role: "status" });
  const input = h("textarea", {
    rows: 1,
    placeholder: say("placeholder"),
    ariaLabel: say("message"),
    maxLength: 100_000,
    id: "message",
  });
  const send = iconButton("send", say("send"), () => submit());
  const stop = iconButton("stop", say("stopHint"), () => void halt());
  const attached = attachImages(tell);
  const editing = h("p", { class: "editing", hidden: true });
  const scroller = h("div", { class: "scroller", tabIndex: -1 }, list);
  const element = h(
    "main",
    { class: "chat" },
    h("header", {}, menu, title, persona.element, model.element, save),
    scroller,
    spoken,
    h(
      "footer",
      { class: "composer" },
      editing,
      attached.element,
      h("div", { class: "row" }, attached.button, input, stop, send),
      h("p", { class: "hint" }, say("hint")),
    ),
  );
  input.oninput = () => {
    fit();
    localStorage.setItem(`draft ${thread}`, input.value);
  };
  input.onkeydown = (event) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  };
  input.onpaste = (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    void attached.add(files);
  };
  element.ondragover = (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  };
  element.ondrop = (event) => {
    event.preventDefault();
    void attached.add([...(event.dataTransfer?.files ?? [])]);
  };
  element.onkeydown = (event) => {
    if (event.key === "Escape" && isRunning()) void halt();
    else if (event.key === "Escape" && replaces) edit(undefined);
  };
  const actions = {
    edit: (turn: Turn) => edit(turn),
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
    edit(undefined);
    input.value = localStorage.getItem(`draft ${thread}`) ?? "";
    fit();
    draw();
    // In a frame on another page one may be writing elsewhere.
    if (window.top === window || document.hasFocus()) input.focus();
    await look(name);
    scroller.scrollTop = scroller.scrollHeight;
  }

  async function look(name: string): Promise<void> {
    const mine = ++looks;
    meanwhile = [];
    const found = await call<Conversation>("GET", `conversations/${name}`);
    if (mine !== looks || name !== thread) return;
    const missed = meanwhile.filter(({ position }) => isAfter(position, found.position));
    meanwhile = undefined;
    if (found.title) title.textContent = found.title;
    if (found.turns.length > 0) {
      persona.set(found.persona);
      model.set(found.model);
    }
    views = found.turns.map((turn) => createTurnView(name, turn, actions));
    draw();
    for (const { news, position } of missed) take(news, position);
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
              input.value ||= text;
              if (attached.urls.length === 0) attached.set(images);
              fit();
            },
          },
          say("drop"),
        ),
      ),
    );
  }

  function drawButtons(): void {
    stop.hidden = !isRunning();
  }

  function isRunning(): boolean {
    return views.some(({ turn }) => !turn.done);
  }

  function submit(): void {
    const text = input.value.trim();
    const images = attached.urls;
    if (!text && images.length === 0) return;
    input.value = "";
    localStorage.removeItem(`draft ${thread}`);
    fit();
    ask({ text, images, instead: replaces });
    attached.set([]);
    edit(undefined);
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

  function edit(turn: Turn | undefined): void {
    replaces = turn;
    editing.hidden = !turn;
    editing.replaceChildren(
      say("editing"),
      h("button", { type: "button", onclick: () => edit(undefined) }, say("cancel")),
    );
    attached.set([]);
    if (!turn) return;
    input.value = turn.text;
    fit();
    input.focus();
    void Promise.all(imagesOf(thread, turn).map(fetchImage)).then((urls) => attached.set(urls), failed);
  }

  async function halt(): Promise<void> {
    await call("POST", `conversations/${thread}/stop`).catch(failed);
  }

  async function choose(wish: { persona?: string; model?: string }): Promise<void> {
    // A conversation that has not begun is told with its first question.
    if (views.length > 0) await call("PATCH", `conversations/${thread}`, wish).catch(failed);
  }

  function fit(): void {
    input.rows = Math.min(10, input.value.split("\n").length);
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
