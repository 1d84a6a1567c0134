import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
// @ts-expect-error: the package has no types; what it gives is checked below.
import spec from "commonmark-spec";
import { z } from "zod";

/** Markdown that somebody wrote. */
export interface Sample {
  readonly name: string;
  readonly markdown: string;
}

const Spec = z.object({
  tests: z.array(
    z.object({ markdown: z.string(), html: z.string(), section: z.string(), number: z.number() }),
  ),
});

/** Every example of CommonMark's specification. */
export function commonmark(): readonly Sample[] {
  return specification().map(({ number, section, markdown }) => ({
    name: `${number}, ${section}`,
    markdown,
  }));
}

/** CommonMark's examples with the HTML that the specification gives for them; `→` there stands for a tab. */
export function specification(): z.infer<typeof Spec>["tests"] {
  const { tests } = Spec.parse(spec);
  return tests.map(({ markdown, html, ...rest }) => ({
    ...rest,
    markdown: markdown.replaceAll("→", "\t"),
    html: html.replaceAll("→", "\t"),
  }));
}

/** What GitHub adds to CommonMark: tables, strikethrough, task lists, bare addresses, footnotes. */
export function extensions(): readonly Sample[] {
  return EXTENSIONS.map((markdown, index) => ({ name: `extension ${index + 1}`, markdown }));
}

const EXTENSIONS = [
  "| city | people |\n| :--- | ---: |\n| Oslo | 700 000 |\n| Bergen | 290 000 |",
  "a | b\n-|-\n1 | 2\n3",
  "| a |\n|---|\n| b \\| c |\n| `d \\| e` |\n| **f** \\| g |",
  "| only a head | and no row |\n| --- | --- |",
  "| too | few |\n|---|\n| cells |",
  "| one | two |\n|:-:|:-:|\n| a | b | c |\n| d |\n\nafter",
  "before\n| a | b |\n|---|---|\n| c | d |\n> quoted",
  "- item\n\n  | a | b |\n  |---|---|\n  | c | d |",
  "> | a | b |\n> |---|---|\n> | c | d |",
  "| [link](https://a.example/x) | ~~gone~~ |\n|---|---|\n| ![](https://a.example/y.png) | <b>no</b> |",
  "~~gone~~ and ~gone~ and ~~~not gone~~~",
  "~~a\n\nb~~",
  "**~~both~~** ~~*both*~~",
  "- [ ] to do\n- [x] done\n- [X] done too\n- [] none\n- [ ]none",
  "1. [ ] first\n   - [x] within\n2. [x] **second**",
  "- [ ] \n- [x]\n",
  "www.example.org and www.example.org/help.",
  "(www.example.org/a_(b)) www.example.org/a&copy; www.example.org/a&amp;",
  "https://example.org/a?b=c&d=e#f, http://example.org.",
  "me@example.org, me.too+x@example.co.uk; not@, @not, a@b",
  "mailto:me@example.org xmpp:me@example.org ftp://example.org/a",
  "https://例え.jp/パス と https://example.org/日本語。",
  "**https://example.org** _www.example.org_ `https://example.org`",
  "one[^1] two[^two] again[^1]\n\n[^1]: The first.\n[^two]: The second,\n    which goes on.\n\n    And on.",
  "[^before]: Said before.\n\nlater[^before]",
  "no such note[^none] and an unused one\n\n[^unused]: Nobody asks.",
  "a note[^n] in a list:\n\n- item[^n]\n\n[^n]: `code`, **bold** and a [link](https://example.org)",
  "a note with code[^c]\n\n[^c]:\n    ```js\n    let a;\n    ```",
  "a<br>b<br/>c <br /> d",
  "| a |\n|---|\n| b<br>c |",
];

/** The largest README that is read, and the largest sum of all of them, in bytes. */
const MAX_README = 60_000;
const ALL_READMES = 400_000;

/** The READMEs of installed packages, by name, as far as their sizes allow: on one machine always the same. */
export function readmes(): readonly Sample[] {
  let bytes = 0;
  return packages().flatMap((name): Sample[] => {
    const path = join(MODULES, name, "README.md");
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? Number.POSITIVE_INFINITY;
    if (size > MAX_README || bytes + size > ALL_READMES) return [];
    bytes += size;
    return [{ name, markdown: readFileSync(path, "utf8") }];
  });
}

const MODULES = join(import.meta.dirname, "../../node_modules");

function packages(): string[] {
  return readdirSync(MODULES)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(MODULES, name)).map((each) => `${name}/${each}`) : [name],
    )
    .toSorted();
}
