import { tellOfOverflow } from "./access/full.ts";
import { tellOfLength } from "./access/length.ts";
import type { Adapter } from "./adapter.ts";
import { createAnswer } from "./answer/answer.ts";
import type { HistoryLimits } from "./answer/limits.ts";
import { joinCluster } from "./cluster.ts";
import { allCommands, interruptingNames, menuOf } from "./commands/all.ts";
import { type ConversationUsage, openHistory, type History } from "./conversation/conversation.ts";
import { createPacing } from "./delivery/pacing.ts";
import { createEngine } from "./engine.ts";
import { ConfigError } from "./errors.ts";
import { conversationKey, partsOfKey } from "./event.ts";
import { type Command, dispatch, type Handler, type Turn } from "./handler.ts";
import { createLog, type Log } from "./log.ts";
import type { Model } from "./model/model.ts";
import { openQueue } from "./queue/open.ts";
import type { QueueLoad } from "./queue/queue.ts";
import { WORKERS } from "./queue/retry-policy.ts";
import { createAccept } from "./receive/accept.ts";
import { createReceiver } from "./receive/receiver.ts";
import { scrub } from "./sanitize/secrets.ts";
import { watchStoreHealth } from "./store/health.ts";
import type { KeyedLock } from "./store/keyed-lock.ts";
import { openStore, type Store } from "./store/store.ts";

export interface ColloquyOptions {
  /** The platforms to talk on. */
  readonly adapters: readonly Adapter[];
  /** The model to ask, or several from which users choose with `/model`; the first one is the default. */
  readonly model: Model | readonly [Model, ...Model[]];
  /** The default system prompt. */
  readonly persona?: string;
  /** System prompts from which users choose with `/persona`, by name. */
  readonly personas?: ReadonlyMap<string, string>;
  /** How long a conversation may become. By default the oldest messages that the model cannot take are left out. */
  readonly limits?: HistoryLimits;
  /** The currency of amounts, such as "$" or "CNY". */
  readonly currency?: string;
  /** Your own commands, besides `/ask`, `/reset`, `/stop`, `/persona`, `/model`, `/usage`, `/help` and `/start`. */
  readonly commands?: readonly Command[];
  /** Your own handlers; they run before the commands. */
  readonly middleware?: readonly Handler[];
  /** A `STORE_URL`, by default `sqlite:data/colloquy.sqlite`, or an open store, which the caller closes. */
  readonly store?: string | Store;
  /** The `STORE_URL` of the queue; by default the queue is in the same store. */
  readonly queue?: string;
  /** How many turns run at the same time in this process, by default 256; others wait. */
  readonly turnsAtOnce?: number;
  /** What this process does, if several share a store; by default everything. */
  readonly role?: Role;
  /** Needed if other processes, such as terminals, answer in the same conversations without sharing the queue. */
  readonly lock?: KeyedLock;
  /** By default JSON lines to standard output. */
  readonly log?: Log;
}

/** What a process does: it receives (`intake`), answers (`worker`), or both (`all`). */
export type Role = "all" | "intake" | "worker";

/** A bot on all its platforms. */
export interface Colloquy {
  /**
   * Begins to receive and to answer. Resolves with the names of the connected platforms, by this process or another, once
   * each is connected or has refused; rejects with a `ConfigError` if all have refused.
   */
  start(): Promise<readonly string[]>;
  /**
   * Stops in order: no new events, then running turns within a grace period, then the store. Accepted events are kept.
   * May be called twice.
   */
  stop(): Promise<void>;
  /** Counts the events that wait, and those that were given up (`dead`). */
  load(): Promise<QueueLoad & { readonly dead: number }>;
  /** Names each part that does not work right now, with a sentence for the operator; empty if all is well. */
  health(): Readonly<Record<string, string>>;
}

const NO_WORKER = "No worker is running: messages are stored, and answered once there is one";

