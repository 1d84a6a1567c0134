import { say } from "./texts.ts";

type Child = Node | string | undefined | false;

/** Creates an element with properties and children. A string becomes text, never HTML. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties<Tag> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  const { class: name, attributes = {}, ...rest } = properties;
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  Object.assign(element, rest);
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

type Properties<Tag extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[Tag], "attributes" | "style" | "children" | "className">
> & {
  readonly class?: string;
  readonly attributes?: Readonly<Record<string, string>>;
};

/** Creates a button with an icon, which the style sheet draws, and a label for screen readers. */
export function iconButton(icon: string, label: string, onclick: () => unknown): HTMLButtonElement {
  return h("button", {
    class: `icon ${icon}`,
    type: "button",
    title: label,
    ariaLabel: label,
    onclick: () => void onclick(),
  });
}

/** Creates a button that copies a text to the clipboard and confirms it. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const button = iconButton("copy", label, async () => {
    await navigator.clipboard.writeText(text());
    button.classList.add("done");
    button.ariaLabel = button.title = say("copied");
    setTimeout(() => {
      button.classList.remove("done");
      button.ariaLabel = button.title = label;
    }, 1500);
  });
  return button;
}

/** Asks a question in a dialog. Resolves with the text that was entered, or undefined if the dialog was dismissed. */
export function ask(question: {
  readonly title: string;
  readonly value?: string;
  readonly yes: string;
  readonly no: string;
  readonly danger?: boolean;
}): Promise<string | undefined> {
  const input =
    question.value === undefined
      ? undefined
      : h("input", { value: question.value, maxLength: 120, ariaLabel: question.title });
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { attributes: { "aria-label": question.title } },
      h(
        "form",
        { method: "dialog" },
        h("h2", {}, question.title),
        input,
        h(
          "p",
          { class: "buttons" },
          h<"button">("button", { type: "button", onclick: () => dialog.close() }, question.no),
          h("button", { value: "yes", class: question.danger ? "danger" : "main" }, question.yes),
        ),
      ),
    );
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? (input?.value ?? "") : undefined);
    };
    document.body.append(dialog);
    dialog.showModal();
    input?.select();
  });
}

/** Shows content in a dialog that has a button to close it. */
export function show(title: string, close: string, ...content: readonly Node[]): void {
  const dialog = h(
    "dialog",
    { attributes: { "aria-label": title } },
    h("h2", {}, title),
    ...content,
    h("form", { method: "dialog" }, h("p", { class: "buttons" }, h("button", { class: "main" }, close))),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * Creates a menu of names, hidden if there are fewer than two. The first name is the default; while it is chosen, the value
 * is undefined.
 */
export function select(label: string, names: readonly string[], onChoose: (name: string) => Promise<void>) {
  const element = h(
    "select",
    { ariaLabel: label, title: label, hidden: names.length < 2 },
    ...names.map((name) => h("option", { value: name }, name)),
  );
  element.onchange = () => void onChoose(element.value);
  return {
    element,
    value: () => (element.selectedIndex > 0 ? element.value : undefined),
    set: (name: string | undefined) => (element.selectedIndex = Math.max(0, names.indexOf(name ?? ""))),
  };
}
