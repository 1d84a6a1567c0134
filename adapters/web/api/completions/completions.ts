import { randomUUID } from "node:crypto";
import { type Context, Hono, type Next } from "hono";
import type { Bodies } from "../../../../src/http/bodies.ts";
import type { Accounts } from "../../accounts/accounts.ts";
import type { Watch } from "../../accounts/watch.ts";
import type { Conversations } from "../../conversations/conversations.ts";
import type { Feed } from "../../conversations/feed.ts";
import type { UserActions } from "../../conversations/user-actions.ts";
import { Refused, tooManyTries } from "../../refused.ts";
import { MAX_BODY_WITH_IMAGES, MAX_READING_PER_USER } from "../limits.ts";
import type { RequestEnv } from "../route.ts";
import type { SecurityLog } from "../security.ts";
import { readMarkdownAnswer } from "./markdown-answer.ts";
import { imagesOfContent, parseRequest, textOfContent, threadFor } from "./request.ts";
import { INVALID_KEY, streamCompletion, wholeCompletion } from "./responses.ts";
import type { CompletionRequest, Models, Usage } from "./schemas.ts";

export interface CompletionsOptions {
  readonly accounts: Accounts;
  readonly feed: Feed;
  readonly conversations: Conversations;
  /** What a request may name as its model: a persona or a language model. */
  readonly personas: readonly string[];
  readonly models: readonly string[];
  readonly actions: UserActions;
  readonly watch: Watch;
  readonly security: SecurityLog;
  readonly bodies: Bodies;
}

/**
 * Creates an API like OpenAI's in front of personas that remember: only the last message of a request is read. A key has
 * one conversation, or one for each `user` that requests name; the key's owner finds them in the web chat.
 */
export function createCompletions(options: CompletionsOptions): Hono<RequestEnv> {
  const { accounts, conversations, personas, models, actions, watch, security, bodies } = options;
  const app = new Hono<RequestEnv>();
  app.use("*", requireKey);
  app.get("/models", (c) => {
    const list: Models = {
      object: "list",
      data: [...personas, ...models].map((id) => ({ id, object: "model", created: 0, owned_by: "colloquy" })),
    };
    return c.json(list);
  });
  app.post("/chat/completions", async (c) => {
    const { user } = c.var;
    const limits = { most: MAX_BODY_WITH_IMAGES, who: `person ${user}`, mostOfWho: MAX_READING_PER_USER };
    // The body is released before the answer is written.
    const { thread, written, watched, usage, request } = await bodies.read(c.req.raw, limits, (body) =>
      begin(c.var, parseRequest(body)),
    );
    for (const signal of [c.req.raw.signal, watched.ended]) {
      signal.addEventListener("abort", () => {
        if (written.end()) void actions.stop(user, thread).catch(() => undefined);
      });
    }
    const { model, stream, includeUsage } = request;
    const about = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
    const answer = { chunks: written.chunks, about, ended: watched.ended, usage };
    return stream ? streamCompletion(answer, { includeUsage }) : c.json(await wholeCompletion(answer));
  });
  return app;

  async function requireKey(c: Context<RequestEnv>, next: Next): Promise<void> {
    const key = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
    const found = key ? await accounts.find(key, "api") : undefined;
    if (!found || found.spent || !(await accounts.use(found))) {
      const about = { user: found?.user, address: c.env.address, why: found?.spent ?? "unknown" };
      if (key && (await security.failed("key-refused", about))) throw tooManyTries();
      throw new Refused(401, INVALID_KEY);
    }
    c.set("user", found.user);
    c.set("pass", found.pass);
    await next();
  }

  /** Posts the message of a request, and reads the answer from its beginning. */
  async function begin({ user, pass }: RequestEnv["Variables"], request: CompletionRequest) {
    const { model, messages, stream, stream_options: streaming, user: name } = request;
    const last = messages.at(-1);
    const [text, images] = [textOfContent(last?.content), imagesOfContent(last?.content)];
    if (last?.role !== "user" || (!text && images.length === 0))
      throw new Refused(400, "The last message must be the user's, with a text or images.");
    const thread = threadFor(name ?? "");
    const before = await conversations.spent(user, thread);
    const watched = watch.follow(pass);
    const written = readMarkdownAnswer(options.feed, { user, thread, onEnd: () => watched.stop() });
    try {
      const message = { id: randomUUID(), text, images, raw: true, ...chosenBy(model) } as const;
      written.setTurn((await actions.post(user, thread, message)).turn);
    } catch (error) {
      written.end();
      throw error;
    }
    const includeUsage = streaming?.include_usage ?? false;
    return {
      thread,
      written,
      watched,
      request: { model, stream, includeUsage },
      usage: async (): Promise<Usage> => {
        const after = await conversations.spent(user, thread);
        const [prompt, completion] = [after.input - before.input, after.output - before.output];
        return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
      },
    };
  }

  function chosenBy(name: string): { persona: string } | { model: string } {
    if (personas.includes(name)) return { persona: name };
    if (models.includes(name)) return { model: name };
    const available = [...personas, ...models].join(", ");
    throw new Refused(404, `There is no model ${name.slice(0, 40)}. Available are: ${available}.`);
  }
}