/**
 * Creates a bot from its parts. Rejects with a `StoreError` if the store does not work.
 *
 * @example
 * const bot = await createColloquy({ adapters: [createTelegram({ token })], model: createOpenAI({ apiKey, model }) });
 * await bot.start();
 */
export async function createColloquy(options: ColloquyOptions): Promise<Colloquy> {
  const { adapters, middleware = [], store: given = "sqlite:data/colloquy.sqlite", role = "all" } = options;
  const log = options.log ?? createLog({ level: "info", stream: process.stdout, secrets: [] });
  const notice = (sentence: string) => log.warn(sentence);
  const store = typeof given === "string" ? await openStore(given, notice) : given;
  const journal = options.queue === undefined ? store : await openStore(options.queue, notice);
  const cluster = journal.postgres && (await joinCluster(journal.postgres, { adapters, log }));
  if (!cluster && role !== "all") {
    throw new ConfigError(
      "role",
      `The role ${role} is for processes that share a store: set STORE_URL to postgres://…`,
    );
  }
  const history = await openHistory(store);
  const choices = {
    models: modelsOf(options),
    persona: options.persona ?? "",
    personas: options.personas ?? new Map<string, string>(),
  };
  const commands = allCommands({
    ...choices,
    currency: options.currency ?? "$",
    others: (turn) => usageBeside(turn, store, history),
    own: options.commands ?? [],
  });
  const queue = await openQueue({
    store: journal,
    session: cluster?.session,
    interrupting: interruptingNames(commands),
    atOnce: options.turnsAtOnce ?? 256,
    log,
  });
  const answer = createAnswer({ ...choices, limits: options.limits ?? { policy: "drop" } });
  const engine = createEngine({
    adapters,
    queue,
    history,
    handlers: [tellOfOverflow, tellOfLength, ...middleware, dispatch(commands), answer],
    keyOf: conversationKey,
    pacing: createPacing(cluster?.pacingPeers),
    lock: options.lock,
    log,
  });
  const receiver = createReceiver({
    adapters: role === "worker" ? [] : adapters,
    receive: createAccept(queue),
    menu: menuOf(commands),
    session: cluster?.session,
    log,
  });
  const storeHealth = [...new Set([store, journal])].map((one) => watchStoreHealth(one, log));
  let stopped: Promise<void> | undefined;

  return {
    start: async () => {
      if (role !== "intake") await engine.start();
      return role === "worker" ? adapters.map(({ name }) => name) : receiver.start();
    },
    stop: () => (stopped ??= stop()),
    load: async () => ({ ...(await queue.load()), dead: (await store.keys("dead", "")).length }),
    health: () => {
      const storage = storeHealth.map((one) => ["store", one.problem()]);
      const workers = role === "intake" && cluster?.session.countLocks(WORKERS) === 0 ? NO_WORKER : undefined;
      const all = [...receiver.health(), ...storage, ["workers", workers]];
      // Adapters and drivers may quote a URL with a password, and this is shown to people without access to the settings.
      return Object.fromEntries(
        all.flatMap(([name, problem]) => (problem ? [[name, scrub(problem, [])]] : [])),
      );
    },
  };

  async function stop(): Promise<void> {
    await receiver.stop();
    await engine.stop();
    await Promise.all(storeHealth.map((one) => one.stop()));
    await cluster?.leave();
    if (journal !== store) await journal.close();
    if (typeof given === "string") await store.close();
  }
}

function modelsOf({ model }: ColloquyOptions): readonly [Model, ...Model[]] {
  return "answer" in model ? [model] : model;
}

/** The usage of the other conversations of the same user. */
async function usageBeside({ event }: Turn, store: Store, history: History): Promise<ConversationUsage[]> {
  const { platform, user } = event;
  const direct = conversationKey({ platform, user, chat: { id: "", kind: "direct" } });
  const keys = (await store.keys("history", direct)).filter(
    (key) => partsOfKey(key)?.user === user.id && key !== conversationKey(event),
  );
  return Promise.all(keys.map(async (key) => (await history.load(key)).usage));
}
