import { h } from "./dom.ts";
import { say } from "./texts.ts";
import { copyButton } from "./copy.ts";

interface Highlighter {
  getLanguage(name: string): object | undefined;
  highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { readonly value: string };
}

/** Longer code stays plain: colours would take longer than people look, in UTF-16 units. */
const MAX_CODE = 50_000;

let loading: Promise<Highlighter> | undefined;

/** How often it could not be loaded: browsers remember that of an address, and another query is another address. */
let failures = 0;

/** Gives code its colours and a button to copy it; `growing` is left alone for now. */
export function colour(element: Element, growing: Element | null | undefined): void {
  for (const code of element.querySelectorAll<HTMLElement>("pre:not(.finished) > code")) {
    const block = code.parentElement as HTMLElement;
    if (growing?.contains(block)) continue;
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
    // What cannot be loaded now stays plain.
    if (language && text.length <= MAX_CODE) highlight(code, text, language).catch(() => undefined);
  }
}

/** The highlighter is fetched with the first code; what it returns is the code with spans, everything else escaped. */
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
