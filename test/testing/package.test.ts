import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";

/** A bot on a simulated Telegram, written as somebody would who has installed the package. */
const SCRIPT = `
import { createColloquy } from "colloquy";
import { createTelegram } from "colloquy/adapters/telegram";
import { createScriptedModel, startTelegramSimulator, until } from "colloquy/testing";

const telegram = await startTelegramSimulator();
const { model, say, end, asked } = createScriptedModel();
const bot = await createColloquy({
  adapters: [createTelegram({ token: telegram.token, apiRoot: telegram.apiRoot })],
  model,
  store: "memory:",
});
await bot.start();
telegram.say("ann", "why is rain?");
await until(() => asked.length === 1);
say("Water ", "falls.");
end();
const shown = await until(() => telegram.shows("ann").find((text) => text.includes("Water falls.")));
console.error(shown);
await bot.stop();
await telegram.close();
`;

test("the installed package has what a test of a bot needs", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(import.meta.dirname, "../.."), join(folder, "node_modules/colloquy"));
  const words = ["--input-type=module", "--eval", SCRIPT];
  const { stderr } = await promisify(execFile)(process.execPath, words, { cwd: folder });
  expect(stderr).toBe("Water falls.\n");
});
