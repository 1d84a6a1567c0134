/**
 * Tools to test bots and adapters: simulated platforms and a simulated OpenAI on loopback, which enforce the real limits.
 * The contract tests are in `colloquy/testing/contracts`; they need vitest and fast-check.
 */
export { createScreen, type Screen, type ScreenOptions } from "../../adapters/console/simulator.ts";
export {
  type DingtalkSimulator,
  type DingtalkSimulatorOptions,
  startDingtalkSimulator,
} from "../../adapters/dingtalk/simulator/simulator.ts";
export {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../adapters/discord/simulator/simulator.ts";
export {
  startTelegramSimulator,
  type TelegramSimulator,
  type TelegramSimulatorOptions,
} from "../../adapters/telegram/simulator/simulator.ts";
export { type ModelSimulator, type ModelSimulatorOptions, startModelSimulator } from "./openai.ts";
export { createScriptedModel, type ScriptedModel } from "./scripted-model.ts";
export { until } from "./until.ts";
