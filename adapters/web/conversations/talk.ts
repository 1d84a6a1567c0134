import { type ChatEvent, MAX_TEXT, parseCommand } from "../../../src/event.ts";
import { checkImages } from "../api/images.ts";
import type { Entry, News, Question } from "./news.ts";
import type { Kept, Place, Records } from "./records.ts";
import { Refused } from "../api/route.ts";
import { shelfKey } from "./shelf.ts";

export interface TalkOptions {
  readonly records: Records;
  /** What people may choose. */
  readonly personas: readonly string[];
  readonly models: readonly string[];
  /** Takes an event in; rejects if it was not stored. */
  readonly receive: (event: ChatEvent) => Promise<void>;
  readonly publish: (user: string, news: News) => void;
  /** Counts what a person says, and tells why it is too much; everything passes if absent. */
  readonly admit?: Admit | undefined;
  /** How much of a person's is kept; `QUOTAS` if absent. */
  readonly quotas?: Quotas;
}

/** Counts something that a person says. Undefined if it may pass; otherwise why not, and when it is worth another try. */
export type Admit = (
  user: string,
  about: { readonly text: string; readonly locale?: string | undefined },
) => Promise<{ readonly message: string; readonly waitS: number } | undefined>;

/** How much of one person's is kept at most; who is at the limit deletes something. */
export interface Quotas extends Kept {
  /** Turns of a conversation. */
  readonly turns: number;
}

/**
 * Far more than people come to: ten conversations a day for a quarter of a year, and as much text as a hundred novels; a
 * conversation is loaded as a whole whenever it is opened.
 */
const QUOTAS: Quotas = {
  conversations: 1_000,
  withImages: 1_000,
  imageBytes: 300_000_000,
  textBytes: 100_000_000,
  turns: 2_000,
};

/** What someone says and does in their conversations. All of it rejects with a `Refused` where it makes no sense. */
export interface Talk {
  /** Says something; resolves once it is taken in. */
  say(user: string, thread: string, said: Said): Promise<{ turn: string }>;
  /** Stops the answer that is being written. */
  stop(user: string, thread: string): Promise<void>;
  /** What was chosen holds from the next question on. */
  choose(user: string, thread: string, chosen: Chosen): Promise<void>;
  /** Puts a conversation into the list, or gives it another name there. */
  list(user: string, entry: Entry): Promise<void>;
  /** Deletes a conversation, and forgets what was said in it. */
  remove(user: string, thread: string): Promise<void>;
}

/** The persona and the model of a conversation; absent where the person has chosen none. */
export interface Chosen {
  readonly persona?: string | undefined;
  readonly model?: string | undefined;
}

/** Something to be said in a conversation. */
export interface Said extends Chosen {
  /** The same again is the same message. */
  readonly id: string;
  readonly text: string;
  /** As `data:` URLs; absent: those of the turn that is replaced. */
  readonly images?: readonly string[] | undefined;
  readonly locale?: string | undefined;
  /** An earlier turn: it and all that followed is forgotten. */
  readonly replaces?: string | undefined;
  /** A program wants the answer, as Markdown. */
  readonly raw?: true;
}

/** The number of digits of a turn's name that say when it was asked; behind a hyphen follows the id of the message. */
const CLOCK = 15;

/** What a conversation is called that begins with an image. */
const NO_WORDS = "🖼️";

