import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "./support/folder.ts";

const start = promisify(execFile);
const root = join(import.meta.dirname, "..");

/** The stages of the Dockerfile, each with its instructions; comments and line ends within one are gone. */
const stages = readFileSync(join(root, "Dockerfile"), "utf8")
  .replace(/^#.*\n/gm, "")
  .replaceAll("\\\n", " ")
  .split(/^(?=FROM )/m)
  .map((stage) => stage.trim().split("\n"));

/** What never gets into a build: the patterns here are plain paths. */
const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n").filter(Boolean);

/** What only builds or tests the program. */
const UNNEEDED = /^node_modules\/(?:typescript|@typescript\/.*|vitest|tsx|node-gyp)$/;

test("the image builds from what the Dockerfile copies, and holds what it needs and no more", async () => {
  const [build = [], image = []] = stages;
  const built = temporaryFolder();
  for (const line of build) await carryOut(line, { from: root, to: built });
  const app = temporaryFolder();
  for (const line of image.filter((one) => one.startsWith("COPY --from=build ")))
    await carryOut(line.replace("--from=build ", "").replaceAll("/app/", ""), {
      from: built,
      to: app,
    });

  const installed = readFileSync(join(app, "node_modules/.package-lock.json"), "utf8");
  const { packages } = JSON.parse(installed) as { packages: object };
  expect(Object.keys(packages)).toContain("node_modules/sqlite3");
  expect(Object.keys(packages).filter((path) => UNNEEDED.test(path))).toEqual([]);
  const [, command = ""] = /^CMD (\[.*\])$/m.exec(image.join("\n")) ?? [];
  const [, ...words] = JSON.parse(command) as string[];
  expect(words.at(-1)).toBe("start");
  const env = { PATH: process.env["PATH"], STORE_URL: "sqlite:data/store.sqlite", MODEL: "demo" };
  const program = [...words.slice(0, -1), "ask", "1+1="];
  const { stdout, stderr } = await start(process.execPath, program, { cwd: app, env });
  expect(stderr).toBe("");
  expect(stdout).toContain("2");
});

/** As the engine would, but that the packages are those which are installed here, and that the system is as it is. */
async function carryOut(line: string, { from, to }: { from: string; to: string }): Promise<void> {
  const [instruction, ...words] = line.split(" ");
  if (instruction === "COPY") await copy(words, { from, to });
  if (instruction !== "RUN") return;
  for (const command of words.join(" ").split(" && ")) {
    if (/^(?:apt-get|rm -rf \/var)/.test(command)) continue;
    if (command === "npm ci") await link(join(root, "node_modules"), join(to, "node_modules"));
    else await start("sh", ["-c", command], { cwd: to });
  }
}

async function copy(words: readonly string[], { from, to }: { from: string; to: string }): Promise<void> {
  const target = words.at(-1) ?? "";
  for (const source of words.slice(0, -1)) {
    if (from === root && ignored.includes(source)) throw new Error(`${source} is in .dockerignore`);
    const path = target.endsWith("/") ? join(to, target, source) : join(to, target);
    mkdirSync(dirname(path), { recursive: true });
    await link(join(from, source), path);
    for (const one of ignored)
      if (from === root && one.startsWith(`${source}/`)) rmSync(join(to, one), { force: true });
  }
}

/** A copy whose files take no room of their own. */
async function link(from: string, to: string): Promise<void> {
  await start("cp", ["-al", from, to]);
}
