import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { linkIn } from "../support/local.ts";
import { freePort } from "../support/port.ts";
import { runProgram } from "../support/program.ts";
import { surroundings } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";

/** util-linux's, which opens a real terminal. */
const SCRIPT = "/usr/bin/script";
const CLI = join(import.meta.dirname, "../../dist/src/cli.js");

test.skipIf(!existsSync(SCRIPT))(
  "`start` without platforms names its pages, and there they are",
  async () => {
    const port = await freePort();
    const terminal = spawn(SCRIPT, ["-qec", `exec "${process.execPath}" "${CLI}" start`, "/dev/null"], {
      cwd: temporaryFolder(),
      env: { PATH: process.env["PATH"], TERM: "xterm", HTTP_PORT: String(port) },
      stdio: "pipe",
    });
    onTestFinished(() => void terminal.kill("SIGKILL"));
    let shown = "";
    terminal.stdout.on("data", (chunk: Buffer) => (shown += chunk));
    const url = `http://127.0.0.1:${port}`;
    await until(
      () => shown.includes(`${url}/playground?token=`) && shown.includes(`In a browser: ${url}/?token=`),
      "the addresses",
    );
    await until(() => shown.includes("> "), "a prompt");
    const token = /token=([\w-]+)/.exec(shown)?.[1] ?? "";
    for (const path of ["/", "/playground/"]) {
      const page = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
      expect(page.status).toBe(200);
      expect(await page.text()).toContain("<title>Colloquy");
    }
  },
);

test("without a terminal they stand in standard error; with a platform there is no playground", async () => {
  const alone = runProgram(["start"]);
  const { url } = await alone.ready();
  expect(linkIn(alone, "simulated: ")).toContain(`${String(url)}/playground?token=`);
  const { onTelegram } = await surroundings();
  const configured = runProgram(["start"], onTelegram);
  const there = await configured.ready();
  expect(linkIn(configured, "simulated: ")).toBe("");
  expect((await fetch(`${String(there["url"])}/playground`)).status).toBe(404);
});
