import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import type { Accounts } from "./accounts.ts";
import type { Conversations } from "./api.ts";
import type { Feed } from "./feed.ts";
import type { News } from "./news.ts";
import { type Env, Refused } from "./route.ts";
import type { Talk } from "./talk.ts";

export interface CompletionsOptions {
  readonly accounts: Accounts;
  readonly feed: Feed;
  readonly conversations: Conversations;
  /** What a request may name as its model: these, and the language models. */
  readonly personas: readonly string[];
  readonly models: readonly string[];
  readonly talk: Talk;
}

const part = z.object({
  type: z.string(),
  text: z.string().optional(),
  image_url: z.object({ url: z.string() }).optional(),
});
const request = z.object({
  model: z.string(),
  messages: z
    .array(z.object({ role: z.string(), content: z.union([z.string(), z.array(part)]).nullish() }))
    .min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  user: z.string().nullish(),
});

/**
 * What clients of OpenAI's API ask for, in front of a persona that remembers: of what they send only the last message
 * is read. A key has one conversation, or one for each `user` that requests name; people find them in the web chat.
 */
export function createCompletions(options: CompletionsOptions): Hono<Env> {
  const { accounts, conversations, personas, models, talk } = options;
  const app = new Hono<Env>();
  app.onError((error, c) => {
    if (!(error instanceof Refused)) throw error;
    const type = error.status === 401 ? "authentication_error" : "invalid_request_error";
    return c.json({ error: { message: error.message, type, param: null, code: null } }, error.status);
  });
  app.use("*", async (c, next) => {
    const key = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    const user = key && (await accounts.whose(key, "api"));
    if (!user) throw new Refused(401, "The key is not valid. `colloquy user add NAME --api` makes one.");
    c.set("user", user);
    await next();
  });
  app.get("/models", (c) => {
    const data = [...personas, ...models].map((id) => ({
      id,
      object: "model",
      created: 0,
      owned_by: "colloquy",
    }));
    return c.json({ object: "list", data });
  });
  app.post("/chat/completions", async (c) => {
    const parsed = request.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) throw new Refused(400, z.prettifyError(parsed.error));
    const { model, messages, stream, stream_options: wishes, user: who } = parsed.data;
    const last = messages.at(-1);
    const [text, images] = [textOf(last?.content), imagesOf(last?.content)];
    if (last?.role !== "user" || (!text && images.length === 0))
      throw new Refused(400, "The last message must be the user's: text, or images.");
    const { user } = c.var;
    const thread = threadOf(who ?? "");
    const before = await conversations.spent(user, thread);
    const written = listen(options.feed, user, thread);
    try {
      const { turn } = await talk.say(user, thread, {
        id: randomUUID(),
        text,
        images,
        raw: true,
        ...chosen(model),
      });
      written.of(turn);
    } catch (error) {
      written.end();
      throw error;
    }
    c.req.raw.signal.addEventListener("abort", () => {
      if (written.end()) void talk.stop(user, thread).catch(() => undefined);
    });
    const usage = async () => {
      const after = await conversations.spent(user, thread);
      const [prompt, completion] = [after.input - before.input, after.output - before.output];
      return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
    };
    const about = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
    if (stream) return streamed(written.pieces, about, wishes?.include_usage ? usage : undefined);
    let content = "";
    for await (const piece of written.pieces) content += piece;
    const choice = {
      index: 0,
      message: { role: "assistant", content, refusal: null },
      logprobs: null,
      finish_reason: "stop",
    };
    return c.json({ ...about, object: "chat.completion", choices: [choice], usage: await usage() });
  });
  return app;

  function chosen(name: string): { persona: string } | { model: string } {
    if (personas.includes(name)) return { persona: name };
    if (models.includes(name)) return { model: name };
    throw new Refused(
      404,
      `There is no model ${name}; these are there: ${[...personas, ...models].join(", ")}.`,
    );
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

/** Any name becomes one that a conversation may have. */
function threadOf(name: string): string {
  return `api-${Buffer.from(name).toString("base64url").slice(0, 36)}`;
}

interface Written {
  /** The answer to this turn is meant. */
  of(turn: string): void;
  readonly pieces: AsyncIterable<string>;
  /** False if it has ended already. */
  end(): boolean;
}

/** What is written in a conversation from now on, as Markdown. */
function listen(feed: Feed, user: string, thread: string): Written {
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
    wake();
    return true;
  };
  return { of: (turn) => (wanted = turn), pieces: pieces(), end };

  async function* pieces(): AsyncGenerator<string> {
    let length = 0;
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
        // Another process has begun anew, with other words.
        if (news.at !== length) throw new Error("The answer was interrupted");
        length += news.add.length;
        yield news.add;
      }
    } finally {
      end();
    }
  }
}

/** Server-Sent Events as OpenAI's clients read them. */
function streamed(pieces: AsyncIterable<string>, about: object, usage?: () => Promise<object>): Response {
  const event = (data: object | string) =>
    `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
  const chunk = (delta: object, reason: string | null = null) =>
    event({
      ...about,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    });
  const events = (async function* () {
    yield chunk({ role: "assistant", content: "" });
    try {
      for await (const content of pieces) yield chunk({ content });
    } catch (error) {
      yield event({ error: { message: String(error), type: "server_error", param: null, code: null } });
      return;
    }
    yield chunk({}, "stop");
    if (usage) yield event({ ...about, object: "chat.completion.chunk", choices: [], usage: await usage() });
    yield event("[DONE]");
  })();
  return new Response(ReadableStream.from(events).pipeThrough(new TextEncoderStream()), {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}
