import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** Which room may import which, most special first; what is not listed is forbidden. Leaves: errors, echo, harmless, images, log, owner-only, secrets, version, step, slices, pulse, i18n, package. */
const LEAVES = [
  "src/errors.ts",
  "src/echo.ts",
  "src/images.ts",
  "src/harmless.ts",
  "src/log.ts",
  "src/owner-only.ts",
  "src/secrets.ts",
  "src/version.ts",
  "src/step.ts",
  "src/slices.ts",
  "src/pulse.ts",
  "src/load-package.ts",
  "src/i18n/",
  "src/package.ts",
];
const ROOMS: readonly (readonly [room: string, mayImport: readonly string[] | "all"])[] = [
  ["src/text/", ["src/slices.ts"]],
  ["src/slices.ts", []],
  ["src/event.ts", []],
  ["src/errors.ts", []],
  ["src/echo.ts", []],
  ["src/images.ts", []],
  ["src/log.ts", ["src/errors.ts", "src/harmless.ts", "src/secrets.ts"]],
  ["src/harmless.ts", []],
  ["src/secrets.ts", []],
  ["src/load-package.ts", []],
  ["src/step.ts", ["src/pulse.ts"]],
  ["src/pulse.ts", []],
  ["src/metrics.ts", ["src/pulse.ts", "src/queue/"]],
  ["src/status.ts", ["src/adapter.ts", "src/http/", "src/metrics.ts", ...LEAVES]],
  ["src/i18n/", []],
  ["src/package.ts", []],
  ["src/http/", []],
  ["src/proxy/", ["src/errors.ts", "src/http/"]],
  ["src/version.ts", ["src/errors.ts"]],
  ["src/postgres/", ["src/errors.ts", "src/log.ts"]],
  ["src/owner-only.ts", ["src/errors.ts"]],
  ["src/store.ts", ["src/errors.ts", "src/owner-only.ts", "src/postgres/"]],
  ["src/alone.ts", ["src/store.ts"]],
  [
    "src/web.ts",
    [
      "src/adapter.ts",
      "src/conversation.ts",
      "src/exchange/",
      "src/store.ts",
      "src/threads.ts",
      "src/usage.ts",
      "adapters/web/",
      ...LEAVES,
    ],
  ],
  ["src/threads.ts", ["src/alone.ts", "src/conversation.ts", "src/event.ts", "src/store.ts", ...LEAVES]],
  ["src/exchange/", ["src/alone.ts", "src/conversation.ts", "src/text/", ...LEAVES]],
  ["src/report.ts", ["src/conversation.ts", "src/event.ts", "src/store.ts", "src/usage.ts", ...LEAVES]],
  ["src/watch.ts", ["src/store.ts", ...LEAVES]],
  ["src/dead.ts", ["src/store.ts", "src/queue/", ...LEAVES]],
  ["src/keep.ts", ["src/store.ts"]],
  ["src/migrate/", ["src/event.ts", "src/postgres/", "src/queue/", "src/store.ts", ...LEAVES]],
  ["src/sight.ts", ["src/adapter.ts", "src/postgres/", ...LEAVES]],
  ["src/intake.ts", ["src/adapter.ts", "src/postgres/", ...LEAVES]],
  ["src/adapter.ts", ["src/event.ts", "src/text/"]],
  ["src/conversation.ts", ["src/event.ts", "src/text/", ...LEAVES]],
  ["src/model/", ["src/event.ts", ...LEAVES]],
  ["src/queue/", ["src/event.ts", "src/postgres/", ...LEAVES]],
  ["src/usage.ts", ["src/conversation.ts", "src/model/", "src/pulse.ts"]],
  ["src/handler.ts", ["src/event.ts", "src/conversation.ts", "src/text/", ...LEAVES]],
  [
    "src/delivery/",
    ["src/adapter.ts", "src/conversation.ts", "src/event.ts", "src/handler.ts", "src/text/", ...LEAVES],
  ],
  ["src/limits.ts", ["src/conversation.ts", "src/model/"]],
  [
    "src/asking.ts",
    [
      "src/event.ts",
      "src/handler.ts",
      "src/conversation.ts",
      "src/limits.ts",
      "src/model/",
      "src/usage.ts",
      ...LEAVES,
    ],
  ],
  ["src/shorten.ts", ["src/handler.ts", "src/limits.ts", "src/asking.ts", ...LEAVES]],
  [
    "src/answer.ts",
    ["src/handler.ts", "src/asking.ts", "src/shorten.ts", "src/model/", "src/text/", ...LEAVES],
  ],
  [
    "src/access/",
    ["src/event.ts", "src/handler.ts", "src/conversation.ts", "src/model/", "src/postgres/", ...LEAVES],
  ],
  [
    "src/commands/",
    [
      "src/adapter.ts",
      "src/handler.ts",
      "src/conversation.ts",
      "src/event.ts",
      "src/model/",
      "src/usage.ts",
      ...LEAVES,
    ],
  ],
  [
    "src/engine.ts",
    [
      "src/alone.ts",
      "src/adapter.ts",
      "src/conversation.ts",
      "src/delivery/",
      "src/event.ts",
      "src/handler.ts",
      "src/queue/",
      "src/text/",
      ...LEAVES,
    ],
  ],
  ["src/playground/", "all"],
  ["src/preview.ts", ["src/text/", ...LEAVES]],
  ["src/server.ts", ["src/adapter.ts", "src/http/", "src/metrics.ts", "src/status.ts", ...LEAVES]],
  [
    "adapters/",
    [
      "src/adapter.ts",
      "src/event.ts",
      "src/handler.ts",
      "src/errors.ts",
      "src/echo.ts",
      "src/text/",
      "src/webhook.ts",
      "src/http/",
    ],
  ],
  ["src/webhook.ts", ["src/http/"]],
  ["config/", ["src/errors.ts", "src/harmless.ts", "src/http/", "src/package.ts", "src/secrets.ts"]],
  ["src/models.ts", ["src/model/", "config/", ...LEAVES]],
  ["src/colloquy.ts", "all"],
  ["src/index.ts", "all"],
  ["src/main.ts", "all"],
  ["src/cli.ts", "all"],
  ["src/cli/", "all"],
];

