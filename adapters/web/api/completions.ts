import { createHash, randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import type { Bodies } from "../../../src/http/bodies.ts";
import { describeIssues, isCheckable } from "../../../src/http/issues.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { Conversations } from "./api.ts";
import { EVENT_STREAM } from "./events.ts";
import type { Feed } from "../conversations/feed.ts";
import { MAX_BODY_WITH_IMAGES, MAX_OF_A_PERSON } from "./images.ts";
import { type News, threadName } from "../conversations/news.ts";
import { type Described, type Env, Refused, tooManyTries } from "./route.ts";
import type { SecurityLog } from "./security.ts";
import type { Talk } from "../conversations/talk.ts";
import type { Watch } from "../accounts/watch.ts";

export interface CompletionsOptions {
  readonly accounts: Accounts;
  readonly feed: Feed;
  readonly conversations: Conversations;
  /** What a request may name as its model: these, and the language models. */
  readonly personas: readonly string[];
  readonly models: readonly string[];
  readonly talk: Talk;
  readonly watch: Watch;
  readonly security: SecurityLog;
  readonly bodies: Bodies;
}

const NOT_VALID = "The key is not valid (any more). `colloquy user add NAME --api` makes one.";

/** Clients send the conversation from its beginning; of a longer one than this they would send megabytes each time. */
const MAX_MESSAGES = 4_096;

/** A message in more parts than this is none that a person or a program writes. */
const MAX_PARTS = 64;

/** The longest name of a model, and of a user, in UTF-16 units. */
const MAX_NAME = 512;

const part = z.object({
  type: z.string().max(MAX_NAME),
  text: z.string().optional(),
  image_url: z.object({ url: z.string() }).optional(),
});
const request = z.object({
  model: z.string().max(MAX_NAME),
  messages: z
    .array(
      z.object({
        role: z.string().max(MAX_NAME),
        content: z.union([z.string(), z.array(part).max(MAX_PARTS)]).nullish(),
      }),
    )
    .min(1)
    .max(MAX_MESSAGES)
    .describe("Only the last one is read."),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  user: z.string().max(MAX_NAME).nullish(),
});

const listing = z.object({
  object: z.literal("list"),
  data: z.array(
    z.object({
      id: z.string().describe("A persona, or a language model."),
      object: z.literal("model"),
      created: z.number(),
      owned_by: z.string(),
    }),
  ),
});
const usage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
});
const completion = z.object({
  id: z.string(),
  object: z.literal("chat.completion"),
  created: z.number().describe("In s since the epoch."),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.literal(0),
      message: z.object({
        role: z.literal("assistant"),
        content: z.string().describe("Markdown."),
        refusal: z.null(),
      }),
      logprobs: z.null(),
      finish_reason: z.literal("stop"),
    }),
  ),
  usage,
});
const failure = z.object({
  error: z.object({
    message: z.string().describe("What happened, and what to do."),
    type: z.enum(["authentication_error", "invalid_request_error", "rate_limit_error", "server_error"]),
    param: z.null(),
    code: z.null(),
  }),
});

/** Why something was not done, as OpenAI's clients read it. */
export function describeFailure(status: number, message: string): z.infer<typeof failure> {
  const type =
    status === 401
      ? "authentication_error"
      : status === 429
        ? "rate_limit_error"
        : status < 500
          ? "invalid_request_error"
          : "server_error";
  return { error: { message, type, param: null, code: null } };
}

/** What `createCompletions` serves, as addresses. */
export const COMPLETIONS: readonly Described[] = [
  {
    method: "get",
    path: "/v1/models",
    summary: "What a request may name as its model.",
    access: "key",
    answer: listing,
    failure,
  },
  {
    method: "post",
    path: "/v1/chat/completions",
    summary:
      "Says the last of these messages in the conversation of this key, or of this `user` of it; the persona remembers " +
      "what came before. With `stream`, as Server-Sent Events like OpenAI's.",
    access: "key",
    body: request,
    answer: completion,
    media: "text/event-stream",
    failure,
  },
];

