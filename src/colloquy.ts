import { tellOfOverflow } from "./access/full.ts";
import type { Adapter } from "./adapter.ts";
import { createAnswer } from "./answer.ts";
import { allCommands, interruptingNames, menuOf } from "./commands/all.ts";
import { createHistory } from "./conversation.ts";
import { createEngine } from "./engine.ts";
import { describeError } from "./errors.ts";
import { conversationKey } from "./event.ts";
import { type Command, dispatch, type Handler } from "./handler.ts";
import { createLog, type Log } from "./log.ts";
import type { Model } from "./model/model.ts";
import { openDeadLetters } from "./queue/dead.ts";
import { createJournalQueue } from "./queue/journal.ts";
import { openStore } from "./store.ts";
import { watchStore } from "./watch.ts";

export interface ColloquyOptions {
  /** The platforms to talk on. */
  readonly adapters: readonly Adapter[];
  readonly model: Model;
  /** What the model is told about itself. */
  readonly persona?: string;
  /** Your own commands, beside `/ask`, `/reset`, `/stop`, `/help` and `/start`. */
  readonly commands?: readonly Command[];
  /** Your own handlers; they run before the commands. */
  readonly middleware?: readonly Handler[];
  /** Where histories live, as a `STORE_URL`; by default `sqlite:data/colloquy.sqlite`. */
  readonly store?: string;
  /** Where the queue lives; by default in the same store. */
  readonly queue?: string;
  /** So many answers are written at once; the others wait. */
  readonly turnsAtOnce?: number;
  readonly log?: Log;
}

/** A bot on all its platforms. */
export interface Colloquy {
  /**
   * Begins to listen and to answer. Resolves with the names of the platforms that are connected once each
   * is connected or has refused; rejects with a `ConfigError` if all have refused.
   */
  start(): Promise<readonly string[]>;
  /** Ends in order: no new events, running answers within a grace, the store. Nothing accepted is lost. Safe to call twice. */
  stop(): Promise<void>;
  /** Which platforms do not receive right now, and whether the store works, each with a sentence for the operator. */
  troubles(): Readonly<Record<string, string>>;
}

/** How long running answers may go on after the order to stop, in ms; container engines kill after 10 s. */
const GRACE_MS = 7_000;

/** The pause after the first failure of a turn, in ms. */
const PAUSE_MS = 1_000;

/** Builds a bot from its parts; rejects with a `StoreError` if the store does not work. */
export async function createColloquy(options: ColloquyOptions): Promise<Colloquy> {
  const { adapters, middleware = [], store: url = "sqlite:data/colloquy.sqlite" } = options;
  const log = options.log ?? createLog({ level: "info", stream: process.stdout, secrets: [] });
  const commands = allCommands(options.commands);
  const interrupting = interruptingNames(commands);
  const store = await openStore(url);
  const journal = options.queue === undefined ? store : await openStore(options.queue);
  const queue = createJournalQueue({
    // Flushed, so that an acknowledged event outlives a power failure; and as an event leaves the queue after
    // its answer is in the history, the history is on the disk by then too.
    keyv: await journal.open("queue", { flush: true }),
    dead: await openDeadLetters(journal),
    keyOf: conversationKey,
    interrupts: ({ command }) => command !== undefined && interrupting.has(command),
    atOnce: options.turnsAtOnce ?? 256,
    graceMs: GRACE_MS,
    pauseMs: PAUSE_MS,
    log,
  });
  const answer = createAnswer({ model: options.model, persona: options.persona ?? "" });
  const engine = createEngine({
    adapters,
    queue,
    history: createHistory(await store.open("history")),
    handlers: [tellOfOverflow, ...middleware, dispatch(commands), answer],
    keyOf: conversationKey,
    log,
  });
  const unconnected = new Map(adapters.map(({ name }) => [name, "is connecting"]));
  const watches = [...new Set([store, journal])].map((one) => watchStore(one, log));
  let stopped: Promise<void> | undefined;

  return {
    start: async () => {
      await engine.start();
      const results = await Promise.allSettled(adapters.map(connect));
      const refused = results
        .filter((result) => result.status === "rejected")
        .map(({ reason }) => reason as Error);
      if (refused[0] && refused.length === adapters.length) throw refused[0];
      for (const error of refused) log.error(`a platform is left out: ${describeError(error)}`);
      return adapters.map(({ name }) => name).filter((name) => !unconnected.has(name));
    },
    stop: () => (stopped ??= stop()),
    troubles: () => {
      const now = adapters.map((adapter) => [
        adapter.name,
        unconnected.get(adapter.name) ?? adapter.trouble?.(),
      ]);
      const storage = watches.map((watch) => ["store", watch.trouble()]);
      return Object.fromEntries([...now, ...storage].filter(([, trouble]) => trouble));
    },
  };

  async function stop(): Promise<void> {
    await Promise.all(adapters.map((adapter) => adapter.stop()));
    await engine.stop();
    await Promise.all(watches.map((watch) => watch.stop()));
    await store.close();
    if (journal !== store) await journal.close();
  }

  async function connect(adapter: Adapter): Promise<void> {
    try {
      await adapter.start((event) => engine.receive(event), menuOf(commands));
      unconnected.delete(adapter.name);
    } catch (error) {
      unconnected.set(adapter.name, describeError(error));
      throw error;
    }
  }
}
