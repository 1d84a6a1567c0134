import { imagesOf, type Turn } from "./client.ts";
import { h, iconButton } from "./dom.ts";
import { attachImages, fetchImage } from "./images.ts";
import { say } from "./texts.ts";

/** What is asked; without images, those of the turn that it is asked instead of. */
export interface Asking {
  readonly text: string;
  readonly images?: readonly string[] | undefined;
  readonly instead?: Turn | undefined;
}

/** The place to write. */
export interface Composer {
  readonly element: HTMLElement;
  /** Shows what was begun in a conversation. */
  open(thread: string): void;
  /** Lets an earlier question be changed; undefined ends that. */
  edit(turn: Turn | undefined): void;
  readonly isEditing: boolean;
  /** Takes back what was not sent, if nothing else is being written. */
  restore(asking: Asking): void;
  /** Takes what was dropped anywhere on the conversation. */
  add(files: Iterable<File>): void;
  /** Shows the button that stops an answer, or does not. */
  running(is: boolean): void;
}

export interface ComposerOptions {
  readonly ask: (asking: Asking) => void;
  readonly stop: () => void;
  readonly failed: (error: unknown) => void;
  /** Shows a sentence for a while. */
  readonly tell: (text: string) => void;
}

/** A text with images; what is begun stays over reloads. */
export function createComposer({ ask, stop, failed, tell }: ComposerOptions): Composer {
  let thread = "";
  let replaces: Turn | undefined;
  /** Its images are on their way here. */
  let fetching: Turn | undefined;
  const input = h("textarea", {
    rows: 1,
    placeholder: say("placeholder"),
    ariaLabel: say("message"),
    id: "message",
  });
  const attached = attachImages(tell);
  const editing = h("p", { class: "editing", hidden: true });
  const stopButton = iconButton("stop", say("stopHint"), stop);
  const element = h(
    "footer",
    { class: "composer" },
    editing,
    attached.element,
    h(
      "div",
      { class: "row" },
      attached.button,
      input,
      stopButton,
      iconButton("send", say("send"), () => submit()),
    ),
    h("p", { class: "hint" }, say("hint")),
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

  return {
    element,
    open: (name) => {
      thread = name;
      edit(undefined);
      write(localStorage.getItem(`draft ${thread}`) ?? "");
      // In a frame on another page one may be writing elsewhere.
      if (window.top === window || document.hasFocus()) input.focus();
    },
    edit,
    get isEditing() {
      return replaces !== undefined;
    },
    restore: ({ text, images = [] }) => {
      if (!input.value) write(text);
      if (attached.urls.length === 0) attached.set(images);
    },
    add: (files) => void attached.add(files),
    running: (is) => (stopButton.hidden = !is),
  };

  function submit(): void {
    const text = input.value.trim();
    const images = fetching ? undefined : [...attached.urls];
    if (!text && images?.length === 0) return;
    localStorage.removeItem(`draft ${thread}`);
    ask({ text, images, instead: replaces });
    write("");
    edit(undefined);
  }

  function edit(turn: Turn | undefined): void {
    replaces = turn;
    fetching = turn;
    editing.hidden = !turn;
    editing.replaceChildren(
      say("editing"),
      h("button", { type: "button", onclick: () => edit(undefined) }, say("cancel")),
    );
    attached.set([]);
    if (!turn) return;
    write(turn.text);
    input.focus();
    void fetchImages(turn).catch(failed);
  }

  async function fetchImages(turn: Turn): Promise<void> {
    const urls = await Promise.all(imagesOf(thread, turn).map(fetchImage));
    if (fetching !== turn) return;
    fetching = undefined;
    attached.set(urls);
  }

  function write(text: string): void {
    input.value = text;
    fit();
  }

  function fit(): void {
    input.rows = Math.min(10, input.value.split("\n").length);
  }
}
