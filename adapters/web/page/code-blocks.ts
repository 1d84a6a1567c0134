import { copyButton, h } from "./dom.ts";
import { say } from "./texts.ts";

interface Highlighter {
  getLanguage(name: string): object | undefined;
  highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { readonly value: string };
}

/** Longer code is not highlighted, because that would take too long; in UTF-16 units. */
const MAX_HIGHLIGHTED = 50_000;

let loading: Promise<Highlighter> | undefined;

/** How often loading has failed. Browsers remember a failed address, so each attempt uses another query. */
let failures = 0;

/** Adds syntax highlighting and a copy button to the code blocks in `element`, except in `streaming`. */
export function decorateCode(element: Element, streaming: Element | null | undefined): void {
  for (const code of element.querySelectorAll<HTMLElement>("pre:not(.finished) > code")) {
    const block = code.parentElement as HTMLElement;
    if (streaming?.contains(block)) continue;
    block.classList.add("finished");
    block.tabIndex = 0;
    const text = code.textContent;
    const language = /\blanguage-(\S+)/.exec(code.className)?.[1] ?? "";
    block.append(
      h(
        "div",
        { class: "code-tools" },
        h("span", {}, language),
        copyButton(say("copyCode"), () => text),
      ),
    );
    // If the highlighter cannot be loaded, the code stays plain.
    if (language && text.length <= MAX_HIGHLIGHTED) highlight(code, text, language).catch(() => undefined);
  }
}

/** The highlighter is loaded with the first code block. It returns the code with `span` elements, and all else escaped. */
async function highlight(code: HTMLElement, text: string, language: string): Promise<void> {
  loading ??= load();
  const highlighter = await loading;
  if (!highlighter.getLanguage(language)) return;
  code.innerHTML = highlighter.highlight(text, { language, ignoreIllegals: true }).value;
}

async function load(): Promise<Highlighter> {
  const url = new URL("highlight.js", import.meta.url);
  if (failures > 0) url.search = `again=${failures}`;
  try {
    const module = (await import(/* @vite-ignore */ url.href)) as { readonly default: Highlighter };
    return module.default;
  } catch (error) {
    failures += 1;
    loading = undefined;
    throw error;
  }
}
