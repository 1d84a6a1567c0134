type Child = Node | string | undefined | false;

/** An element with its properties and children; what is a string becomes text, never HTML. */
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

/** A button with an icon that is drawn by the style sheet, and a name for those who do not see it. */
export function iconButton(icon: string, label: string, onclick: () => unknown): HTMLButtonElement {
  return h("button", {
    class: `icon ${icon}`,
    type: "button",
    title: label,
    ariaLabel: label,
    onclick: () => void onclick(),
  });
}

/** Asks something in a dialog; resolves with what was entered, or undefined if it was dismissed. */
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

/** Shows something in a dialog that any key or click on its button closes. */
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
