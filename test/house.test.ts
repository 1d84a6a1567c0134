import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/**
 * The house, from the ground up: each room, and the rooms whose files it may import. Only rooms that stand before it can be
 * listed, so imports run one way.
 */
const HOUSE: readonly (readonly [room: string, mayImport: readonly string[]])[] = [
  // What everything stands on.
  ["src/errors.ts", []],
  ["src/sanitize/", []],
  ["src/i18n/", []],
  ["src/system/", ["src/errors.ts"]],
  ["src/log.ts", ["src/errors.ts", "src/sanitize/"]],
  ["src/http/", []],
  ["src/proxy/", ["src/errors.ts", "src/http/"]],
  ["src/telemetry/", []],
  ["src/postgres/", ["src/errors.ts", "src/log.ts", "src/system/"]],
  ["src/store/", ["src/errors.ts", "src/log.ts", "src/system/", "src/postgres/"]],
  ["config/", ["src/errors.ts", "src/http/", "src/sanitize/", "src/system/"]],
  // Text, and what a conversation is.
  ["src/text/", []],
  ["src/text/dialect/", ["src/text/"]],
  ["src/text/parse/", ["src/system/", "src/text/", "src/text/dialect/"]],
  ["src/text/paginate/", ["src/system/", "src/text/", "src/text/dialect/", "src/text/parse/"]],
  ["src/model/", ["src/errors.ts", "src/sanitize/", "src/system/", "src/telemetry/"]],
  // The contracts of a bot author.
  ["src/event.ts", []],
  [
    "src/conversation/",
    ["src/errors.ts", "src/event.ts", "src/model/", "src/store/", "src/telemetry/", "src/text/dialect/"],
  ],
  ["src/adapter.ts", ["src/event.ts", "src/text/dialect/"]],
  ["src/handler.ts", ["src/conversation/", "src/event.ts", "src/i18n/", "src/log.ts", "src/text/dialect/"]],
  [
    "src/turn.ts",
    ["src/adapter.ts", "src/errors.ts", "src/handler.ts", "src/i18n/", "src/log.ts", "src/telemetry/"],
  ],
  // The stages of a message.
  [
    "src/queue/",
    [
      "src/errors.ts",
      "src/event.ts",
      "src/log.ts",
      "src/postgres/",
      "src/store/",
      "src/system/",
      "src/telemetry/",
    ],
  ],
  [
    "src/receive/",
    [
      "src/adapter.ts",
      "src/errors.ts",
      "src/event.ts",
      "src/log.ts",
      "src/postgres/",
      "src/queue/",
      "src/telemetry/",
    ],
  ],
  ["src/access/", ["src/event.ts", "src/handler.ts", "src/i18n/", "src/postgres/"]],
  ["src/commands/", ["src/adapter.ts", "src/conversation/", "src/handler.ts", "src/i18n/", "src/model/"]],
  [
    "src/answer/",
    [
      "src/conversation/",
      "src/errors.ts",
      "src/event.ts",
      "src/handler.ts",
      "src/model/",
      "src/telemetry/",
      "src/text/",
    ],
  ],
  [
    "src/delivery/",
    [
      "src/adapter.ts",
      "src/conversation/",
      "src/errors.ts",
      "src/event.ts",
      "src/handler.ts",
      "src/i18n/",
      "src/log.ts",
      "src/system/",
      "src/telemetry/",
      "src/text/dialect/",
      "src/text/paginate/",
    ],
  ],
  // What joins them.
  [
    "src/engine.ts",
    [
      "src/adapter.ts",
      "src/conversation/",
      "src/delivery/",
      "src/errors.ts",
      "src/event.ts",
      "src/handler.ts",
      "src/i18n/",
      "src/log.ts",
      "src/queue/",
      "src/store/",
      "src/telemetry/",
      "src/turn.ts",
    ],
  ],
  [
    "src/cluster.ts",
    ["src/adapter.ts", "src/delivery/", "src/log.ts", "src/postgres/", "src/queue/", "src/receive/"],
  ],
  [
    "src/colloquy.ts",
    [
      "src/access/",
      "src/adapter.ts",
      "src/answer/",
      "src/cluster.ts",
      "src/commands/",
      "src/conversation/",
      "src/delivery/",
      "src/engine.ts",
      "src/errors.ts",
      "src/event.ts",
      "src/handler.ts",
      "src/log.ts",
      "src/model/",
      "src/queue/",
      "src/receive/",
      "src/sanitize/",
      "src/store/",
    ],
  ],
  [
    "src/index.ts",
    [
      "src/adapter.ts",
      "src/answer/",
      "src/colloquy.ts",
      "src/conversation/",
      "src/errors.ts",
      "src/event.ts",
      "src/handler.ts",
      "src/model/",
      "src/text/",
      "src/text/dialect/",
      "src/text/paginate/",
      "src/text/parse/",
      "src/http/",
      "src/log.ts",
      "src/store/",
    ],
  ],
  [
    "adapters/",
    [
      "src/adapter.ts",
      "src/errors.ts",
      "src/event.ts",
      "src/handler.ts",
      "src/http/",
      "src/i18n/",
      "src/log.ts",
      "src/sanitize/",
      "src/system/",
      "src/text/",
      "src/text/dialect/",
      "src/text/parse/",
    ],
  ],
  // The program and its tools.
  [
    "src/exchange/",
    [
      "src/conversation/",
      "src/errors.ts",
      "src/model/",
      "src/sanitize/",
      "src/store/",
      "src/system/",
      "src/text/",
    ],
  ],
  [
    "src/migrate/",
    ["src/errors.ts", "src/event.ts", "src/postgres/", "src/queue/", "src/store/", "src/system/"],
  ],
  [
    "src/program/",
    [
      "adapters/",
      "config/",
      "src/access/",
      "src/adapter.ts",
      "src/colloquy.ts",
      "src/commands/",
      "src/conversation/",
      "src/errors.ts",
      "src/event.ts",
      "src/exchange/",
      "src/handler.ts",
      "src/http/",
      "src/i18n/",
      "src/log.ts",
      "src/migrate/",
      "src/model/",
      "src/proxy/",
      "src/store/",
      "src/system/",
      "src/telemetry/",
      "src/text/dialect/",
      "src/text/paginate/",
    ],
  ],
  ["src/testing/", ["adapters/", "src/"]],
  ["src/cli/", ["adapters/", "config/", "src/"]],
  ["src/cli.ts", ["src/"]],
  ["src/playground/", ["adapters/", "config/", "src/"]],
];

