import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** The pages that exist in both languages: the English one, and the Chinese one. */
const TRANSLATED = [
  ["README.md", "README.zh-CN.md"] as const,
  ...pagesIn("docs/zh-CN").map((page) => [page.replace("zh-CN/", ""), page] as const),
];

const PAGES = [
  "README.md",
  "README.zh-CN.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "adapters/README.md",
  ...pagesIn("docs"),
  ...pagesIn("docs/zh-CN"),
];

test("the README is short enough to be read", () => {
  for (const page of ["README.md", "README.zh-CN.md"])
    expect(read(page).split("\n").length, page).toBeLessThanOrEqual(151);
});

describe.each(TRANSLATED)("%s and %s", (page, translation) => {
  const english = sections(page);
  const chinese = sections(translation);

  test("have the same sections", () => {
    expect(chinese.map(({ level }) => level)).toEqual(english.map(({ level }) => level));
  });

  // Paired by position: the titles differ.
  describe.each(english.map((section, index) => [section.title, section, chinese[index]] as const))(
    "%s",
    (_, one, other) => {
      test("have the same commands", () => {
        expect(other?.commands).toEqual(one.commands);
      });

      test("name the same settings, files and commands in their sentences", () => {
        expect(other?.names).toEqual(one.names);
      });

      test("have tables and lists of the same length", () => {
        expect(other?.rows).toBe(one.rows);
      });

      test("link to the same pages", () => {
        expect(other?.links).toEqual(one.links);
      });
    },
  );
});

test.each(PAGES)("the links in %s lead somewhere", (page) => {
  for (const [, target = ""] of read(page).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
    const [path = "", anchor] = target.split("#");
    const linked = path ? normalize(join(dirname(page), path)) : page;
    expect(existsSync(join(root, linked)), `${target} in ${page}`).toBe(true);
    if (anchor) expect(anchorsOf(linked), `${target} in ${page}`).toContain(anchor);
  }
});

test.each(["CONTRIBUTING.md", "adapters/README.md", "docs/internals.md", "docs/embedding.md"])(
  "the files that %s names exist",
  (page) => {
    const named = read(page).matchAll(/`((?:\.ci|adapters|config|docs|src|test)\/[^`*<>{}\s]*)`/g);
    for (const [, path = ""] of named) expect(existsSync(join(root, path)), `${path} in ${page}`).toBe(true);
  },
);

test("docs/settings.md lists every setting, and no other", () => {
  const schema = readdirSync(join(root, "config")).filter((name) => name.endsWith(".ts"));
  const known = schema.flatMap((name) =>
    [...read(`config/${name}`).matchAll(/^ {2}([A-Z]+_[A-Z_]+):/gm)].map(([, setting = ""]) => setting),
  );
  const rows = read("docs/settings.md").matchAll(/^\| (`[A-Z][^|]*) \|/gm);
  const listed = [...rows].flatMap(([, row = ""]) =>
    [...row.matchAll(/`([A-Z_]+)`/g)].map(([, setting = ""]) => setting),
  );
  // The row of the first such file speaks for all of them.
  const isNoFile = (setting: string) => !setting.endsWith("_FILE");
  expect(known.length).toBeGreaterThan(30);
  expect(new Set(listed.filter(isNoFile))).toEqual(
    new Set([...known.filter(isNoFile), "CURRENCY", "PERSONA"]),
  );
});

interface Section {
  readonly title: string;
  readonly level: number;
  /** Blocks of code, without their comments. */
  readonly commands: readonly string[];
  readonly names: readonly string[];
  readonly rows: number;
  readonly links: readonly string[];
}

function sections(page: string): Section[] {
  // A heading, but no comment in a block of code.
  const parts = read(page).split(
    /^(?=#{1,6} )(?=(?:(?!^```)[^])*(?:^```(?:(?!^```)[^])*^```(?:(?!^```)[^])*)*$(?![^]))/m,
  );
  return parts.map((part) => {
    const [, marks = "", title = ""] = /^(#+) (.*)$/m.exec(part) ?? [];
    const prose = part.replace(/^```[^]*?^```/gm, "");
    return {
      title,
      level: marks.length,
      commands: [...part.matchAll(/^```\w+\n([^]*?)^```/gm)].map(([, code = ""]) => withoutComments(code)),
      names: [...prose.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name).toSorted(),
      rows: prose.match(/^(\||\d+\. |- )/gm)?.length ?? 0,
      links: [...prose.matchAll(/\]\((https?:[^)]+|[^#)][^)]*)\)/g)]
        .map(([, target = ""]) => (target.startsWith("http") ? target : pageOf(page, target)))
        .filter((target) => target !== "README.md" || !page.startsWith("README"))
        .toSorted(),
    };
  });
}

/** The English page that a link leads to; titles, and so anchors, are translated. */
function pageOf(page: string, target: string): string {
  const linked = normalize(join(dirname(page), target.replace(/#.*/, "")));
  return linked.replace(/zh-CN\/|\.zh-CN/, "");
}

/** Comments are translated, except those that are commands themselves. */
function withoutComments(code: string): string {
  return code.replace(/(^|\s)#(?! [A-Z_]+=).*$/gm, "").replace(/[ \t]+$/gm, "");
}

function anchorsOf(page: string): ReadonlySet<string> {
  return new Set(sections(page).map(({ title }) => anchorOf(title)));
}

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

function pagesIn(folder: string): string[] {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(".md"));
  return names.map((name) => `${folder}/${name}`);
}

function read(page: string): string {
  return readFileSync(join(root, page), "utf8");
}
