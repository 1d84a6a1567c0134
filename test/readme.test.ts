import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const english = sections(read("README.md"));
const chinese = sections(read("README.zh-CN.md"));

test("the README in Chinese has the sections of the English one", () => {
  expect(chinese.map(({ level }) => level)).toEqual(english.map(({ level }) => level));
});

// By their order: the names differ.
describe.each(english.map((section, index) => [section.title, section, chinese[index]] as const))(
  "%s",
  (_, one, other) => {
    test("has the same commands", () => {
      expect(other?.commands).toEqual(one.commands);
    });

    test("names the same settings, files and commands in its sentences", () => {
      expect(other?.names).toEqual(one.names);
    });

    test("has tables and lists of the same length", () => {
      expect(other?.rows).toBe(one.rows);
    });

    test("leads to the same pages", () => {
      expect(other?.links).toEqual(one.links);
    });
  },
);

test.each(["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "docs/many-machines.md"])(
  "the links within %s lead somewhere",
  (file) => {
    const text = read(file);
    const anchors = new Set(sections(text).map(({ title }) => anchorOf(title)));
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path = "", anchor] = target.split("#");
      if (path) expect(existsSync(join(root, file, "..", path)), `${target} in ${file}`).toBe(true);
      else expect(anchors, `${target} in ${file}`).toContain(anchor);
    }
  },
);

interface Section {
  readonly title: string;
  readonly level: number;
  /** Blocks of code, without what is said about it. */
  readonly commands: readonly string[];
  readonly names: readonly string[];
  readonly rows: number;
  readonly links: readonly string[];
}

function sections(text: string): Section[] {
  // A heading, but no comment in a block of code.
  const parts = text.split(
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
      rows: prose.match(/^(\||\d+\. )/gm)?.length ?? 0,
      links: [...prose.matchAll(/\]\((https?:[^)]+|[^#)][^)]*)\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !target.startsWith("README"))
        .toSorted(),
    };
  });
}

/** Comments are translated, but for those that are commands themselves. */
function withoutComments(code: string): string {
  return code.replace(/(^|\s)#(?! [A-Z_]+=).*$/gm, "").replace(/[ \t]+$/gm, "");
}

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}
