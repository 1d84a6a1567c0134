import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../system/package.ts";
import type { StageReport } from "./journey.ts";

/** The compiled program, which the playground runs even if this file itself runs from source. */
export const BUILT = import.meta.filename.endsWith(".ts")
  ? join(import.meta.dirname, "../../dist/src")
  : join(import.meta.dirname, "..");

/** The working folder and the environment of a process. */
export interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Receives what a process reports. */
export interface ProcessReports {
  readonly onStage: (report: StageReport) => void;
  /** Receives the address of its web chat, which contains a token. */
  readonly onAddress?: (address: string) => void;
}

/** Starts a process of the real program that reports the stages of messages, without permissions that it does not need. */
export function spawnProgram(
  script: string,
  args: readonly string[],
  { folder, env, onStage, onAddress }: Home & ProcessReports,
): ChildProcess {
  const child = spawn(process.execPath, [...permissions(folder), join(BUILT, script), ...args], {
    cwd: folder,
    env: { ...env, COLLOQUY_STEPS: "1" },
    stdio: ["pipe", "pipe", "pipe", "ipc"],
  });
  child.on("message", (message: StageReport | { readonly open: string }) =>
    "step" in message ? onStage(message) : onAddress?.(message.open),
  );
  // A failed process is noticed when it closes.
  child.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  return child;
}

/**
 * The options of Node.js that allow a process only to read the program and its own folder, to write into that folder, and to
 * start no other process: users of the page might find a way to make it try.
 */
function permissions(folder: string): string[] {
  // Node.js 20 has the same option as an experiment, and prints a warning.
  const known = process.allowedNodeEnvironmentFlags;
  return [
    known.has("--permission") ? "--permission" : "--experimental-permission",
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
    // sqlite3 is an addon.
    "--allow-addons",
    ...(known.has("--allow-net") ? ["--allow-net"] : []),
    ...[...PROGRAM, join(folder, "/")].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${join(folder, "/")}`,
  ];
}

/** The files and folders of the program; a folder ends in a slash. The operator's own files may be beside them. */
const PROGRAM = [
  join(BUILT, "../"),
  join(PACKAGE_ROOT, "package.json"),
  join(PACKAGE_ROOT, "config/personas/"),
  packages(),
];

/** The folder that contains all packages, regardless of the package manager. */
function packages(): string {
  const [above = ""] = createRequire(import.meta.url)
    .resolve("keyv")
    .split(/(?<=[/\\]node_modules[/\\])/);
  return above;
}

/** Kills a process, and waits until it has closed. */
export async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await ended;
}
