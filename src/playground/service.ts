import type { Settings } from "../../config/settings.ts";
import { answerOffline } from "../model/demo/answers.ts";
import { startModelSimulator } from "../testing/openai.ts";
import { type Relay, startRelay } from "./relay.ts";

/** The simulated model service, which can fail on request. */
export interface PlayModel {
  readonly relay: Relay;
  /** Whether a real service is configured that can answer instead of the demo model. */
  readonly canBeReal: boolean;
  /** The settings with which the program connects to it. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** The default address of OpenAI's client. */
const OPENAI = "https://api.openai.com/v1";

/** The demo model's pace: an answer grows visibly, and a long one does not take minutes. `chunk` is in characters. */
const DEMO = { chunk: 6, maxChunks: 500, delayMs: 25 };

/** How many requests the simulator remembers. */
const MAX_REMEMBERED = 20;

/** Starts a relay to the demo model and to the configured service, which costs money when it is used. */
export async function startPlayModel(settings: Settings): Promise<PlayModel> {
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: url } = settings;
  const canBeReal = Boolean(key || url);
  const demo = await startDemo();
  const relay = await startRelay({ demo, ...(canBeReal && { real: { baseURL: url ?? OPENAI, key } }) });
  return {
    relay,
    canBeReal,
    env: {
      ...textOf(conversationSettings(settings)),
      // The demo answers under any name.
      ...(canBeReal ? textOf(modelSettings(settings)) : { OPENAI_MODEL: "demo" }),
      OPENAI_BASE_URL: relay.baseURL,
      OPENAI_API_KEY: relay.key,
    },
    close: async () => {
      await relay.close();
      await demo.close();
    },
  };
}

function startDemo() {
  const { chunk, maxChunks, delayMs } = DEMO;
  return startModelSimulator({
    model: "demo",
    keep: MAX_REMEMBERED,
    reply: ({ messages }) => {
      const text = answerOffline(messages);
      return { text, pieces: Math.min(maxChunks, Math.ceil(text.length / chunk)), delayMs };
    },
  });
}

/** The settings for answers and conversations, which are the same as without the playground. */
function conversationSettings(settings: Settings) {
  const { PERSONA, HISTORY_MESSAGES, HISTORY_TOKENS, HISTORY_HOURS, HISTORY_POLICY, CURRENCY } = settings;
  const { TELEGRAM_RICH, TELEGRAM_DRAFTS, DISCORD_FILE_AFTER } = settings;
  const history = { HISTORY_MESSAGES, HISTORY_TOKENS, HISTORY_HOURS, HISTORY_POLICY };
  const drafts = TELEGRAM_DRAFTS ? "on" : "off";
  return { PERSONA, CURRENCY, ...history, TELEGRAM_RICH, TELEGRAM_DRAFTS: drafts, DISCORD_FILE_AFTER };
}

function modelSettings(settings: Settings) {
  const { OPENAI_MODEL, OPENAI_FALLBACK_MODEL, OPENAI_CONTEXT_TOKENS, OPENAI_MODELS: models } = settings;
  const named = Object.keys(models).length > 0 ? { OPENAI_MODELS: JSON.stringify(models) } : {};
  return { OPENAI_MODEL, OPENAI_FALLBACK_MODEL, OPENAI_CONTEXT_TOKENS, ...named };
}

function textOf(settings: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
