import { z } from "zod";
import { type ChatEvent, parseCommand } from "../../src/event.ts";
import type { Feed } from "./feed.ts";
import { checkImages, MOST_IMAGES, readImage } from "./images.ts";
import type { News, Piece, Turn } from "./news.ts";
import type { Records } from "./records.ts";
import { Refused, type Route, route } from "./route.ts";
import { shelfKey } from "./shelf.ts";

/** What the program knows of conversations beside what people see of them. */
export interface Conversations {
  /** What was chosen in a conversation. */
  chosen(user: string, thread: string): Promise<Chosen>;
  /** A conversation as a file. */
  export(user: string, thread: string, format: ExportFormat): Promise<string>;
  /** The tokens that a conversation has cost so far. */
  spent(user: string, thread: string): Promise<{ readonly input: number; readonly output: number }>;
  /** What a person's conversations have cost. */
  usage(user: string): Promise<readonly Cost[]>;
}

/** The persona and the model of a conversation; absent where the person has chosen none. */
export interface Chosen {
  readonly persona?: string | undefined;
  readonly model?: string | undefined;
}

/** What was spent on a day with a model. */
export type Cost = z.infer<typeof cost>;

export type ExportFormat = (typeof FORMATS)[number];

export interface ApiOptions {
  readonly records: Records;
  readonly feed: Feed;
  readonly conversations: Conversations;
  /** What people may choose, the usual one first. */
  readonly personas: readonly string[];
  readonly models: readonly string[];
  /** What stands before amounts of money, or behind them if it is such as CNY. */
  readonly currency: string;
  /** What there is of an answer that grows. */
  readonly growing: (turn: string) => readonly Piece[];
  /** Takes an event in; rejects if it was not stored. */
  readonly receive: (event: ChatEvent) => Promise<void>;
  readonly publish: (user: string, news: News) => void;
}

const FORMATS = ["md", "jsonl", "json"] as const;

/** As much as a person writes or pastes, in UTF-16 units; a model's context is not much larger. */
const LONGEST = 100_000;

/** What a conversation is called that begins with an image. */
const NO_WORDS = "🖼️";

/** The longest title, in UTF-16 units. */
const LONGEST_TITLE = 120;

const thread = z
  .string()
  .regex(/^[\w-]{1,40}$/)
  .describe("A conversation: made up by whoever begins it.");
const turnName = z.string().regex(/^\d{15}-[\w-]{1,40}$/);
const entry = z.object({
  thread,
  title: z.string().describe("The name that it was given, else its first words."),
  at: z.number().describe("When something was last asked, in ms since the epoch."),
});
const turn = z.object({
  turn: turnName,
  text: z.string(),
  images: z.number().optional().describe("How many images were sent with it."),
  at: z.number(),
  done: z.boolean().describe("Whether no more of the answer comes."),
  pieces: z
    .array(
      z.object({
        ref: z.string(),
        html: z.string().describe("Safe to be shown as it is."),
        choices: z
          .array(z.object({ label: z.string(), command: z.string(), text: z.string() }))
          .optional()
          .describe("Commands that may be given by a button."),
      }),
    )
    .describe("The answer, in pieces."),
});
const cost = z.object({
  day: z.string(),
  model: z.string(),
  turns: z.number(),
  input: z.number(),
  output: z.number(),
  cost: z.number().optional(),
  estimated: z.boolean(),
});

