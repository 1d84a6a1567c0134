import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** Three screens of 50 lines. */
const MAX_LINES = 150;

test("api.md lists the public API as it is; `npx vitest run test/api.test.ts -u` brings it up to date", async () => {
  const report = describeApi();
  expect(report.split("\n").length).toBeLessThanOrEqual(MAX_LINES);
  await expect(report).toMatchFileSnapshot("../api.md");
});

/** Each export of `src/index.ts` with its signature, below the headings that the comments there give. */
function describeApi(): string {
  const index = readFileSync(join(root, "src/index.ts"), "utf8");
  const sections = index.split(/^\/\/ /m).slice(1);
  const described = sections.map((section) => {
    const [heading = "", ...rest] = section.split("\n");
    const statements = rest.join("\n").matchAll(/export (?:type )?\{([^}]*)\} from "\.\/([^"]+)\.ts"/g);
    const lines = [...statements].flatMap(([, names = "", path = ""]) => {
      const declarations = readFileSync(join(root, `dist/src/${path}.d.ts`), "utf8").replace(
        /\/\*\*[^]*?\*\//g,
        "",
      );
      return namesIn(names).map((name) => describe(name, declarations));
    });
    return `## ${heading.replace(/\.$/, "")}\n\n\`\`\`ts\n${lines.join("\n")}\n\`\`\`\n`;
  });
  const about =
    "What `colloquy` exports; a member with `?` may be left out. A test compares this page with the code.";
  return `# The public API\n\n${about}\n\n${described.join("\n")}`;
}

function namesIn(list: string): string[] {
  return list.split(",").flatMap((name) => /^(?:type )?(\w+)$/.exec(name.trim())?.[1] ?? []);
}

function describe(name: string, declarations: string): string {
  const [found, kind] = new RegExp(
    `^export (?:declare )?(\\w+) ${name}\\b[^]*?(?=^(?:export|interface|type|declare) |$(?![^]))`,
    "m",
  ).exec(declarations) ?? [`export unknown ${name}`, "unknown"];
  const flat = found
    .replace(/^export (?:declare )?/, "")
    .replace(/\s+/g, " ")
    .trim();
  if (kind === "interface" || kind === "class") {
    const [head = "", ...body] = found.replace(/^export (?:declare )?/, "").split(/\{$/m);
    return `${head.trim()} { ${membersOf(body.join("{")).join(", ")} }`;
  }
  return flat.replace(/;$/, "").replace(/^const (\w+) = (.*)$/, "const $1: $2");
}

/** The names at the outermost level of a body, one line each as the compiler writes them. */
function membersOf(body: string): string[] {
  return [...body.matchAll(/^ {4}(?:readonly )?(\w+)(\??)(?=[:(<])/gm)]
    .filter(([, name]) => name !== "constructor")
    .map(([, name, mark]) => `${name}${mark}`);
}
