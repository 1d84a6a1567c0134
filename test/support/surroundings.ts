import { join } from "node:path";
import { onTestFinished } from "vitest";
import { startDingtalkSimulator } from "../../adapters/dingtalk/simulator/simulator.ts";
import { startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { type ModelSimulatorOptions, startModelSimulator } from "../../src/testing/openai.ts";
import { temporaryFolder } from "./folder.ts";
import { createKeys } from "./local.ts";
import { freePort } from "./port.ts";
import { createWebPeople } from "./web-people.ts";

/** Simulators for one test, and the settings that point a process at them. */
export async function surroundings(
  model: ModelSimulatorOptions = {},
  names: { readonly discord?: string; readonly dingtalk?: string } = {},
) {
  const [telegram, discord, dingtalk, service] = await Promise.all([
    startTelegramSimulator(),
    startDiscordSimulator({ ...(names.discord && { host: names.discord }) }),
    // What a process has not stored before it died comes again soon.
    startDingtalkSimulator({
      redeliverMs: 1000,
      cardTemplate: { id: "a.schema", field: "content" },
      ...(names.dingtalk && { host: names.dingtalk }),
    }),
    startModelSimulator(model),
  ]);
  onTestFinished(async () => {
    await Promise.all([telegram.close(), discord.close(), dingtalk.close(), service.close()]);
  });
  const port = await freePort();
  const store = { STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}` };
  const web = createWebPeople(() => `http://127.0.0.1:${port}`, createKeys(store.STORE_URL));
  onTestFinished(() => web.close());
  const openai = { OPENAI_API_KEY: service.key, OPENAI_BASE_URL: service.baseURL, OPENAI_MODEL: "simulated" };
  return {
    telegram,
    discord,
    dingtalk,
    service,
    web,
    onWeb: { ...store, ...openai, HTTP_PORT: String(port) },
    onConsole: { ...store, ...openai },
    onTelegram: {
      ...store,
      ...openai,
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.apiRoot,
    },
    onDiscord: { ...store, ...openai, DISCORD_BOT_TOKEN: discord.token, DISCORD_API_ROOT: discord.apiRoot },
    onDingtalk: {
      ...store,
      ...openai,
      DINGTALK_CLIENT_ID: dingtalk.clientId,
      DINGTALK_CLIENT_SECRET: dingtalk.clientSecret,
      DINGTALK_API_ROOT: dingtalk.apiRoot,
    },
  };
}

export type Surroundings = Awaited<ReturnType<typeof surroundings>>;

/** What is shown, without the line breaks of pages. */
export function flat(messages: readonly string[]): string {
  return messages.join(" ").replace(/\s+/g, " ").trim();
}