/** Events for what people do, and records of what they see of it. */
export function createTalk(options: TalkOptions): Talk {
  const { records, personas, models, receive, publish, admit, quotas = QUOTAS } = options;
  return {
    say,
    stop,
    choose,
    list,
    remove: async (user, thread) => {
      await stop(user, thread);
      await records.remove(user, thread);
      await receive(command(user, thread, { name: "reset" }));
      publish(user, { kind: "deleted", thread });
    },
  };

  function stop(user: string, thread: string): Promise<void> {
    return receive(command(user, thread, { name: "stop" }));
  }

  /**
   * First it stands where people see it, then it is taken in: what is not taken in can be said again there. Each step
   * may be the last, and is made up for when the same is said again: what a turn replaces goes once the turn is there.
   */
  async function say(user: string, thread: string, said: Said): Promise<{ turn: string }> {
    const { id, text, locale, replaces, raw } = said;
    check(said);
    if (text.length > MAX_TEXT)
      throw new Refused(
        413,
        `The message has ${text.length} characters, and at most ${MAX_TEXT} are taken at once. Send it in parts.`,
      );
    const turns = await records.turns(user, thread);
    const earlier = turns.find(({ turn }) => turn.slice(CLOCK + 1) === id);
    const known = await records.entry(user, thread);
    if (!earlier) {
      await checkRoom(user, said, { turns, isNew: !known });
      const refused = await admit?.(user, said);
      if (refused) throw new Refused(429, refused.message, { retryAfterS: refused.waitS });
      // Programs have one conversation for ever: of that the newest half stays to be seen.
      if (raw && turns.length >= quotas.turns) await forget(user, thread, turns);
    }
    // Later than all before, whatever the clock of another process was.
    const at = earlier?.at ?? Math.max(Date.now(), (turns.at(-1)?.at ?? 0) + 1);
    const turn = nameOf(at, id);
    const question = earlier ?? (await keepQuestion({ user, thread, turn }, { said, at }));
    const isOld = (one: string) => replaces !== undefined && one >= replaces && one < turn;
    const old = turns.filter((one) => isOld(one.turn));
    if (old[0]) await rewind(user, thread, old[0].turn, turn);
    if (!known || known.at < at) {
      await choose(user, thread, said);
      publish(user, { kind: "asked", thread, ...question });
      await list(user, { thread, title: known?.title ?? (titleOf(text) || NO_WORDS), at });
    }
    const event = eventOf(user, thread, { turn, at });
    await receive({
      ...event,
      ...(raw && { to: { ...event.to, raw } }),
      ...(locale && { user: { id: user, name: user, locale } }),
      ...(replaces && { rewinds: Number(replaces.split("-")[0]) }),
      ...(parseCommand(text) ?? { text }),
      ...(question.images && {
        attachments: Array.from({ length: question.images }, (_, index) => ({
          kind: "image",
          ref: `${shelfKey(user, thread, turn)}:${index}`,
        })),
      }),
    });
    return { turn };
  }

  /** Rejects if this would be more than is kept of a person's. */
  async function checkRoom(
    user: string,
    { images = [], raw, replaces }: Said,
    { turns, isNew }: { turns: readonly Question[]; isNew: boolean },
  ): Promise<void> {
    if (turns.length >= quotas.turns && !raw && replaces === undefined)
      throw new Refused(413, "This conversation is as long as one can be. Please begin another one.");
    const kept = await records.kept(user);
    const isFull =
      kept.textBytes >= quotas.textBytes ||
      (isNew && kept.conversations >= quotas.conversations) ||
      (images.length > 0 && (kept.withImages >= quotas.withImages || kept.imageBytes >= quotas.imageBytes));
    if (isFull)
      throw new Refused(
        413,
        "There is no room for more. Please delete conversations that you no longer need.",
      );
  }

  async function forget(user: string, thread: string, turns: readonly Question[]): Promise<void> {
    const from = turns[0]?.turn ?? "";
    const before = turns[Math.ceil(turns.length / 2)]?.turn ?? "";
    await records.remove(user, thread, { from, before });
  }

  async function keepQuestion(
    { user, thread, turn }: Place,
    { said, at }: { said: Said; at: number },
  ): Promise<Question> {
    const sent = await imagesOf(user, thread, said);
    if (!said.text.trim() && sent.length === 0) throw new Refused(400, "There is nothing in this message.");
    if (sent.length > 0) await records.saveImages({ user, thread, turn }, sent);
    const question = { turn, text: said.text, at, ...(sent.length > 0 && { images: sent.length }) };
    await records.saveQuestion(user, thread, question);
    return question;
  }

  async function imagesOf(
    user: string,
    thread: string,
    { images, replaces }: Said,
  ): Promise<readonly string[]> {
    if (images) return checkImages(images);
    return replaces === undefined ? [] : records.images({ user, thread, turn: replaces });
  }

  async function rewind(user: string, thread: string, from: string, before: string): Promise<void> {
    await stop(user, thread);
    await records.remove(user, thread, { from, before });
    publish(user, { kind: "rewound", thread, turn: from });
  }

  function check({ persona, model }: Chosen): void {
    if (persona !== undefined && !personas.includes(persona))
      throw new Refused(400, `There is no persona ${persona}.`);
    if (model !== undefined && !models.includes(model)) throw new Refused(400, `There is no model ${model}.`);
  }

  async function choose(user: string, thread: string, chosen: Chosen): Promise<void> {
    check(chosen);
    const { persona, model } = chosen;
    if (persona !== undefined) await receive(command(user, thread, { name: "persona", text: persona }));
    if (model !== undefined) await receive(command(user, thread, { name: "model", text: model }));
  }

  async function list(user: string, one: Entry): Promise<void> {
    await records.saveEntry(user, one);
    publish(user, { kind: "listed", ...one });
  }
}

/** An event that is not seen as a message, and to which nothing is said. */
function command(
  user: string,
  thread: string,
  { name, text = "" }: { name: string; text?: string },
): ChatEvent {
  const at = Date.now();
  const turn = nameOf(at, crypto.randomUUID());
  const event = eventOf(user, thread, { turn, at });
  return { ...event, to: { ...event.to, silent: true }, command: name, text, silent: true };
}

function eventOf(user: string, thread: string, { turn, at }: { turn: string; at: number }): ChatEvent {
  return {
    id: `web:${encodeURIComponent(user)}:${thread}:${turn}`,
    platform: "web",
    user: { id: user, name: user },
    chat: { id: `${user}:${thread}`, kind: "direct", thread },
    to: { user, thread, turn },
    text: "",
    at,
  };
}

/** A turn is named by when it was asked, so that names are in order, and by the id that the client gave. */
function nameOf(at: number, id: string): string {
  return `${String(at).padStart(CLOCK, "0")}-${id}`;
}

/** The first words, on one line. */
function titleOf(text: string): string {
  const line = text.slice(0, 1000).replace(/\s+/g, " ").trim();
  const all = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
  return all.length > 60 ? `${all.slice(0, 59).join("").trimEnd()}…` : line;
}
