import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { until } from "../../src/testing/until.ts";

const CLI = join(import.meta.dirname, "../../dist/src/cli.js");

/** A real process of the program. */
export interface RunningProgram {
  readonly pid: number;
  /** Where it runs. */
  readonly folder: string;
  readonly output: () => string;
  readonly errors: () => string;
  /** Types into standard input. */
  type(text: string): void;
  /** Closes standard input. */
  endInput(): void;
  /** Waits until its output matches. */
  says(pattern: string): Promise<unknown>;
  /** Waits for the log line `ready`. */
  ready(): Promise<Record<string, unknown>>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
}

/** Starts `colloquy …` with these settings alone, in a folder of its own; it is killed when the test is over. */
export function runProgram(
  words: readonly string[],
  env: Record<string, string> = {},
  dotEnv = "",
): RunningProgram {
  const folder = mkdtempSync(join(tmpdir(), "colloquy-"));
  writeFileSync(join(folder, ".env"), dotEnv);
  const child: ChildProcess = spawn(process.execPath, [CLI, ...words], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      HTTP_PORT: "0",
      STORE_URL: `sqlite:${join(folder, "store.sqlite")}`,
      ...env,
    },
    stdio: "pipe",
  });
  let output = "";
  let errors = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
  const exited = new Promise<number | string>((resolve) =>
    child.on("close", (code, signal) => resolve(code ?? signal ?? "gone")),
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    pid: child.pid ?? 0,
    folder,
    output: () => output,
    errors: () => errors,
    type: (text) => void child.stdin?.write(text),
    endInput: () => void child.stdin?.end(),
    says: (pattern) => until(() => new RegExp(pattern).test(output), `${pattern} in:\n${output}${errors}`),
    ready: () =>
      until(
        () => logLines(output).find(({ msg }) => msg === "ready"),
        `the line "ready" in:\n${output}${errors}`,
      ),
    signal: (name) => void child.kill(name),
    exited,
  };
}

/** The JSON lines among all lines. */
export function logLines(output: string): Record<string, unknown>[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
}