/** Files that may name a platform. */
const ABOVE = ["src/main.ts", "src/cli.ts", "src/cli/", "src/index.ts", "src/playground/"];

const files = ["src", "adapters", "config"].flatMap((folder) => sources(join(root, folder)));

test.each(files)("%s imports only what its room may import", (file) => {
  const [room, mayImport] = ROOMS.find(([name]) => file.startsWith(name)) ?? [];
  expect(room, `${file} stands in no room of the house`).toBeDefined();
  const strangers = importsOf(file).filter(
    (target) => mayImport !== "all" && !allowed(file, target, mayImport ?? []),
  );
  expect(strangers).toEqual([]);
});

test.each(files.filter((file) => file.startsWith("src/") && !ABOVE.some((name) => file.startsWith(name))))(
  "%s names no platform in its code",
  (file) => {
    const code = source(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(code).not.toMatch(/telegram|discord|dingtalk/i);
  },
);

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

test("the check sees a wrong import", () => {
  expect(allowed("src/text/x.ts", "src/engine.ts", [])).toBe(false);
  expect(allowed("adapters/a/x.ts", "adapters/b/y.ts", ["src/text/"])).toBe(false);
  expect(importsOf("src/engine.ts")).toContain("src/delivery/deliver.ts");
});

function allowed(file: string, target: string, mayImport: readonly string[]): boolean {
  return sameRoom(file, target) || mayImport.some((place) => target.startsWith(place));
}

/** Files of one folder are one room; `src` itself is a corridor of single files. */
function sameRoom(file: string, target: string): boolean {
  const room = (path: string) => /^(src\/\w+\/|adapters\/\w+\/|config\/)/.exec(path)?.[0];
  return room(file) !== undefined && room(file) === room(target);
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