/** Rooms that may name a platform; what the web chat keeps is migrated under the name that it has in the store. */
const NAMES_PLATFORMS = [
  "adapters/",
  "config/",
  "src/cli.ts",
  "src/cli/",
  "src/migrate/",
  "src/playground/",
  "src/program/",
  "src/testing/",
];

/** A room with more files than this beside one another needs rooms within it. */
const MAX_FILES = 16;

const files = ["src", "adapters", "config"].flatMap((folder) => sources(join(root, folder)));

test.each(files)("%s imports only what its room may import", (file) => {
  expect(roomOf(file), `${file} stands in no room of the house`).toBeDefined();
  expect(importsOf(file).filter((target) => !mayImport(file, target))).toEqual([]);
});

test("the table lists no room that comes later, and none that is not needed", () => {
  for (const [index, [room, allowed]] of HOUSE.entries()) {
    const before = HOUSE.slice(0, index).map(([name]) => name);
    const own = files.filter((file) => roomOf(file)?.[0] === room);
    const needed = new Set(own.flatMap(importsOf).map((target) => roomOf(target)?.[0]));
    for (const name of allowed) {
      if (name === "src/") continue;
      expect(before, `${room} lists ${name}`).toContain(name);
      expect(needed, `${room} needs ${name}`).toContain(name);
    }
  }
});

