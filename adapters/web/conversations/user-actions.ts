import { type ChatEvent, MAX_TEXT, parseCommand } from "../../../src/event.ts";
import { Refused } from "../refused.ts";
import { eventOf, imageRefOf, messageIdOf, silentCommand, timeOf, turnNameOf } from "./chat-events.ts";
import { checkImages } from "./images.ts";
import { checkQuotas, QUOTAS, type Quotas } from "./quotas.ts";
import type { Records, TurnKey } from "./records.ts";
import type { ThreadEntry, Question, Update } from "./updates.ts";

/** What a user does in their conversations. Every method rejects with a `Refused` if the request is invalid. */
export interface UserActions {
  /** Posts a message; resolves once its event is stored. */
  post(user: string, thread: string, message: NewMessage): Promise<{ turn: string }>;
  /** Stops the answer that is being written. */
  stop(user: string, thread: string): Promise<void>;
  /** Chooses the persona or the model of a conversation, from the next question on. */
  choose(user: string, thread: string, chosen: Chosen): Promise<void>;
  /** Adds a conversation to the user's list, or changes its title there. */
  saveEntry(user: string, entry: ThreadEntry): Promise<void>;
  /** Deletes a conversation and resets its history. */
  remove(user: string, thread: string): Promise<void>;
}

/** The persona and the model of a conversation; each is absent if the user has not chosen one. */
export interface Chosen {
  readonly persona?: string | undefined;
  readonly model?: string | undefined;
}

/** A message to post. */
export interface NewMessage extends Chosen {
  /** Two messages with the same id are the same message. */
  readonly id: string;
  readonly text: string;
  /** As `data:` URLs; if absent, the images of the turn that is replaced. */
  readonly images?: readonly string[] | undefined;
  readonly locale?: string | undefined;
  /** An earlier turn. It and every turn after it are deleted. */
  readonly replaces?: string | undefined;
  /** A program posts the message: the answer is published as Markdown too. */
  readonly raw?: true;
}

export interface UserActionsOptions {
  readonly records: Records;
  /** What users may choose from. */
  readonly personas: readonly string[];
  readonly models: readonly string[];
  /** Receives an event; rejects if it could not be stored. */
  readonly receive: (event: ChatEvent) => Promise<void>;
  readonly publish: (user: string, update: Update) => void;
  /** Limits how much a user posts; no limit if absent. */
  readonly admit?: Admit | undefined;
  /** Limits what is stored for a user; `QUOTAS` if absent. */
  readonly quotas?: Quotas;
}

/** Counts a message of a user. Resolves with undefined if it is admitted, otherwise with the reason and the time to wait. */
export type Admit = (
  user: string,
  about: { readonly text: string; readonly locale?: string | undefined },
) => Promise<{ readonly message: string; readonly waitS: number } | undefined>;

/** The title of a conversation that begins with an image alone. */
const IMAGE_TITLE = "🖼️";