/**
 * What clients of OpenAI's API ask for, in front of a persona that remembers: of what they send only the last message
 * is read. A key has one conversation, or one for each `user` that requests name; people find them in the web chat.
 */
export function createCompletions(options: CompletionsOptions): Hono<Env> {
  const { accounts, conversations, personas, models, talk, watch, security, bodies } = options;
  const app = new Hono<Env>();
  app.use("*", async (c, next) => {
    const key = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    const found = key ? await accounts.find(key, "api") : undefined;
    if (!found || found.spent || !(await accounts.use(found))) {
      const about = { user: found?.user, address: c.env.address, why: found?.spent ?? "unknown" };
      if (key && (await security.failed("key-refused", about))) throw tooManyTries();
      throw new Refused(401, NOT_VALID);
    }
    c.set("user", found.user);
    c.set("pass", found.pass);
    await next();
  });
  app.get("/models", (c) => {
    const answer: z.infer<typeof listing> = {
      object: "list",
      data: [...personas, ...models].map((id) => ({ id, object: "model", created: 0, owned_by: "colloquy" })),
    };
    return c.json(answer);
  });
  app.post("/chat/completions", async (c) => {
    const { user } = c.var;
    const limits = { most: MAX_BODY_WITH_IMAGES, who: `person ${user}`, mostOfWho: MAX_OF_A_PERSON };
    // What was sent is not kept while the answer is written.
    const { thread, before, written, watched, model, stream, wishes } = await bodies.read(
      c.req.raw,
      limits,
      (body) => begin(c.var, read(body)),
    );
    for (const signal of [c.req.raw.signal, watched.ended]) {
      signal.addEventListener("abort", () => {
        if (written.end()) void talk.stop(user, thread).catch(() => undefined);
      });
    }
    const spent = async (): Promise<z.infer<typeof usage>> => {
      const after = await conversations.spent(user, thread);
      const [prompt, completion] = [after.input - before.input, after.output - before.output];
      return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
    };
    const about = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
    const { ended } = watched;
    if (stream)
      return streamed(written.pieces, about, { ended, ...(wishes?.include_usage && { usage: spent }) });
    let content = "";
    // Another process may begin anew, where the one before has died.
    for await (const { at, add } of written.pieces) content = content.slice(0, at) + add;
    if (ended.aborted) throw new Refused(401, NOT_VALID);
    const answer: z.infer<typeof completion> = {
      ...about,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content, refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: await spent(),
    };
    return c.json(answer);
  });
  return app;

  /** Says what was asked; the answer is heard from its beginning. */
  async function begin({ user, pass }: Env["Variables"], asked: z.infer<typeof request>) {
    const { model, messages, stream, stream_options: wishes, user: who } = asked;
    const last = messages.at(-1);
    const [text, images] = [textOf(last?.content), imagesOf(last?.content)];
    if (last?.role !== "user" || (!text && images.length === 0))
      throw new Refused(400, "The last message must be the user's: text, or images.");
    const thread = threadOf(who ?? "");
    const before = await conversations.spent(user, thread);
    const watched = watch.follow(pass);
    const written = listen(options.feed, { user, thread, over: () => watched.stop() });
    try {
      const said = { id: randomUUID(), text, images, raw: true, ...chosen(model) } as const;
      written.of((await talk.say(user, thread, said)).turn);
      return { thread, before, written, watched, model, stream, wishes };
    } catch (error) {
      written.end();
      throw error;
    }
  }

  function chosen(name: string): { persona: string } | { model: string } {
    if (personas.includes(name)) return { persona: name };
    if (models.includes(name)) return { model: name };
    throw new Refused(
      404,
      `There is no model ${name.slice(0, 40)}; these are there: ${[...personas, ...models].join(", ")}.`,
    );
  }
}

