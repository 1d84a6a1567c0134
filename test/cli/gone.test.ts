import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { until } from "../../src/testing/until.ts";

/** util-linux's, which opens a real terminal. */
const SCRIPT = "/usr/bin/script";
const CLI = join(import.meta.dirname, "../../dist/src/cli.js");

test.skipIf(process.platform !== "linux" || !existsSync(SCRIPT)).each(["", "trap '' HUP; "])(
  "a chat whose terminal is gone ends: %j",
  async (before) => {
    const terminal = spawn(
      SCRIPT,
      ["-qec", `${before}exec "${process.execPath}" "${CLI}" chat`, "/dev/null"],
      {
        cwd: temporaryFolder(),
        env: { PATH: process.env["PATH"], TERM: "xterm" },
        stdio: "pipe",
      },
    );
    let shown = "";
    terminal.stdout.on("data", (chunk: Buffer) => (shown += chunk));
    await until(() => shown.includes("> "), "a prompt");
    const chat = childOf(terminal.pid ?? 0);
    onTestFinished(() => {
      if (isAlive(chat)) process.kill(chat, "SIGKILL");
    });
    expect(isAlive(chat)).toBe(true);
    terminal.kill("SIGKILL");
    await until(() => !isAlive(chat), "the end of the chat");
  },
);

test("a fault in native code ends the program, which does not come back to it for ever", async () => {
  const program = runProgram(["chat"]);
  program.type("hi\n");
  await program.says("demo");
  program.signal("SIGSEGV");
  expect(await program.exited).toBe("SIGSEGV");
});

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
}

/** A process that only waits to be reaped has ended. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
