import { expect, onTestFinished, test } from "vitest";
import { createDiscord } from "../adapters/discord/index.ts";
import { startDiscordSimulator } from "../adapters/discord/simulator/simulator.ts";
import { createColloquy } from "../src/colloquy.ts";
import { createOpenAI } from "../src/model/openai.ts";
import { startModelSimulator } from "../src/testing/openai.ts";
import { captureLog } from "./support/log.ts";
import { flat } from "./support/surroundings.ts";
import { until } from "../src/testing/until.ts";

const ANSWER = `${Array.from({ length: 120 }, (_, n) => `word${n} `).join("")}END`;

test.each([
  ["the DM", "dm", undefined],
  ["a channel", "guild", "general"],
] as const)(
  "an answer that outlives its slash command's token goes on in %s, and is whole",
  async (_, where, channel) => {
    let now = Date.now();
    const discord = await startDiscordSimulator({ clock: () => now });
    const service = await startModelSimulator({ reply: { text: ANSWER, pieces: 60, delayMs: 80 } });
    const { log } = captureLog();
    const { token, apiRoot } = discord;
    const bot = await createColloquy({
      adapters: [createDiscord({ token, apiRoot, log, pace: { direct: 50, group: 50 } })],
      model: createOpenAI({ apiKey: service.key, baseURL: service.baseURL, model: "simulated" }),
      store: "memory:",
      log,
    });
    onTestFinished(async () => {
      await bot.stop();
      await Promise.all([discord.close(), service.close()]);
    });
    await bot.start();
    await until(() => discord.commands.length > 0);
    discord.ask("ann", "a long story", { where });
    await until(() => discord.shows("ann", channel).some((text) => text.includes("word3")));
    // As if the model had thought for a quarter of an hour.
    now += 15 * 60_000 + 1;
    await until(() => discord.shows("ann", channel).some((text) => text.endsWith("END")));
    const shown = discord.shows("ann", channel);
    expect(flat(shown.slice(-1))).toBe(flat([ANSWER]));
    expect(discord.screen("ann", channel).some(({ state }) => state !== undefined)).toBe(false);
    // What stands in the command's own place nobody can change any more: it is the beginning of the same answer.
    for (const stale of shown.slice(0, -1))
      expect(flat([ANSWER])).toContain(flat([stale]).replace(/\W+$/, ""));
    expect(shown.length).toBeLessThanOrEqual(2);
  },
);
