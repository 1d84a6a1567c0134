import { tellOfOverflow } from "./access/full.ts";
import { tellOfLength } from "./access/length.ts";
import type { Adapter } from "./adapter.ts";
import type { KeyedLock } from "./store/keyed-lock.ts";
import { createAnswer } from "./answer/answer.ts";
import { allCommands, interruptingNames, menuOf } from "./commands/all.ts";
import { type ConversationUsage, createHistory, type History } from "./conversation/conversation.ts";
import { createPacing, type PacingPeers, type Refusal } from "./delivery/pacing.ts";
import { createEngine } from "./engine.ts";
import { ConfigError } from "./errors.ts";
import { type ChatEvent, conversationKey, partsOfKey } from "./event.ts";
import { type Command, dispatch, type Handler, type Turn } from "./handler.ts";
import { createReceiver } from "./receive/receiver.ts";
import type { HistoryLimits } from "./answer/limits.ts";
import { createValueStore } from "./store/values.ts";
import { createLog, type Log } from "./log.ts";
import type { Model } from "./model/model.ts";
import type { Postgres } from "./postgres/pool.ts";
import { scrub } from "./sanitize/secrets.ts";
import type { Session } from "./postgres/session.ts";
import { openDeadLetters } from "./queue/dead.ts";
import { createJournalQueue } from "./queue/journal.ts";
import type { Queue, QueueLoad } from "./queue/queue.ts";
import { WORKERS } from "./queue/retry-policy.ts";
import { shareHighWaterMarks } from "./receive/high-water-marks.ts";
import { openStore, type Store } from "./store/store.ts";
import { watchStoreHealth } from "./store/health.ts";

export interface ColloquyOptions {
  /** The platforms to talk on. */
  readonly adapters: readonly Adapter[];
  /** The one to ask, or several from which people may choose by `/model`, the usual one first. */
  readonly model: Model | readonly [Model, ...Model[]];
  /** What the model is told about itself. */
  readonly persona?: string;
  /** Personas from which people may choose by `/persona`: what the model is told, by name. */
  readonly personas?: ReadonlyMap<string, string>;
  /** How long a conversation may become; by default the oldest is left out of what the model cannot take. */
  readonly limits?: HistoryLimits;
  /** What stands before or behind amounts of money, such as "$" or "CNY". */
  readonly currency?: string;
  /** Your own commands, beside `/ask`, `/reset`, `/stop`, `/persona`, `/model`, `/usage`, `/help` and `/start`. */
  readonly commands?: readonly Command[];
  /** Your own handlers; they run before the commands. */
  readonly middleware?: readonly Handler[];
  /** Where histories live: a `STORE_URL`, by default `sqlite:data/colloquy.sqlite`, or a store that the caller closes. */
  readonly store?: string | Store;
  /** Where the queue lives; by default in the same store. */
  readonly queue?: string;
  /** So many answers are written at once in this process; the others wait. */
  readonly turnsAtOnce?: number;
  /** What this process does, where processes share a store: it receives, or answers, or both. */
  readonly role?: Role;
  /** For where others answer in the same conversations without sharing the queue, such as terminals. */
  readonly lock?: KeyedLock;
  readonly log?: Log;
}

/** What a process does. */
export type Role = "all" | "intake" | "worker";

/** A bot on all its platforms. */
export interface Colloquy {
  /**
   * Begins to listen and to answer. Resolves with the names of the platforms that are connected once each
   * is connected, by this process or another, or has refused; rejects with a `ConfigError` if all have refused.
   */
  start(): Promise<readonly string[]>;
  /** Ends in order: no new events, running answers within a grace, the store. Nothing accepted is lost. Safe to call twice. */
  stop(): Promise<void>;
  /** How much there is to do, and how much was given up. */
  load(): Promise<QueueLoad & { readonly dead: number }>;
  /** Which platforms do not receive right now, and whether the store works, each with a sentence for the operator. */
  health(): Readonly<Record<string, string>>;
}

/** How long running answers may go on after the order to stop, in ms; container engines kill after 10 s. */
const GRACE_MS = 7_000;

/** The pause after the first failure of a turn, in ms. */
const PAUSE_MS = 1_000;

const NO_WORKER = "No worker is running: what people say is kept, and answered once there is one";