/** What was sent, of which the messages before the last one are not even looked at. */
function read(body: Buffer): z.infer<typeof request> {
  const given = jsonOrNothing(body);
  const { messages } = (given ?? {}) as { readonly messages?: unknown };
  if (Array.isArray(messages) && messages.length > MAX_MESSAGES)
    throw new Refused(
      400,
      `A request has at most ${MAX_MESSAGES} messages, and this one ${messages.length}.`,
    );
  const looked = Array.isArray(messages) ? { ...(given as object), messages: messages.slice(-1) } : given;
  if (!isCheckable(looked)) throw new Refused(400, "The request has too many parts.");
  const parsed = request.safeParse(looked);
  if (parsed.success) return parsed.data;
  throw new Refused(400, describeIssues(parsed.error));
}

function jsonOrNothing(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function textOf(content: string | readonly z.infer<typeof part>[] | null | undefined): string {
  return typeof content === "string" ? content : (content ?? []).flatMap(({ text = [] }) => text).join("\n");
}

/** Nothing is fetched from elsewhere: an address could lead into the network that the program runs in. */
function imagesOf(content: string | readonly z.infer<typeof part>[] | null | undefined): string[] {
  const parts = typeof content === "string" ? [] : (content ?? []);
  return parts.flatMap(({ image_url: image }) => image?.url ?? []);
}

/** Any name becomes one that a conversation may have, and no two the same. */
function threadOf(name: string): string {
  const short = `api-${Buffer.from(name).toString("base64url")}`;
  if (threadName.safeParse(short).success) return short;
  return `apis-${createHash("sha256").update(name).digest("base64url").slice(0, 35)}`;
}

interface Written {
  /** The answer to this turn is meant. */
  of(turn: string): void;
  /** What follows the first `at` UTF-16 units. */
  readonly pieces: AsyncIterable<{ readonly at: number; readonly add: string }>;
  /** False if it has ended already. */
  end(): boolean;
}

interface Listening {
  readonly user: string;
  readonly thread: string;
  /** Called at the end. */
  readonly over: () => void;
}

/** What is written in a conversation from now on, as Markdown. */
function listen(feed: Feed, { user, thread, over: atEnd }: Listening): Written {
  const heard: Extract<News, { kind: "raw" | "done" }>[] = [];
  let wanted: string | undefined;
  let over = false;
  let wake = () => {};
  const following = feed.follow(user, feed.position(user), (_, news) => {
    if ((news.kind !== "raw" && news.kind !== "done") || news.thread !== thread) return;
    heard.push(news);
    wake();
  });
  const end = () => {
    if (over) return false;
    over = true;
    following.stop();
    atEnd();
    wake();
    return true;
  };
  return { of: (turn) => (wanted = turn), pieces: pieces(), end };

  async function* pieces(): Written["pieces"] {
    try {
      for (;;) {
        const news = heard.shift();
        if (news === undefined) {
          if (over) return;
          await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        if (news.turn !== wanted) continue;
        if (news.kind === "done") return;
        yield news;
      }
    } finally {
      end();
    }
  }
}

interface Ending {
  /** Aborted if the key is not valid any more. */
  readonly ended: AbortSignal;
  /** What it has cost, where that is wanted. */
  readonly usage?: () => Promise<object>;
}

/** Server-Sent Events as OpenAI's clients read them. */
function streamed(pieces: Written["pieces"], about: object, { ended, usage }: Ending): Response {
  const event = (data: object | string) =>
    `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
  const chunk = (delta: object, reason: string | null = null) =>
    event({
      ...about,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    });
  const events = (async function* (): AsyncGenerator<string, void> {
    yield chunk({ role: "assistant", content: "" });
    let length = 0;
    for await (const { at, add } of pieces) {
      // Another process has begun anew, with other words: what was told cannot be taken back.
      if (at !== length) {
        yield event(describeFailure(503, "The answer was interrupted. Please ask again."));
        return;
      }
      length += add.length;
      yield chunk({ content: add });
    }
    if (ended.aborted) {
      yield event(describeFailure(401, NOT_VALID));
      return;
    }
    yield chunk({}, "stop");
    if (usage) yield event({ ...about, object: "chat.completion.chunk", choices: [], usage: await usage() });
    yield event("[DONE]");
  })();
  return new Response(ReadableStream.from(events).pipeThrough(new TextEncoderStream()), {
    headers: EVENT_STREAM,
  });
}
