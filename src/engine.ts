import type { Adapter } from "./adapter.ts";
import type { KeyedLock } from "./store/keyed-lock.ts";
import type { Conversation, History, Outbox, PostedMessage } from "./conversation/conversation.ts";
import { markStage } from "./telemetry/stages.ts";
import { deliver } from "./delivery/deliver.ts";
import type { Pacing } from "./delivery/pacing.ts";
import { describeError, Overflow, Requeued, PlatformError, StoreError } from "./errors.ts";
import { type ChatEvent, withinLength } from "./event.ts";
import { compose, type Handler, isStream, type Reply, type Turn } from "./handler.ts";
import type { TextName } from "./i18n/en.ts";
import { localeOf, texts } from "./i18n/texts.ts";
import type { Log } from "./log.ts";
import { emit } from "./telemetry/events.ts";
import type { Queue, Signals } from "./queue/queue.ts";
import type { Choice } from "./text/dialect/dialect.ts";

export interface EngineOptions {
  readonly adapters: readonly Adapter[];
  readonly queue: Queue;
  readonly history: History;
  /** In order: middleware, commands, the answer. */
  readonly handlers: readonly Handler[];
  /** The conversation of an event; the same as the queue's. */
  readonly keyOf: (event: ChatEvent) => string;
  readonly pacing: Pacing;
  /** For where others answer in the same conversations without sharing the queue. */
  readonly lock?: KeyedLock | undefined;
  readonly log: Log;
}

/** Takes events from the queue, runs the handlers, and hands the reply to delivery. */
export interface Engine {
  /** Begins to answer: first what was left in the queue. */
  start(): Promise<void>;
  /** Stores an event; it will be answered, if only by a word that it is too long. Rejects if it is not, but for those whose person is told by the queue. */
  receive(event: ChatEvent): Promise<void>;
  /** Ends what is running within the queue's grace, and leaves the rest in the queue. */
  stop(): Promise<void>;
}

