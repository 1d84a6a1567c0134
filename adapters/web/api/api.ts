import { z } from "zod";
import { MAX_TEXT } from "../../../src/event.ts";
import type { Feed } from "../conversations/feed.ts";
import { MAX_BODY_WITH_IMAGES, MAX_IMAGES, readImage } from "./images.ts";
import { entry, type Piece, threadName, turn, turnName } from "../conversations/news.ts";
import type { Place, Records } from "../conversations/records.ts";
import { Refused, type Route, route } from "./route.ts";
import { createSearch } from "./search.ts";
import type { Chosen, Talk } from "../conversations/talk.ts";

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
  readonly growing: (place: Place) => readonly Piece[];
  readonly talk: Talk;
}

const FORMATS = ["md", "jsonl", "json"] as const;

/** The longest title, in UTF-16 units. */
const MAX_TITLE = 120;

const cost = z.object({
  day: z.string(),
  model: z.string(),
  turns: z.number(),
  input: z.number(),
  output: z.number(),
  cost: z.number().optional(),
  estimated: z.boolean(),
});

/** What whoever is signed in can do with their conversations, and nobody else's. */
export function createApi(options: ApiOptions): readonly Route[] {
  const { records, feed, conversations, personas, models, currency, growing, talk } = options;
  const search = createSearch(records);
  return [
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
        search: z
          .string()
          .max(200)
          .optional()
          .describe(
            "Only those in which these words occur; a person has one search at a time, and in very much text only the " +
              "newest is looked through.",
          ),
      }),
      answer: z.array(entry),
      run: async ({ user, query }) => {
        return query.search ? [...(await search.find(user, query.search))] : records.list(user);
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
        const turns = stored.map((one) =>
          one.done ? one : { ...one, pieces: growing({ user, thread, turn: one.turn }) },
        );
        return {
          ...(found && { title: found.title }),
          ...plain(chosen),
          turns,
          position: feed.position(user),
        };
      },
    }),
    route({
      method: "patch",
      path: "/api/conversations/{thread}",
      summary: "Gives a conversation a name, or another persona or model.",
      body: z.strictObject({
        title: z.string().trim().min(1).max(MAX_TITLE).optional(),
        persona: z.string().max(200).optional(),
        model: z.string().max(200).optional(),
      }),
      run: async ({ user, path, body }) => {
        const { thread } = inPath(path);
        const { title, ...chosen } = body;
        const known = await records.entry(user, thread);
        if (!known) throw new Refused(404, "There is no such conversation.");
        if (title) await talk.list(user, { ...known, title });
        await talk.choose(user, thread, chosen);
      },
    }),
    route({
      method: "delete",
      path: "/api/conversations/{thread}",
      summary: "Deletes a conversation, and forgets what was said in it.",
      run: async ({ user, path }) => {
        const { thread } = inPath(path);
        if (await isThere(user, thread)) await talk.remove(user, thread);
      },
    }),
    route({
      method: "post",
      path: "/api/conversations/{thread}/messages",
      summary: "Says something; the answer comes as news. The same `id` twice is the same message.",
      largest: MAX_BODY_WITH_IMAGES,
      body: z.strictObject({
        id: z.string().regex(/^[\w-]{8,40}$/),
        // What is longer is refused with a sentence of its own, wherever it comes from.
        text: z.string().meta({ maxLength: MAX_TEXT }),
        images: z
          .array(z.string())
          .max(MAX_IMAGES)
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
      run: ({ user, path, body }) => talk.say(user, inPath(path).thread, body),
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
        return new Response(bytes, { headers: { "content-type": type } });
      },
    }),
    route({
      method: "post",
      path: "/api/conversations/{thread}/stop",
      summary: "Stops the answer that is being written; what there is of it stays.",
      run: async ({ user, path }) => {
        const { thread } = inPath(path);
        if (await isThere(user, thread)) await talk.stop(user, thread);
      },
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

  /** Otherwise a conversation would come into being by being stopped or deleted. */
  async function isThere(user: string, thread: string): Promise<boolean> {
    if (await records.entry(user, thread)) return true;
    const { input, output } = await conversations.spent(user, thread);
    return input + output > 0;
  }
}

function inPath({ thread: name }: Readonly<Record<string, string>>): { readonly thread: string } {
  const parsed = threadName.safeParse(name);
  if (parsed.success) return { thread: parsed.data };
  throw new Refused(404, "There is no such conversation.");
}

function plain({ persona, model }: Chosen): { persona?: string; model?: string } {
  return { ...(persona !== undefined && { persona }), ...(model !== undefined && { model }) };
}
