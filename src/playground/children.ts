import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
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

/** A process of the real program that tells the steps of messages. */
export function spawnProgram(
  script: string,
  words: readonly string[],
  { folder, env, told }: Home & { readonly told: (told: Told) => void },
): ChildProcess {
  const child = spawn(process.execPath, [join(BUILT, script), ...words], {
    cwd: folder,
    env: { ...env, COLLOQUY_STEPS: "tell" },
    stdio: ["pipe", "pipe", "pipe", "ipc"],
  });
  // It also tells where its HTTP port is.
  child.on("message", (message: Told | { readonly url: string }) => "step" in message && told(message));
  // What is wrong with it is seen by its end.
  child.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  return child;
}

/** Ends a process whose work nobody needs any more. */
export async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await ended;
}
