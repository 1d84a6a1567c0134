import { call, type Choice, type Conversation, type Me, type Turn, type Update } from "./client.ts";
import { createComposer, type Draft } from "./composer.ts";
import { h, iconButton, select } from "./dom.ts";
import { isAfter } from "./follow.ts";
import { createOutbox, type Unsent } from "./outbox.ts";
import { locale, say } from "./texts.ts";
import { createTurnView, createUnsentView, type TurnView } from "./turns.ts";

/** The open conversation. */
export interface Chat {
  readonly element: HTMLElement;
  readonly thread: string;
  /** Opens a conversation; one that does not exist is new. */
  open(thread: string): Promise<void>;
  receive(update: Update, position: string): void;
  /** Loads the whole conversation again. */
  refresh(): Promise<void>;
}

export interface ChatOptions {
  readonly me: Me;
  /** Shows an error. */
  readonly failed: (error: unknown) => void;
  /** Shows a sentence for a while. */
  readonly notify: (text: string) => void;
  /** A button that shows the list of conversations on narrow screens. */
  readonly menu: HTMLElement;
  readonly onExport: (thread: string) => void;
}

interface Missed {
  readonly update: Update;
  readonly position: string;
}

/** How long to wait before a conversation with a gap is loaded again, in ms: more updates may follow. */
const RELOAD_MS = 300;

/** How near to its end a conversation must be to scroll along with it, in pixels. */
const NEAR_END = 80;

/** Creates the view of a conversation: its turns, and the composer. */
export function createChat({ me, failed, notify, menu, onExport }: ChatOptions): Chat {
  let thread = "";
  let views: TurnView[] = [];
  /** Updates that arrived while the conversation was being loaded: what is loaded may be older. */
  let missed: Missed[] | undefined;
  let reloadTimer = 0;
  const title = h("h1", { dir: "auto" });
  const persona = select(say("persona"), me.personas, (name) => choose({ persona: name }));
  const model = select(say("model"), me.models, (name) => choose({ model: name }));
  const save = iconButton("download", say("export"), () => onExport(thread));
  const list = h("div", { class: "turns", role: "log", ariaLive: "off" });
  const announcement = h("p", { class: "unseen", role: "status" });
  const composer = createComposer({ send, stop: () => void stop(), failed, notify });
  const scroller = h("div", { class: "scroller", tabIndex: -1 }, list);
  const element = h(
    "main",
    { class: "chat" },
    h("header", {}, menu, title, persona.element, model.element, save),
    scroller,
    announcement,
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
    if (event.key === "Escape" && isAnswering()) void stop();
    else if (event.key === "Escape" && composer.isEditing) composer.edit(undefined);
  };
  const actions = {
    edit: (turn: Turn) => composer.edit(turn),
    retry: (turn: Turn) => send({ text: turn.text, replaces: turn }),
    choose: ({ command, text }: Choice) => send({ text: `/${command} ${text}` }),
  };
  const outbox = createOutbox({ user: me.user, onChange: draw, post });

  return {
    element,
    get thread() {
      return thread;
    },
    open,
    refresh: () => load(thread),
    receive,
  };

  async function open(name: string): Promise<void> {
    thread = name;
    views = [];
    title.textContent = say("new");
    persona.set(undefined);
    model.set(undefined);
    composer.open(thread);
    draw();
    await load(name);
    scroller.scrollTop = scroller.scrollHeight;
  }

  async function load(name: string): Promise<void> {
    const own: Missed[] = [];
    missed = own;
    const found = await call<Conversation>("GET", `conversations/${name}`);
    // Another load has begun meanwhile, and only the newest one counts.
    if (missed !== own) return;
    missed = undefined;
    if (found.title) title.textContent = found.title;
    if (found.turns.length > 0) {
      persona.set(found.persona);
      model.set(found.model);
    }
    views = found.turns.map((turn) => createTurnView(name, turn, actions));
    draw();
    for (const { update, position } of own) if (isAfter(position, found.position)) receive(update, position);
  }

  function receive(update: Update, position: string): void {
    missed?.push({ update, position });
    if (!("thread" in update) || update.thread !== thread) return;
    if (update.kind === "listed") title.textContent = update.title;
    if (update.kind === "listed" || update.kind === "deleted") return;
    const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;
    if (update.kind === "asked") addTurn(update);
    else if (update.kind === "rewound") {
      views = views.filter(({ turn }) => turn.turn < update.turn);
      draw();
    } else if (!updateAnswer(update)) return;
    composer.setAnswering(isAnswering());
    if (isAtEnd || update.kind === "asked") scroller.scrollTop = scroller.scrollHeight;
  }

  function addTurn({ kind: _, thread: where, ...question }: Extract<Update, { kind: "asked" }>): void {
    if (views.some((view) => view.turn.turn === question.turn)) return;
    views.push(createTurnView(where, { ...question, done: false, pieces: [] }, actions));
    outbox.sent(question.turn);
    draw();
  }

  /** False if the turn is not on the page. */
  function updateAnswer(update: Extract<Update, { turn: string }>): boolean {
    const view = views.find(({ turn }) => turn.turn === update.turn);
    if (!view) {
      loadSoon();
      return false;
    }
    if (update.kind === "shown" && !view.show(update)) loadSoon();
    if (update.kind === "removed") view.remove(update.ref);
    if (update.kind === "done") {
      view.finish();
      announcement.textContent = say("finished");
    }
    return true;
  }

  /** The page has missed an update: it loads the conversation again. */
  function loadSoon(): void {
    clearTimeout(reloadTimer);
    reloadTimer = window.setTimeout(() => void load(thread).catch(failed), RELOAD_MS);
  }

  function draw(): void {
    const unsent = outbox.of(thread);
    const welcome = h("p", { class: "welcome" }, say("welcome"));
    const elements = [
      ...views.map((view) => view.element),
      ...unsent.map((message) =>
        createUnsentView(message, {
          retry: () => outbox.retry(message),
          drop: () => {
            outbox.drop(message);
            composer.restore({ text: message.text, images: message.images });
          },
        }),
      ),
    ];
    list.replaceChildren(...(elements.length > 0 ? elements : [welcome]));
    composer.setAnswering(isAnswering());
    if (unsent.length > 0) scroller.scrollTop = scroller.scrollHeight;
  }

  function isAnswering(): boolean {
    return views.some(({ turn }) => !turn.done);
  }

  function send({ text, images, replaces }: Draft): void {
    const isNew = views.length === 0;
    outbox.add({
      thread,
      text,
      locale: locale(),
      ...(images && { images: [...images] }),
      ...(replaces && { replaces: replaces.turn }),
      ...(isNew && persona.value() && { persona: persona.value() }),
      ...(isNew && model.value() && { model: model.value() }),
    });
  }

  async function post({ thread: where, why: _, ...body }: Unsent): Promise<void> {
    await call("POST", `conversations/${where}/messages`, body);
  }

  async function stop(): Promise<void> {
    await call("POST", `conversations/${thread}/stop`).catch(failed);
  }

  async function choose(chosen: { persona?: string; model?: string }): Promise<void> {
    // In a new conversation, the first message carries the choice.
    if (views.length > 0) await call("PATCH", `conversations/${thread}`, chosen).catch(failed);
  }
}