/** Turns what users do into events, and into records and updates of what they see of it. */
export function createUserActions(options: UserActionsOptions): UserActions {
  const { records, personas, models, receive, publish, admit, quotas = QUOTAS } = options;
  return {
    post,
    stop,
    choose,
    saveEntry,
    remove: async (user, thread) => {
      await stop(user, thread);
      await records.remove(user, thread);
      await receive(silentCommand(user, thread, { name: "reset" }));
      publish(user, { kind: "deleted", thread });
    },
  };

  /**
   * Saves the question where the user sees it, then hands the event to the bot: a message that could not be handed over can
   * be posted again from there. The process may die after any step; posting the same message again makes up for the rest.
   * That is why replaced turns are deleted only once the new turn is saved.
   */
  async function post(user: string, thread: string, message: NewMessage): Promise<{ turn: string }> {
    const { id, text, replaces } = message;
    checkChoice(message);
    if (text.length > MAX_TEXT)
      throw new Refused(
        413,
        `The message has ${text.length} characters, and the limit is ${MAX_TEXT}. Please send it in parts.`,
      );
    const turns = await records.turns(user, thread);
    const earlier = turns.find(({ turn }) => messageIdOf(turn) === id);
    const known = await records.entry(user, thread);
    if (!earlier) await admitMessage(message, { user, thread, turns, isNew: !known });
    // Later than all turns before it, even if the clock of another process is ahead.
    const at = earlier?.at ?? Math.max(Date.now(), (turns.at(-1)?.at ?? 0) + 1);
    const turn = turnNameOf(at, id);
    const question = earlier ?? (await saveQuestion({ user, thread, turn }, message, at));
    const replaced = turns.find((one) => replaces !== undefined && one.turn >= replaces && one.turn < turn);
    if (replaced) await rewind(user, thread, { from: replaced.turn, before: turn });
    if (!known || known.at < at) {
      await choose(user, thread, message);
      publish(user, { kind: "asked", thread, ...question });
      await saveEntry(user, { thread, title: known?.title ?? (titleOf(text) || IMAGE_TITLE), at });
    }
    await receive(questionEvent({ user, thread, turn }, message, question));
    return { turn };
  }

  /** Rejects if the user posts too fast, or if there is no room for the message. */
  async function admitMessage(
    { text, locale, images = [], raw, replaces }: NewMessage,
    {
      user,
      thread,
      turns,
      isNew,
    }: { user: string; thread: string; turns: readonly Question[]; isNew: boolean },
  ): Promise<void> {
    const isLong = turns.length >= quotas.turns;
    if (isLong && !raw && replaces === undefined)
      throw new Refused(413, "This conversation has reached its maximum length. Please begin another one.");
    await checkQuotas(records, quotas, { user, isNewConversation: isNew, hasImages: images.length > 0 });
    const refused = await admit?.(user, { text, locale });
    if (refused) throw new Refused(429, refused.message, { retryAfterS: refused.waitS });
    // A program uses one conversation forever: the newer half of it stays visible.
    if (raw && isLong) await removeOlderHalf(user, thread, turns);
  }

  async function removeOlderHalf(user: string, thread: string, turns: readonly Question[]): Promise<void> {
    const from = turns[0]?.turn ?? "";
    const before = turns[Math.ceil(turns.length / 2)]?.turn ?? "";
    await records.remove(user, thread, { from, before });
  }

  async function saveQuestion(key: TurnKey, message: NewMessage, at: number): Promise<Question> {
    const { turn } = key;
    const { text } = message;
    const images = await imagesOf(key, message);
    if (!text.trim() && images.length === 0)
      throw new Refused(400, "The message is empty. Please write a text or attach an image.");
    if (images.length > 0) await records.saveImages(key, images);
    const question = { turn, text, at, ...(images.length > 0 && { images: images.length }) };
    await records.saveQuestion(key.user, key.thread, question);
    return question;
  }

  async function imagesOf(
    { user, thread }: TurnKey,
    { images, replaces }: NewMessage,
  ): Promise<readonly string[]> {
    if (images) return checkImages(images);
    return replaces === undefined ? [] : records.images({ user, thread, turn: replaces });
  }

  async function rewind(
    user: string,
    thread: string,
    turns: { readonly from: string; readonly before: string },
  ): Promise<void> {
    await stop(user, thread);
    await records.remove(user, thread, turns);
    publish(user, { kind: "rewound", thread, turn: turns.from });
  }

  function stop(user: string, thread: string): Promise<void> {
    return receive(silentCommand(user, thread, { name: "stop" }));
  }

  async function choose(user: string, thread: string, chosen: Chosen): Promise<void> {
    checkChoice(chosen);
    const { persona, model } = chosen;
    if (persona !== undefined) await receive(silentCommand(user, thread, { name: "persona", text: persona }));
    if (model !== undefined) await receive(silentCommand(user, thread, { name: "model", text: model }));
  }

  function checkChoice({ persona, model }: Chosen): void {
    if (persona !== undefined && !personas.includes(persona))
      throw new Refused(400, `There is no persona ${persona}.`);
    if (model !== undefined && !models.includes(model)) throw new Refused(400, `There is no model ${model}.`);
  }

  async function saveEntry(user: string, entry: ThreadEntry): Promise<void> {
    await records.saveEntry(user, entry);
    publish(user, { kind: "listed", ...entry });
  }
}

function questionEvent(key: TurnKey, message: NewMessage, question: Question): ChatEvent {
  const { text, locale, replaces, raw } = message;
  const event = eventOf(key, question.at);
  return {
    ...event,
    ...(raw && { to: { ...event.to, raw } }),
    ...(locale && { user: { ...event.user, locale } }),
    ...(replaces && { rewinds: timeOf(replaces) }),
    ...(parseCommand(text) ?? { text }),
    ...(question.images && {
      attachments: Array.from({ length: question.images }, (_, index) => ({
        kind: "image",
        ref: imageRefOf(key, index),
      })),
    }),
  };
}

/** The first words of a text, on one line. */
function titleOf(text: string): string {
  const line = text.slice(0, 1000).replace(/\s+/g, " ").trim();
  const graphemes = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
  return graphemes.length > 60 ? `${graphemes.slice(0, 59).join("").trimEnd()}…` : line;
}