/** The engine: an event becomes a turn, a turn a reply, a reply messages on the platform. */
export function createEngine(options: EngineOptions): Engine {
  const { queue, history, keyOf, pacing } = options;
  const adapters = new Map(options.adapters.map((adapter) => [adapter.name, adapter]));
  const handle = compose(options.handlers);
  /** The events whose people know that the store is out of reach. */
  const informed = new Set<string>();

  return {
    start: () => queue.start({ work, giveUp }),
    receive,
    stop: () => queue.stop(),
  };

  /** What is turned away and told so in its turn is done with, unless something stands there that must be ended. */
  async function receive(event: ChatEvent): Promise<void> {
    try {
      await queue.push(withinLength(event));
    } catch (error) {
      if (!(error instanceof Overflow) || !error.willBeTold || event.placeholder) throw error;
    }
  }

  async function work(event: ChatEvent, signals: Signals): Promise<void> {
    const release = await options.lock?.(keyOf(event), signals.requeued);
    try {
      await answer(event, signals);
      informed.delete(event.id);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Another process is at it, and this one too late.
      if (error.code === "superseded") throw new Requeued(describeError(error));
      emit("error", { kind: "store", code: error.code });
      await tellOfStore(event, signals.requeued);
      throw error;
    } finally {
      await release?.();
    }
  }

  /** One event from the queue to its whole answer. What rejects here is tried again by the queue. */
  async function answer(event: ChatEvent, signals: Signals): Promise<void> {
    const log = about(event);
    const adapter = adapters.get(event.platform);
    if (!adapter) {
      log.warn(`an event of ${event.platform} waits in the queue until that platform is configured again`);
      throw new Requeued(`${event.platform} is not configured`);
    }
    const conversation = await history.load(keyOf(event));
    markStage("loaded", event);
    if (conversation.answered.includes(event.id)) return;
    const record = openRecord(conversation, event);
    const known = record.outbox.text;
    const over = new AbortController();
    const signal = AbortSignal.any([signals.interrupted, signals.requeued, over.signal]);
    const turn = createTurn({ event, conversation: record.draft, signal, image: images(adapter, log), log });
    const reply = known ?? (await runHandlers(turn));
    const { said: words, choices = record.outbox.choices } = offered(reply, adapter);
    markStage("asked", event);
    try {
      await deliver(words, {
        adapter,
        choices,
        event,
        pacing: pacing,
        shown: adapter.edit || known !== undefined ? standing(adapter, record.outbox.shown) : [],
        sending: record.outbox.sending,
        last: conversation.last,
        save: (shown, sending) => record.show(shown, sending),
        whole: async (text) => {
          // What an earlier run has committed stands, be it silence.
          if (known !== undefined) return text;
          const silent = reply === undefined || turn.failure !== undefined;
          const said = text || silent ? text : turn.say("model.empty");
          markStage("known", event);
          await record.commit(said, choices);
          markStage("committed", event);
          return said;
        },
        signal: signals.requeued,
        log,
      });
    } catch (error) {
      if (!(error instanceof PlatformError) || !error.permanent) throw error;
      turn.failure ??= error;
      log.warn({ code: error.code }, `the answer cannot be delivered: ${describeError(error)}`);
    } finally {
      // A reply that nobody can be shown any more is not worth its tokens.
      over.abort(new Requeued("the turn is over"));
    }
    markStage("shown", event);
    await record.close();
    markStage("saved", event);
    const outcome = signals.interrupted.aborted ? "stopped" : turn.failure ? "failed" : "answered";
    emit("turn", { event, outcome, at: Date.now() });
    log.info({ ms: Date.now() - event.at, failed: turn.failure !== undefined }, "answered");
  }

  /** Once for each event: the person shall know that it is not forgotten. */
  async function tellOfStore(event: ChatEvent, requeued: AbortSignal): Promise<void> {
    if (informed.has(event.id)) return;
    informed.add(event.id);
    await tell("error.store", event, { mark: "store", shown: [], requeued });
  }

  /** An apology in the place of what is shown of the answer, so that no half of it is left standing. */
  async function giveUp(event: ChatEvent, requeued: AbortSignal): Promise<void> {
    informed.delete(event.id);
    emit("turn", { event, outcome: "given_up", at: Date.now() });
    const outbox = await history.load(keyOf(event)).then(
      (conversation) => conversation.outbox,
      () => undefined,
    );
    const shown = outbox?.event === event.id ? outbox.shown : placeholderOf(event);
    await tell("error.dead", event, { mark: "dead", shown, requeued });
  }

  /** A message of its own beside the answer; that it cannot be delivered is no reason to end the turn. */
  async function tell(
    name: TextName,
    event: ChatEvent,
    { mark, shown, requeued }: { mark: string; shown: readonly PostedMessage[]; requeued: AbortSignal },
  ): Promise<void> {
    const adapter = adapters.get(event.platform);
    if (!adapter) return;
    const log = about(event);
    const say = texts(localeOf(event.user.locale, event.text));
    await deliver(say(name), {
      adapter,
      event: { ...event, id: `${event.id}#${mark}` },
      pacing: pacing,
      shown: adapter.edit ? standing(adapter, shown) : [],
      sending: undefined,
      last: undefined,
      save: async () => undefined,
      whole: async (text) => text,
      signal: requeued,
      log,
    }).catch((error: unknown) => {
      if (error instanceof Requeued) throw error;
      log.warn(`could not tell the person (${name}): ${describeError(error)}`);
    });
  }

  /** The record's way through one turn: what stands on the screen is saved as it comes, the rest in one write. */
  function openRecord(conversation: Conversation, event: ChatEvent) {
    const resumed = conversation.outbox?.event === event.id ? conversation.outbox : undefined;
    const draft = structuredClone(conversation);
    let saved = conversation;
    let outbox: Outbox = resumed ?? { event: event.id, shown: placeholderOf(event) };
    let { revision } = conversation;
    const save = (next: Conversation) => history.save({ ...next, revision: (revision += 1) });
    return {
      draft,
      get outbox() {
        return outbox;
      },
      show: async (shown: readonly PostedMessage[], sending: string | undefined) => {
        outbox = { ...outbox, shown: [...shown], sending };
        await save({ ...saved, outbox });
      },
      commit: async (text: string, choices: readonly Choice[] | undefined) => {
        saved = draft;
        outbox = { ...outbox, text, ...(choices && { choices }) };
        await save({ ...saved, outbox });
      },
      close: () =>
        save({
          ...saved,
          outbox: undefined,
          answered: [...saved.answered, event.id],
          last: outbox.shown.at(-1)?.ref ?? saved.last,
        }),
    };
  }

  /** Whatever a handler throws becomes an apology; only stopping the program goes through. */
  async function runHandlers(turn: Turn): Promise<Reply> {
    try {
      const reply = await handle(turn);
      return isStream(reply) ? guarded(reply, turn) : reply;
    } catch (error) {
      return apologise(turn, error);
    }
  }

  async function* guarded(reply: AsyncIterable<string>, turn: Turn): AsyncGenerator<string> {
    let begun = false;
    try {
      for await (const piece of reply) {
        if (!begun && piece) markStage("begun", turn.event);
        begun ||= piece !== "";
        yield piece;
      }
    } catch (error) {
      yield `\n\n${apologise(turn, error)}`;
    }
  }

  function apologise(turn: Turn, error: unknown): string {
    if (error instanceof Requeued) throw error;
    emit("error", { kind: "handler", code: error instanceof Error ? error.name : "unknown" });
    turn.failure = error instanceof Error ? error : new Error(String(error));
    turn.log.error({ err: error }, `a handler failed: ${describeError(error)}`);
    return turn.say("error.internal");
  }

  function about(event: ChatEvent): Log {
    return options.log.child({ event: event.id, conversation: keyOf(event) });
  }
}

/** What can be no button is a command to be written. */
function offered(
  reply: Reply,
  { dialect }: Adapter,
): { said: string | AsyncIterable<string>; choices?: readonly Choice[] } {
  if (typeof reply !== "object" || isStream(reply)) return { said: reply ?? "" };
  const { text, choices } = reply;
  const buttons: Choice[] = [];
  const commands: string[] = [];
  for (const choice of choices) {
    if (dialect.buttons?.fits(choice, buttons.length)) buttons.push(choice);
    else commands.push(`- \`/${choice.command} ${choice.text}\``);
  }
  return {
    said: [text, commands.join("\n")].filter(Boolean).join("\n\n"),
    ...(buttons.length > 0 && { choices: buttons }),
  };
}

/** What is still to be seen of the messages that were shown. */
function standing(adapter: Adapter, shown: readonly PostedMessage[]): readonly PostedMessage[] {
  return shown.filter(({ ref }) => adapter.recovery?.isVisible?.(ref) ?? true);
}

function placeholderOf({ placeholder }: ChatEvent): PostedMessage[] {
  return placeholder ? [{ ref: placeholder, digest: "" }] : [];
}

/** That an image cannot be had is no reason to say nothing. */
function images(adapter: Adapter, log: Log): Turn["image"] {
  return async (ref) =>
    adapter.files?.image?.(ref).catch((error: unknown) => {
      log.warn(`an image is left out: ${describeError(error)}`);
      return undefined;
    });
}

function createTurn(parts: Omit<Turn, "locale" | "say">): Turn {
  const locale = localeOf(parts.event.user.locale, parts.event.text);
  return { ...parts, locale, say: texts(locale) };
}
