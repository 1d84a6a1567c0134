import { z } from "zod";
import type { Operation } from "../route.ts";

/** Clients send the conversation from its beginning. A longer one would mean megabytes with each request. */
export const MAX_REQUEST_MESSAGES = 4_096;

/** No person and no program writes a message of more parts. */
const MAX_PARTS = 64;

/** The longest name of a model or a user, in UTF-16 units. */
const MAX_NAME = 512;

const part = z.object({
  type: z.string().max(MAX_NAME),
  text: z.string().optional(),
  image_url: z.object({ url: z.string() }).optional(),
});
export const request = z.object({
  model: z.string().max(MAX_NAME),
  messages: z
    .array(
      z.object({
        role: z.string().max(MAX_NAME),
        content: z.union([z.string(), z.array(part).max(MAX_PARTS)]).nullish(),
      }),
    )
    .min(1)
    .max(MAX_REQUEST_MESSAGES)
    .describe("Only the last one is read."),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  user: z.string().max(MAX_NAME).nullish(),
});
export type CompletionRequest = z.infer<typeof request>;
export type Content = CompletionRequest["messages"][number]["content"];

const models = z.object({
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
export type Models = z.infer<typeof models>;

const usage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
});
export type Usage = z.infer<typeof usage>;

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
export type Completion = z.infer<typeof completion>;

const failure = z.object({
  error: z.object({
    message: z.string().describe("What went wrong, and what to do."),
    type: z.enum(["authentication_error", "invalid_request_error", "rate_limit_error", "server_error"]),
    param: z.null(),
    code: z.null(),
  }),
});
export type Failure = z.infer<typeof failure>;

/** The JSON of an error, as OpenAI's clients expect it. */
export function describeFailure(status: number, message: string): Failure {
  return { error: { message, type: typeOf(status), param: null, code: null } };
}

function typeOf(status: number): Failure["error"]["type"] {
  if (status === 401) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

/** The operations of `createCompletions`. */
export const COMPLETIONS: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/models",
    summary: "The models that a request may name.",
    access: "key",
    response: models,
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
    response: completion,
    media: "text/event-stream",
    failure,
  },
];
