import { iconButton } from "./dom.ts";
import { say } from "./texts.ts";

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