/** What people do with their conversations. */
export interface Api {
  /** For whoever is signed in. */
  readonly routes: readonly Route[];
  /** Says something; resolves once it is taken in. */
  say(user: string, thread: string, said: Said): Promise<{ turn: string }>;
  stop(user: string, thread: string): Promise<void>;
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

/** What someone can do with their conversations, and nobody else's. */
export function createApi(options: ApiOptions): Api {
  const { records, feed, conversations, personas, models, currency, growing, receive, publish } = options;

  const routes = [
    route({
      method: "get",
      path: "/api/me",
      summary: "Who is signed in, and what there is to choose from.",
      answer: z.object({
        user: z.string(),
        personas: z.array(z.string()).describe("The usual one first."),
        models: z.array(z.string()).describe("The usual one first."),
        currency: z.string().describe("Of what things cost: a sign such as $, or a code such as CNY."),
      }),
      run: async ({ user }) => ({ user, personas: [...personas], models: [...models], currency }),
    }),
    route({
      method: "get",
      path: "/api/conversations",
      summary: "One's conversations, last active first.",
      query: z.object({
        search: z.string().max(200).optional().describe("Only those in which these words occur."),
      }),
      answer: z.array(entry),
      run: async ({ user, query }) => {
        const all = await records.list(user);
        return query.search ? search(user, all, query.search) : all;
      },
    }),
    route({
      method: "get",
      path: "/api/conversations/{thread}",
      summary: "What was said in a conversation, oldest first.",
      answer: z.object({
        title: z.string().optional(),
        persona: z.string().optional(),
        model: z.string().optional(),
        turns: z.array(turn),
        position: z.string().describe("News that came after this are not in here."),
      }),
      run: async ({ user, path }) => {
        const { thread } = inPath(path);
        const [found, chosen, stored] = await Promise.all([
          records.entry(user, thread),
          conversations.chosen(user, thread),
          records.turns(user, thread),
        ]);
        // What grows was read last, and at one moment.
        const turns = stored.map((one): Turn => (one.done ? one : { ...one, pieces: growing(one.turn) }));
        return {
          ...(found && { title: found.title }),
          ...plain(chosen),
          turns: turns as never,
          position: feed.position(user),
        };
      },
    }),
    route({
      method: "patch",
      path: "/api/conversations/{thread}",
      summary: "Gives a conversation a name, or another persona or model.",
      body: z.strictObject({
        title: z.string().trim().min(1).max(LONGEST_TITLE).optional(),
        persona: z.string().max(200).optional(),
        model: z.string().max(200).optional(),
      }),
      run: async ({ user, path, body }) => {
        const { thread } = inPath(path);
        const { title, ...chosen } = body;
        const known = await records.entry(user, thread);
        if (!known) throw new Refused(404, "There is no such conversation.");
        if (title) await list(user, { ...known, title });
        await choose(user, thread, chosen);
      },
    }),
    route({
      method: "delete",
      path: "/api/conversations/{thread}",
      summary: "Deletes a conversation, and forgets what was said in it.",
      run: async ({ user, path }) => {
        const { thread } = inPath(path);
        await stop(user, thread);
        await records.remove(user, thread);
        await receive(command(user, thread, { name: "reset" }));
        publish(user, { kind: "deleted", thread });
      },
    }),
    route({
      method: "post",
      path: "/api/conversations/{thread}/messages",
      summary: "Says something; the answer comes as news. The same `id` twice is the same message.",
      body: z.strictObject({
        id: z.string().regex(/^[\w-]{8,40}$/),
        text: z.string().max(LONGEST),
        images: z
          .array(z.string())
          .max(MOST_IMAGES)
          .optional()
          .describe("PNG, JPEG, GIF or WebP, as data: URLs; absent: those of the turn that is replaced."),
        locale: z
          .string()
          .max(35)
          .regex(/^[\w-]*$/)
          .optional()
          .describe("The language of the person, such as zh-CN."),
        replaces: turnName.optional().describe("An earlier turn: it and all that followed is forgotten."),
        persona: z.string().max(200).optional(),
        model: z.string().max(200).optional(),
      }),
      answer: z.object({ turn: turnName }),
      run: ({ user, path, body }) => say(user, inPath(path).thread, body),
    }),
    route({
      method: "get",
      path: "/api/conversations/{thread}/images/{turn}/{index}",
      summary: "An image that was sent with a question; the first one is 0.",
      media: "image/*",
      run: async ({ user, path }) => {
        const { thread } = inPath(path);
        const { turn = "", index } = path;
        const url = (await records.images({ user, thread, turn }))[Number(index)];
        if (url === undefined) throw new Refused(404, "There is no such image.");
        const { type, bytes } = readImage(url);
        const headers = { "content-type": type, "cache-control": "private, max-age=31536000, immutable" };
        return new Response(bytes, { headers });
      },
    }),
    route({
      method: "post",
      path: "/api/conversations/{thread}/stop",
      summary: "Stops the answer that is being written; what there is of it stays.",
      run: ({ user, path }) => stop(user, inPath(path).thread),
    }),
    route({
      method: "get",
      path: "/api/conversations/{thread}/export",
      summary: "A conversation as Markdown, JSON Lines, or like user_messages.json.",
      query: z.object({ format: z.enum(FORMATS).default("md") }),
      answer: z.object({ name: z.string(), content: z.string() }),
      run: async ({ user, path, query }) => {
        const { thread } = inPath(path);
        return {
          name: `${thread}.${query.format}`,
          content: await conversations.export(user, thread, query.format),
        };
      },
    }),
    route({
      method: "get",
      path: "/api/usage",
      summary: "What one's conversations have cost, by day (UTC) and model.",
      answer: z.array(cost),
      run: async ({ user }) => [...(await conversations.usage(user))],
    }),
  ];
  return { routes, say, stop };

  function stop(user: string, thread: string): Promise<void> {
    return receive(command(user, thread, { name: "stop" }));
  }

  /** First it stands where people see it, then it is taken in: what is not taken in can be said again there. */
  async function say(user: string, thread: string, said: Said): Promise<{ turn: string }> {
    const { id, text, locale, replaces, raw } = said;
    const earlier = (await records.turns(user, thread)).find(({ turn }) => turn.endsWith(`-${id}`));
    const at = earlier?.at ?? Date.now();
    const turn = `${String(at).padStart(15, "0")}-${id}`;
    let images = earlier?.images ?? 0;
    if (!earlier) {
      const sent = await imagesOf(user, thread, said);
      images = sent.length;
      if (!text.trim() && images === 0) throw new Refused(400, "There is nothing in this message.");
      if (replaces) await rewind(user, thread, replaces);
      const question = { turn, text, at, ...(images > 0 && { images }) };
      if (images > 0) await records.saveImages({ user, thread, turn }, sent);
      await records.saveQuestion(user, thread, question);
      const known = await records.entry(user, thread);
      await list(user, { thread, title: known?.title ?? (titleOf(text) || NO_WORDS), at });
      publish(user, { kind: "asked", thread, ...question });
      await choose(user, thread, said);
    }
    const event = eventOf(user, thread, { turn, at });
    await receive({
      ...event,
      ...(raw && { to: { ...event.to, raw } }),
      ...(locale && { user: { id: user, name: user, locale } }),
      ...(replaces && { rewinds: Number(replaces.split("-")[0]) }),
      ...(parseCommand(text) ?? { text }),
      ...(images > 0 && {
        attachments: Array.from({ length: images }, (_, index) => ({
          kind: "image",
          ref: `${shelfKey(user, thread, turn)}:${index}`,
        })),
      }),
    });
    return { turn };
  }

  async function imagesOf(
    user: string,
    thread: string,
    { images, replaces }: Said,
  ): Promise<readonly string[]> {
    if (images) return checkImages(images);
    return replaces === undefined ? [] : records.images({ user, thread, turn: replaces });
  }

  async function rewind(user: string, thread: string, from: string): Promise<void> {
    await stop(user, thread);
    await records.remove(user, thread, from);
    publish(user, { kind: "rewound", thread, turn: from });
  }

  /** What was chosen holds from the next question on, which is answered after this. */
  async function choose(user: string, thread: string, { persona, model }: Chosen): Promise<void> {
    if (persona !== undefined && !personas.includes(persona))
      throw new Refused(400, `There is no persona ${persona}.`);
    if (model !== undefined && !models.includes(model)) throw new Refused(400, `There is no model ${model}.`);
    if (persona !== undefined) await receive(command(user, thread, { name: "persona", text: persona }));
    if (model !== undefined) await receive(command(user, thread, { name: "model", text: model }));
  }

  async function list(user: string, one: z.infer<typeof entry>): Promise<void> {
    await records.saveEntry(user, one);
    publish(user, { kind: "listed", ...one });
  }

  async function search(user: string, all: readonly z.infer<typeof entry>[], words: string) {
    const wanted = words.toLocaleLowerCase();
    const found = await Promise.all(
      all.map(async (one) => {
        if (one.title.toLocaleLowerCase().includes(wanted)) return one;
        const turns = await records.turns(user, one.thread);
        const said = turns.flatMap(({ text, pieces }) => [text, ...pieces.map(({ html }) => textOf(html))]);
        return said.some((text) => text.toLocaleLowerCase().includes(wanted)) ? one : undefined;
      }),
    );
    return found.filter((one) => one !== undefined);
  }
}

function inPath({ thread: name }: Readonly<Record<string, string>>): { readonly thread: string } {
  const parsed = thread.safeParse(name);
  if (parsed.success) return { thread: parsed.data };
  throw new Refused(404, "There is no such conversation.");
}

/** An event that is not seen as a message, and to which nothing is said. */
function command(
  user: string,
  thread: string,
  { name, text = "" }: { name: string; text?: string },
): ChatEvent {
  const at = Date.now();
  const turn = `${String(at).padStart(15, "0")}-${crypto.randomUUID()}`;
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

function plain({ persona, model }: Chosen): { persona?: string; model?: string } {
  return { ...(persona !== undefined && { persona }), ...(model !== undefined && { model }) };
}

/** The first words, on one line. */
function titleOf(text: string): string {
  const line = text.slice(0, 1000).replace(/\s+/g, " ").trim();
  const all = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
  return all.length > 60 ? `${all.slice(0, 59).join("").trimEnd()}…` : line;
}

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };

/** What is read of the dialect's own HTML. */
function textOf(html: string): string {
  return html.replace(/<[^>]*>/g, "").replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
}
