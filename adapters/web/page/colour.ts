import { h } from "./dom.ts";
import { say } from "./texts.ts";
import { copyButton } from "./copy.ts";

interface Highlighter {
  getLanguage(name: string): object | undefined;
  highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { readonly value: string };
}

/** Longer code stays plain: colours would take longer than people look, in UTF-16 units. */
const LONGEST = 50_000;

let loading: Promise<Highlighter> | undefined;

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
    if (language && text.length <= LONGEST) void highlight(code, text, language);
  }
}

/** The highlighter is fetched with the first code; what it returns is the code with spans, everything else escaped. */
async function highlight(code: HTMLElement, text: string, language: string): Promise<void> {
  loading ??= import(/* @vite-ignore */ new URL("highlight.js", import.meta.url).href).then(
    (module: { readonly default: Highlighter }) => module.default,
  );
  const highlighter = await loading;
  if (!highlighter.getLanguage(language)) return;
  code.innerHTML = highlighter.highlight(text, { language, ignoreIllegals: true }).value;
}
