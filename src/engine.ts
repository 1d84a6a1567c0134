import type { Adapter } from "./adapter.ts";
import type { History, PostedMessage } from "./conversation/conversation.ts";
import { openTurnRecord, placeholderOf } from "./conversation/outbox.ts";
import { withButtons } from "./delivery/choices.ts";
import { deliver } from "./delivery/deliver.ts";
import type { Pacing } from "./delivery/pacing.ts";
import { describeError, PlatformError, Requeued, StoreError } from "./errors.ts";
import type { ChatEvent } from "./event.ts";
import { compose, type Handler } from "./handler.ts";
import type { TextName } from "./i18n/en.ts";
import { localeOf, texts } from "./i18n/texts.ts";
import type { Log } from "./log.ts";
import type { Queue, Signals } from "./queue/queue.ts";
import type { KeyedLock } from "./store/keyed-lock.ts";
import { emit } from "./telemetry/events.ts";
import { markStage } from "./telemetry/stages.ts";
import { createTurn, imageLoader, runHandlers } from "./turn.ts";

export interface EngineOptions {
  readonly adapters: readonly Adapter[];
  readonly queue: Queue;
  readonly history: History;
  /** In order: middleware, commands, the answer. */
  readonly handlers: readonly Handler[];
  /** The conversation of an event; the same function as the queue's. */
  readonly keyOf: (event: ChatEvent) => string;
  readonly pacing: Pacing;
  /** Needed if other processes answer in the same conversations without sharing the queue. */
  readonly lock?: KeyedLock | undefined;
  readonly log: Log;
}

/** Takes events from the queue, runs the handlers, and hands the reply to delivery. */
export interface Engine {
  /** Begins to answer, first what was left in the queue. */
  start(): Promise<void>;
  /** Gives running turns the queue's grace period to end, and leaves the rest in the queue. */
  stop(): Promise<void>;
}

/** Creates an engine: an event becomes a turn, a turn a reply, and a reply messages on the platform. */
export function createEngine(options: EngineOptions): Engine {
  const { queue, history, keyOf, pacing } = options;
  const adapters = new Map(options.adapters.map((adapter) => [adapter.name, adapter]));
  const handle = compose(options.handlers);
  /** The events whose users know that the store is out of reach. */
  const informed = new Set<string>();

  return {
    start: () => queue.start({ work, giveUp }),
    stop: () => queue.stop(),
  };

  async function work(event: ChatEvent, signals: Signals): Promise<void> {
    const release = await options.lock?.(keyOf(event), signals.requeued);
    try {
      await answer(event, signals);
      informed.delete(event.id);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Another process has taken this turn over.
      if (error.code === "superseded") throw new Requeued(describeError(error));
      emit("error", { kind: "store", code: error.code });
      await reportStoreFailure(event, signals.requeued);
      throw error;
    } finally {
      await release?.();
    }
  }

  /** Answers one event. If this rejects, the queue tries again. */
  async function answer(event: ChatEvent, signals: Signals): Promise<void> {
    const log = logFor(event);
    const adapter = adapters.get(event.platform);
    if (!adapter) {
      log.warn(`an event of ${event.platform} waits in the queue until that platform is configured again`);
      throw new Requeued(`${event.platform} is not configured`);
    }
    const conversation = await history.load(keyOf(event));
    markStage("loaded", event);
    if (conversation.answered.includes(event.id)) return;
    const record = openTurnRecord(conversation, { event, history });
    const known = record.outbox.text;
    const over = new AbortController();
    const turn = createTurn({
      event,
      conversation: record.draft,
      signal: AbortSignal.any([signals.interrupted, signals.requeued, over.signal]),
      image: imageLoader(adapter, log),
      log,
    });
    const reply = known ?? (await runHandlers(handle, turn));
    const { text: said, choices = record.outbox.choices } = withButtons(reply, adapter);
    markStage("asked", event);
    try {
      await deliver(said, {
        adapter,
        choices,
        event,
        pacing,
        shown: adapter.edit || known !== undefined ? stillShown(adapter, record.outbox.shown) : [],
        sending: record.outbox.sending,
        last: conversation.last,
        save: record.posted,
        whole: async (text) => {
          // What an earlier run has committed stays as it is, even if that is silence.
          if (known !== undefined) return text;
          const silent = reply === undefined || turn.failure !== undefined;
          const whole = text || silent ? text : turn.say("model.empty");
          markStage("known", event);
          await record.commit(whole, choices);
          markStage("committed", event);
          return whole;
        },
        signal: signals.requeued,
        log,
      });
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.permanent) throw error;
      turn.failure ??= error;
      log.warn({ code: error.code }, `the answer cannot be delivered: ${describeError(error)}`);
    } finally {
      // A model that still writes for nobody would only cost tokens.
      over.abort(new Requeued("the turn is over"));
    }
    markStage("shown", event);
    await record.close();
    markStage("saved", event);
    const outcome = signals.interrupted.aborted ? "stopped" : turn.failure ? "failed" : "answered";
    emit("turn", { event, outcome, at: Date.now() });
    log.info({ ms: Date.now() - event.at, failed: turn.failure !== undefined }, "answered");
  }

  /** Once for each event, so that the user knows it is not lost. */
  async function reportStoreFailure(event: ChatEvent, requeued: AbortSignal): Promise<void> {
    if (informed.has(event.id)) return;
    informed.add(event.id);
    await notify("error.store", event, { mark: "store", shown: [], requeued });
  }

  /** Puts an apology in place of the part of the answer that is shown, so that no half answer stays. */
  async function giveUp(event: ChatEvent, requeued: AbortSignal): Promise<void> {
    informed.delete(event.id);
    emit("turn", { event, outcome: "given_up", at: Date.now() });
    const outbox = await history.load(keyOf(event)).then(
      (conversation) => conversation.outbox,
      () => undefined,
    );
    const shown = outbox?.event === event.id ? outbox.shown : placeholderOf(event);
    await notify("error.dead", event, { mark: "dead", shown, requeued });
  }

  /** Posts a message beside the answer. If it cannot be delivered, that is only logged. */
  async function notify(
    name: TextName,
    event: ChatEvent,
    { mark, shown, requeued }: { mark: string; shown: readonly PostedMessage[]; requeued: AbortSignal },
  ): Promise<void> {
    const adapter = adapters.get(event.platform);
    if (!adapter) return;
    const log = logFor(event);
    const say = texts(localeOf(event.user.locale, event.text));
    await deliver(say(name), {
      adapter,
      event: { ...event, id: `${event.id}#${mark}` },
      pacing,
      shown: adapter.edit ? stillShown(adapter, shown) : [],
      sending: undefined,
      last: undefined,
      save: async () => undefined,
      whole: async (text) => text,
      signal: requeued,
      log,
    }).catch((error: unknown) => {
      if (error instanceof Requeued) throw error;
      log.warn(`the user could not be notified (${name}): ${describeError(error)}`);
    });
  }

  function logFor(event: ChatEvent): Log {
    return options.log.child({ event: event.id, conversation: keyOf(event) });
  }
}

/** The posted messages that the user can still see. */
function stillShown(adapter: Adapter, posted: readonly PostedMessage[]): readonly PostedMessage[] {
  return posted.filter(({ ref }) => adapter.recovery?.isVisible?.(ref) ?? true);
}
