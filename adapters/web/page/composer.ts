import { imagesOf, type Turn } from "./client.ts";
import { h, iconButton } from "./dom.ts";
import { attachImages, fetchImage } from "./images.ts";
import { say } from "./texts.ts";

/** A message that the user has written. */
export interface Draft {
  readonly text: string;
  /** As `data:` URLs; if absent, the images of the turn that is replaced. */
  readonly images?: readonly string[] | undefined;
  /** The turn that the message replaces. */
  readonly replaces?: Turn | undefined;
}

/** The field in which the user writes a message. */
export interface Composer {
  readonly element: HTMLElement;
  /** Shows the message that was begun in a conversation. */
  open(thread: string): void;
  /** Begins to edit an earlier question; undefined ends editing. */
  edit(turn: Turn | undefined): void;
  readonly isEditing: boolean;
  /** Shows a message that was not sent, unless the user is writing another one. */
  restore(draft: Draft): void;
  /** Attaches files that were dropped on the conversation. */
  add(files: Iterable<File>): void;
  /** Shows or hides the button that stops the answer. */
  setAnswering(is: boolean): void;
}

export interface ComposerOptions {
  readonly send: (draft: Draft) => void;
  readonly stop: () => void;
  /** Shows an error. */
  readonly failed: (error: unknown) => void;
  /** Shows a sentence for a while. */
  readonly notify: (text: string) => void;
}

/** Creates a composer of texts with images. A text that was begun survives a reload of the page. */
export function createComposer({ send, stop, failed, notify }: ComposerOptions): Composer {
  let thread = "";
  let replaces: Turn | undefined;
  /** The turn whose images are being loaded. */
  let fetching: Turn | undefined;
  const input = h("textarea", {
    rows: 1,
    placeholder: say("placeholder"),
    ariaLabel: say("message"),
    id: "message",
  });
  const attached = attachImages(notify);
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
    // While an input method composes a character, Enter belongs to the input method.
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
      // In a frame on another page, the user may be writing elsewhere.
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
    setAnswering: (is) => (stopButton.hidden = !is),
  };

  function submit(): void {
    const text = input.value.trim();
    const images = fetching ? undefined : [...attached.urls];
    if (!text && images?.length === 0) return;
    localStorage.removeItem(`draft ${thread}`);
    send({ text, images, replaces });
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
