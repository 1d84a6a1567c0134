import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createDiscord } from "../../adapters/discord/index.ts";
import { type DiscordSimulator, startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import { createTelegram } from "../../adapters/telegram/index.ts";
import {
  startTelegramSimulator,
  type TelegramSimulator,
} from "../../adapters/telegram/simulator/simulator.ts";
import { createColloquy } from "../../src/colloquy.ts";
import type { Command, Handler } from "../../src/handler.ts";
import { createOpenAI } from "../../src/model/openai.ts";
import {
  type ModelSimulator,
  type ModelSimulatorOptions,
  startModelSimulator,
} from "../../src/testing/openai.ts";
import { captureLog } from "./log.ts";

/** Simulated platforms, a simulated model, and a real bot between them. */
export interface World {
  readonly telegram: TelegramSimulator;
  readonly discord: DiscordSimulator;
  readonly model: ModelSimulator;
  readonly logs: () => string;
  /** The STORE_URL. */
  readonly store: string;
}

export interface WorldOptions {
  readonly reply?: ModelSimulatorOptions["reply"];
  readonly contextTokens?: number;
  readonly persona?: string;
  readonly personas?: ReadonlyMap<string, string>;
  readonly middleware?: readonly Handler[];
  readonly commands?: readonly Command[];
}

/** A quick pace: the simulators' flood control is off unless a test turns it on. */
const PACE = { direct: 20, group: 20 };

/** Opens a world for one test. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const [telegram, discord, model] = await Promise.all([
    startTelegramSimulator(),
    startDiscordSimulator(),
    startModelSimulator({
      ...(options.reply && { reply: options.reply }),
      ...(options.contextTokens && { contextTokens: options.contextTokens }),
    }),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "colloquy-"));
  const store = `sqlite:${join(folder, "store.sqlite")}`;
  const { log, lines } = captureLog();
  const bot = await createColloquy({
    adapters: [
      createTelegram({ token: telegram.token, apiRoot: telegram.apiRoot, pace: PACE, log }),
      createDiscord({ token: discord.token, apiRoot: discord.apiRoot, pace: PACE, log }),
    ],
    model: createOpenAI({
      apiKey: model.key,
      baseURL: model.baseURL,
      model: "simulated",
      contextTokens: 32_768,
    }),
    persona: options.persona ?? "You are a test.",
    ...(options.personas && { personas: options.personas }),
    store,
    log,
    ...(options.middleware && { middleware: options.middleware }),
    ...(options.commands && { commands: options.commands }),
  });
  onTestFinished(async () => {
    await bot.stop();
    await Promise.all([telegram.close(), discord.close(), model.close()]);
    rmSync(folder, { recursive: true, force: true });
  });
  await bot.start();
  return { telegram, discord, model, logs: lines, store };
}
