import { onTestFinished } from "vitest";
import { createDingtalk, type DingtalkBody, type DingtalkOptions } from "../../../adapters/dingtalk/index.ts";
import {
  type DingtalkSimulator,
  type DingtalkSimulatorOptions,
  startDingtalkSimulator,
} from "../../../adapters/dingtalk/simulator/simulator.ts";
import type { Receive } from "../../../src/adapter.ts";
import { createColloquy } from "../../../src/colloquy.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { createScriptedModel } from "../../../src/testing/scripted-model.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";

export interface SetUp {
  readonly simulator?: DingtalkSimulatorOptions;
  readonly robot?: Partial<DingtalkOptions>;
  /** Stores an event; keeps it if absent. */
  readonly receive?: Receive;
}

/** A simulated DingTalk and a robot that is not started yet. */
export async function meet({ simulator, robot, receive }: SetUp = {}) {
  const dingtalk = await startDingtalkSimulator(simulator);
  const { log, lines } = captureLog();
  const { clientId, clientSecret, apiRoot } = dingtalk;
  const bot = createDingtalk({ clientId, clientSecret, apiRoot, log, firstPauseMs: 5, ...robot });
  onTestFinished(async () => {
    await bot.stop();
    await dingtalk.close();
  });
  const events: ChatEvent[] = [];
  const start = () => bot.start(receive ?? (async (event) => void events.push(event)), []);
  return { dingtalk, bot, events, lines, start, next: () => until(() => events.shift(), "an event") };
}

/** The same, connected. */
export async function setUp(options: SetUp = {}) {
  const world = await meet(options);
  await world.start();
  return world;
}

/** A whole bot, whose model says what the test lets it say. */
export async function openBot(options: SetUp = {}) {
  const world = await meet(options);
  const hand = createScriptedModel();
  const { log } = captureLog();
  const bot = await createColloquy({ adapters: [world.bot], model: hand.model, store: "memory:", log });
  onTestFinished(() => bot.stop());
  await bot.start();
  return { ...world, hand };
}

/** A page of these words. */
export function page(text: string): DingtalkBody {
  return { title: "title", text };
}

/** The names of the calls so far. */
export function names({ calls }: DingtalkSimulator): string[] {
  return calls.map(({ name }) => name);
}