/** Builds a bot from its parts; rejects with a `StoreError` if the store does not work. */
export async function createColloquy(options: ColloquyOptions): Promise<Colloquy> {
  const { adapters, middleware = [], store: given = "sqlite:data/colloquy.sqlite", role = "all" } = options;
  const log = options.log ?? createLog({ level: "info", stream: process.stdout, secrets: [] });
  const notice = (sentence: string) => log.warn(sentence);
  const store = typeof given === "string" ? await openStore(given, notice) : given;
  const journal = options.queue === undefined ? store : await openStore(options.queue, notice);
  const session = journal.postgres && (await shareWithOthers(journal.postgres, log));
  if (!session && role !== "all") {
    throw new ConfigError(
      "role",
      `The role ${role} is for processes that share a store: set STORE_URL to postgres://…`,
    );
  }
  const history = createHistory(await store.open("history"));
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
  const queue = await openQueue({ ...options, log, commands, journal, session });
  const answer = createAnswer({ ...choices, limits: options.limits ?? { policy: "drop" } });
  const engine = createEngine({
    adapters,
    queue,
    history,
    handlers: [tellOfOverflow, tellOfLength, ...middleware, dispatch(commands), answer],
    keyOf: conversationKey,
    pacing: createPacing(session && pacingPeersOn(session)),
    lock: options.lock,
    log,
  });
  const receiver = createReceiver({
    adapters: role === "worker" ? [] : adapters,
    receive: (event) => engine.receive(event),
    menu: menuOf(commands),
    session,
    log,
  });
  if (session) connectPubSub(adapters, session);
  const stopSharing = session ? shareHighWaterMarks(adapters, session) : () => undefined;
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
      const workers = role === "intake" && session?.held(WORKERS) === 0 ? NO_WORKER : undefined;
      const all = [...receiver.health(), ...storage, ["workers", workers]];
      // Whatever an adapter or a driver quotes: people with no right to the settings may look at it.
      return Object.fromEntries(
        all.flatMap(([name, problem]) => (problem ? [[name, scrub(problem, [])]] : [])),
      );
    },
  };

  async function stop(): Promise<void> {
    await receiver.stop();
    await engine.stop();
    stopSharing();
    await Promise.all(storeHealth.map((one) => one.stop()));
    await session?.close();
    if (journal !== store) await journal.close();
    if (typeof given === "string") await store.close();
  }
}

function modelsOf({ model }: ColloquyOptions): readonly [Model, ...Model[]] {
  return "answer" in model ? [model] : model;
}

/** What the other conversations of the same person have cost. */
async function usageBeside({ event }: Turn, store: Store, history: History): Promise<ConversationUsage[]> {
  const { platform, user } = event;
  const direct = conversationKey({ platform, user, chat: { id: "", kind: "direct" } });
  const keys = (await store.keys("history", direct)).filter(
    (key) => partsOfKey(key)?.user === user.id && key !== conversationKey(event),
  );
  return Promise.all(keys.map(async (key) => (await history.load(key)).usage));
}

/** Of one platform, wherever it is served. */
function connectPubSub(adapters: readonly Adapter[], session: Session): void {
  for (const { name, cluster } of adapters) {
    const { pubSub } = cluster ?? {};
    if (!pubSub) continue;
    pubSub.connect((message) => session.tell(`peers:${name}`, message));
    session.hear(`peers:${name}`, (message) => pubSub.receive(message));
  }
}

/** Loaded only where there are others. */
async function shareWithOthers(postgres: Postgres, log: Log): Promise<Session> {
  const { openSession } = await import("./postgres/session.ts");
  return openSession(postgres, log);
}

/** Those who write with the same bots. */
function pacingPeersOn(session: Session): PacingPeers {
  return {
    writers: () => session.held(WORKERS),
    // Whoever does not hear of it is refused as well.
    publish: (refusal) => void session.tell("refused", refusal).catch(() => undefined),
    subscribe: (receive) => session.hear("refused", (what) => receive(what as Refusal)),
  };
}

async function openQueue({
  journal,
  session,
  commands,
  turnsAtOnce = 256,
  log,
}: {
  readonly journal: Store;
  readonly session: Session | undefined;
  readonly commands: readonly Command[];
  readonly turnsAtOnce?: number;
  readonly log: Log;
}): Promise<Queue> {
  const interrupting = interruptingNames(commands);
  const common = {
    dead: await openDeadLetters(journal),
    keyOf: conversationKey,
    interrupts: ({ command }: ChatEvent) => command !== undefined && interrupting.has(command),
    atOnce: turnsAtOnce,
    graceMs: GRACE_MS,
    pauseMs: PAUSE_MS,
    log,
  };
  if (journal.postgres && session) {
    const { createPostgresQueue } = await import("./queue/postgres/queue.ts");
    return createPostgresQueue({ ...common, db: journal.postgres, session });
  }
  // Flushed, so that an acknowledged event outlives a power failure; and as an event leaves the queue after
  // its answer is in the history, the history is on the disk by then too.
  const keyv = await journal.open("queue", { flush: true });
  return createJournalQueue({ ...common, keyv, running: createValueStore(journal).at("running") });
}
