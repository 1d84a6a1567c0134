import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../system/package.ts";
import type { Told } from "./journey.ts";

/** The compiled program: it is what runs, also where this file itself is run from its source. */
export const BUILT = import.meta.filename.endsWith(".ts")
  ? join(import.meta.dirname, "../../dist/src")
  : join(import.meta.dirname, "..");

/** Where processes of the playground live, and with which settings. */
export interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What a process tells. */
export interface ToldBy {
  readonly told: (told: Told) => void;
  /** Where people open its web chat: a token stands in the address. */
  readonly opened?: (address: string) => void;
}

/** A process of the real program that tells the steps of messages, without rights that it does not need. */
export function spawnProgram(
  script: string,
  words: readonly string[],
  { folder, env, told, opened }: Home & ToldBy,
): ChildProcess {
  const child = spawn(process.execPath, [...rights(folder), join(BUILT, script), ...words], {
    cwd: folder,
    env: { ...env, COLLOQUY_STEPS: "tell" },
    stdio: ["pipe", "pipe", "pipe", "ipc"],
  });
  child.on("message", (message: Told | { readonly open: string }) =>
    "step" in message ? told(message) : opened?.(message.open),
  );
  // What is wrong with it is seen by its end.
  child.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  return child;
}

/**
 * The options of Node.js with which a process reads only the program itself, writes only into its own folder, and
 * starts no other process: people at the page could find a way to make it try.
 */
function rights(folder: string): string[] {
  // Node.js 20 knows the same under the name of an experiment, and warns of it.
  const known = process.allowedNodeEnvironmentFlags;
  return [
    known.has("--permission") ? "--permission" : "--experimental-permission",
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
    // sqlite3 is one.
    "--allow-addons",
    ...(known.has("--allow-net") ? ["--allow-net"] : []),
    ...[...PROGRAM, join(folder, "/")].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${join(folder, "/")}`,
  ];
}

/** What the program consists of; a folder ends in a slash. The operator's own files may lie beside these. */
const PROGRAM = [
  join(BUILT, "../"),
  join(PACKAGE_ROOT, "package.json"),
  join(PACKAGE_ROOT, "config/personas/"),
  packages(),
];

/** The folder where all packages are, whatever package manager has put them there. */
function packages(): string {
  const [above = ""] = createRequire(import.meta.url)
    .resolve("keyv")
    .split(/(?<=[/\\]node_modules[/\\])/);
  return above;
}

/** Ends a process whose work nobody needs any more. */
export async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await ended;
}
