import { join } from "node:path";
import fc from "fast-check";
import { expect, type TestContext, test } from "vitest";
import { waitAfter } from "../../adapters/discord/receive/backoff.ts";
import { startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { loadSettings } from "../../config/settings.ts";
import { createLocalAccess } from "../../src/http/local.ts";
import { startProgram } from "../../src/program/start.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { fetchAt } from "../support/local.ts";
import { until } from "../../src/testing/until.ts";

/** The program on both platforms, with the demo model. */
async function open(context: TestContext) {
  const [telegram, discord] = await Promise.all([startTelegramSimulator(), startDiscordSimulator()]);
  const { log, lines } = captureLog();
  const settings = loadSettings({
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    DISCORD_BOT_TOKEN: discord.token,
    DISCORD_API_ROOT: discord.apiRoot,
    STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`,
    HTTP_PORT: "0",
  });
  const local = createLocalAccess();
  const program = await startProgram({ settings, log, local });
  context.onTestFinished(async () => {
    await program.stop();
    await Promise.all([telegram.close(), discord.close()]);
  });
  await program.connected;
  const readyz = async () => {
    const response = await fetchAt(local.link(program.url), "readyz");
    return `${response.status} ${await response.text()}`;
  };
  return { telegram, discord, readyz, lines };
}

const OTHER_POLLER = {
  status: 409,
  body: { ok: false, error_code: 409, description: "Conflict: terminated by other getUpdates request" },
};

test.concurrent.for([
  ["another poller", OTHER_POLLER, 1, /another program receives with the same Telegram bot token/],
  ["a network that is away", "reset", 3, /Telegram did not answer getUpdates/],
  ["an outage", { status: 502 }, 2, /Telegram refused getUpdates \(502\)/],
] as const)(
  "Telegram: %s stands at /readyz and once in the log, and what was said meanwhile is answered",
  async ([, how, times, sentence], context) => {
    const { telegram, discord, readyz, lines } = await open(context);
    const polls = () => telegram.calls.filter(({ method }) => method === "getUpdates").length;
    telegram.fail({ method: "getUpdates", how, times });
    telegram.say("ann", "/help");
    await until(async () => /^503 .*"telegram":/.test(await readyz()));
    expect(await readyz()).toMatch(sentence);
    const before = polls();
    telegram.say("ann", "/start");
    // Nobody else is kept waiting.
    discord.say("bob", "/help");
    await until(() => discord.shows("bob").length > 0);
    await until(() => telegram.shows("ann").length === 2);
    await until(async () => (await readyz()) === '200 {"ready":true}');
    // What failed, what worked, and the polls that hold: no storm.
    expect(polls() - before).toBeLessThanOrEqual(times + 3);
    expect(lines().match(/trying again/g)).toHaveLength(1);
    expect(lines()).toMatch(sentence);
    expect(lines()).toContain("receiving from Telegram again");
  },
);

test.concurrent("Discord: a gateway that is away stands at /readyz and once in the log, and what was said meanwhile is answered", async (context) => {
  const { telegram, discord, readyz, lines } = await open(context);
  await until(() => discord.commands.length > 0);
  discord.fail({ path: /gateway-socket/, connection: "reset", times: 3 });
  discord.dropSockets();
  discord.say("bob", "/help");
  await until(async () =>
    /^503 .*"discord":"The connection to Discord's gateway is lost/.test(await readyz()),
  );
  telegram.say("ann", "/help");
  await until(() => telegram.shows("ann").length > 0);
  await until(() => discord.shows("bob").length > 0, "the answer", 25_000);
  await until(async () => (await readyz()) === '200 {"ready":true}');
  expect(discord.online()).toBe(1);
  expect(discord.sessions()).toMatchObject({ identified: 1, resumed: 1 });
  expect(lines().match(/gateway is lost/g)).toHaveLength(1);
});

test("Discord: the pauses between attempts grow, and an hour's outage is some seventy attempts", () => {
  fc.assert(
    fc.property(fc.nat(100_000), (attempts) => {
      const ms = waitAfter(attempts);
      expect(ms).toBeGreaterThanOrEqual(Math.min(500 * 2 ** attempts, 30_000));
      expect(ms).toBeLessThanOrEqual(60_000);
    }),
  );
  let passed = 0;
  let attempts = 0;
  for (; passed < 3_600_000; attempts += 1) passed += waitAfter(attempts);
  // A day has 1000 IDENTIFYs.
  expect(attempts).toBeLessThan(130);
});