test.each([...new Set(files.map((file) => dirname(file)))])("%s is no corridor", (folder) => {
  expect(files.filter((file) => dirname(file) === folder).length).toBeLessThanOrEqual(MAX_FILES);
});

test.each(files.filter((file) => !NAMES_PLATFORMS.some((room) => file.startsWith(room))))(
  "%s names no platform in its code",
  (file) => {
    expect(platformsIn(source(file))).toEqual([]);
  },
);

/** `web` and `console` are words as well: they name a platform where they are a text of their own. */
function platformsIn(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  return code.match(/telegram|discord|dingtalk|(?<=["'`])(?:web|console)(?=["'`:/])/gi) ?? [];
}

test("what belongs to PostgreSQL is loaded only where it is used", () => {
  const loaded = new Set(["src/cli.ts"]);
  for (const file of loaded)
    for (const target of loadedBy(file)) if (target.endsWith(".ts")) loaded.add(target);
  const packages = [...loaded].flatMap((file) => loadedBy(file).filter((target) => !target.endsWith(".ts")));
  expect(loaded).toContain("src/colloquy.ts");
  expect([...loaded].filter((file) => file.startsWith("src/postgres/"))).toEqual([]);
  expect(packages).toContain("keyv");
  expect(packages.filter((name) => ["pg", "graphile-worker"].includes(name))).toEqual([]);
});

test("the checks see what is wrong", () => {
  expect(mayImport("src/text/cut.ts", "src/engine.ts")).toBe(false);
  expect(mayImport("src/text/cut.ts", "src/text/parse/markdown.ts")).toBe(false);
  expect(mayImport("adapters/telegram/x.ts", "adapters/discord/y.ts")).toBe(false);
  expect(importsOf("src/engine.ts")).toContain("src/delivery/deliver.ts");
  expect(platformsIn('const a = "web"; // "console"')).toEqual(["web"]);
  expect(platformsIn("isDiscord() || kind === `console:x`")).toEqual(["Discord", "console"]);
});

/** The last room whose name the file's begins with: rooms within others come after them. */
function roomOf(file: string): (typeof HOUSE)[number] | undefined {
  return HOUSE.findLast(([room]) => file.startsWith(room));
}

function mayImport(file: string, target: string): boolean {
  const own = roomOf(file);
  const other = roomOf(target);
  if (!own || !other) return false;
  if (own === other) return own[0] !== "adapters/" || platformOf(file) === platformOf(target);
  return own[1].some((name) => (name === "src/" ? target.startsWith(name) : name === other[0]));
}

function platformOf(file: string): string | undefined {
  return file.split("/")[1];
}

function importsOf(file: string): string[] {
  return [...source(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, path = ""]) =>
    normalize(join(dirname(file), path)),
  );
}

/** The files and packages that are loaded together with a file: no types, and nothing that is imported later. */
function loadedBy(file: string): string[] {
  const statements = source(file).matchAll(/^(?:import|export) (?!type )[^;"]*?"([^"]+)";/gms);
  return [...statements].map(([, path = ""]) =>
    path.startsWith(".") ? normalize(join(dirname(file), path)) : path,
  );
}

function source(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    return name.endsWith(".ts") ? [relative(root, path)] : [];
  });
}

test("the lock file holds every package for every system, so that npm ci can install it", () => {
  const { packages } = JSON.parse(source("package-lock.json")) as { packages: Record<string, Locked> };
  const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).filter(
      (name) => !isLocked(packages, path, name),
    ),
  );
  expect(missing).toEqual([]);
});

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** As Node looks for it: beside the one that needs it, or further out. */
function isLocked(packages: Readonly<Record<string, Locked>>, path: string, name: string): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    if (`${at ? `${at}/` : ""}node_modules/${name}` in packages) return true;
    if (at === "") return false;
    if (!at.includes("/node_modules/")) return `node_modules/${name}` in packages;
  }
}
