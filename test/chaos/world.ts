import { setTimeout as sleep } from "node:timers/promises";
import { type DiscordSimulator, startDiscordSimulator } from "../../adapters/discord/simulator/simulator.ts";
import {
  startTelegramSimulator,
  type TelegramSimulator,
} from "../../adapters/telegram/simulator/simulator.ts";
import {
  type Fault as ModelFault,
  type ModelSimulator,
  type SimulatedRequest,
  startModelSimulator,
} from "../../src/testing/openai.ts";
import { createRandom } from "./random.ts";
import { answerTo, partsIn, type Tag, tagsIn } from "./script.ts";

/** Everything around the program: the platforms with their real limits, and the model. */
export interface World {
  readonly telegram: TelegramSimulator;
  readonly discord: DiscordSimulator;
  readonly model: ModelSimulator;
  /** The settings that lead a program there. */
  readonly settings: Readonly<Record<string, string>>;
  /** Plans a fault of the model, and remembers whom it befalls. */
  spoil(fault: ModelFault): void;
  /** The person's questions at which the model has failed, by whatever fault. */
  spoiledOf(person: number): ReadonlySet<number>;
  /** The questions that the model was asked while it answered another one of the same person. */
  readonly overlapping: readonly Tag[];
  /** What the program has asked of the person's platform in their chat. */
  callsOf(name: string): readonly unknown[];
  close(): Promise<void>;
}

/** Small, so that the prompts of a long run fit into memory; some turns do, and that must be the newest. */
const CONTEXT_TOKENS = 4096;

/** How many ms after its next request a client that goes away may still go unnoticed. */
const NOTICED_MS = 2000;

/** How often a half-open connection is noticed at the gateway, in ms; Discord's 41 s would be few in half an hour. */
const HEARTBEAT_MS = 15_000;

/** Starts it. */
export async function startWorld(): Promise<World> {
  const overlapping: Tag[] = [];
  /** The indexes of the requests that faults befall; of so many it is known whose they were. */
  const hits: number[] = [];
  let settled = 0;
  const spoiled = new Map<number, Set<number>>();
  const running = createRunning(() => model.requests);
  const [telegram, discord, model] = await Promise.all([
    startTelegramSimulator({ flood: true }),
    startDiscordSimulator({ rateLimits: true, heartbeatMs: HEARTBEAT_MS }),
    startModelSimulator({ reply: replyTo }),
  ]);
  return {
    telegram,
    discord,
    model,
    settings: {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.apiRoot,
      DISCORD_BOT_TOKEN: discord.token,
      DISCORD_API_ROOT: discord.apiRoot,
      OPENAI_API_KEY: model.key,
      OPENAI_BASE_URL: model.baseURL,
      OPENAI_MODEL: "simulated",
      OPENAI_CONTEXT_TOKENS: String(CONTEXT_TOKENS),
      // Who tests the program may write a lot.
      MESSAGES_PER_MINUTE: "100000",
    },
    spoil: (fault) => {
      // Faults befall requests in the order in which both come.
      const first = Math.max(model.requests.length, (hits.at(-1) ?? -1) + 1);
      for (let index = 0; index < (fault.times ?? 1); index += 1) hits.push(first + index);
      model.fail(fault);
    },
    spoiledOf: (person) => {
      for (
        let request = model.requests[hits[settled] ?? -1];
        request;
        request = model.requests[hits[settled] ?? -1]
      ) {
        const tag = tagOf(request);
        spoiled.set(tag.person, (spoiled.get(tag.person) ?? new Set()).add(tag.number));
        settled += 1;
      }
      return spoiled.get(person) ?? new Set();
    },
    overlapping,
    callsOf: (name) => [
      ...telegram.calls.filter(({ payload }) => Number(payload["chat_id"]) === telegram.chatId(name)),
      ...discord.calls.filter(({ path }) => path.startsWith(`/channels/${discord.channelId(name)}/`)),
    ],
    close: async () => {
      await Promise.all([telegram.close(), discord.close(), model.close()]);
    },
  };

  /** Slowly enough that the program is killed in the middle of it. */
  async function replyTo(request: SimulatedRequest) {
    const tag = tagOf(request);
    const before = running().filter((other) => other !== request && tagOf(other).person === tag.person);
    const deadline = Date.now() + NOTICED_MS;
    while (before.some(isRunning) && Date.now() < deadline) await sleep(20);
    if (before.some(isRunning)) overlapping.push(tag);
    const text = answerTo(tag);
    const random = createRandom(tag.person + 1000 * tag.number);
    return { text, pieces: Math.min(40, 4 * partsIn(text).length), delayMs: random.between(30, 200) };
  }
}

/** The question at the end of a request; nobody has the number -1. */
export function tagOf({ messages }: Pick<SimulatedRequest, "messages">): Tag {
  return tagsIn(messages.at(-1)?.content ?? "")[0] ?? { person: -1, number: -1 };
}

function isRunning({ ended, aborted }: SimulatedRequest): boolean {
  return !ended && !aborted;
}

/** Finds those of many requests that still run, without looking at all of them each time. */
function createRunning(requests: () => readonly SimulatedRequest[]): () => readonly SimulatedRequest[] {
  let seen = 0;
  let running: SimulatedRequest[] = [];
  return () => {
    running = [...running, ...requests().slice(seen)].filter(isRunning);
    seen = requests().length;
    return running;
  };
}
