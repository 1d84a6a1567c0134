import { z } from "zod";

/** The name of a conversation, chosen by the client that begins it. */
export const threadName = z
  .string()
  .regex(/^[\w-]{1,40}$/)
  .describe("The id of a conversation, chosen by the client that begins it.");

/** The name of a turn: when the question was asked, then the id of the message. Names sort in the order of the turns. */
export const turnName = z.string().regex(/^\d{15}-[\w-]{1,40}$/);

/** One of a user's conversations, as lists show it. */
export const entry = z.object({
  thread: threadName,
  title: z.string().describe("Its name, or else its first words."),
  at: z.number().describe("The time of the last question, in ms since the epoch."),
});
export type ThreadEntry = Readonly<z.infer<typeof entry>>;

/** The user's message of a turn. */
export const question = z.object({
  turn: turnName,
  text: z.string(),
  images: z.number().optional().describe("How many images were sent with it."),
  at: z.number().describe("The time, in ms since the epoch."),
});
export type Question = Readonly<z.infer<typeof question>>;

const choices = z
  .array(z.object({ label: z.string(), command: z.string(), text: z.string() }))
  .readonly()
  .optional()
  .describe("Commands to offer as buttons.");

/** One part of an answer: what the engine posted as one message. */
export const answerPart = z.object({
  ref: z.string(),
  html: z.string().describe("HTML that is safe to show as it is."),
  choices,
});
export type AnswerPart = Readonly<z.infer<typeof answerPart>>;

/** A question and its answer, as far as the answer has been written. */
export const turn = question.extend({
  done: z.boolean().describe("Whether the answer is complete."),
  pieces: z.array(answerPart).readonly().describe("The parts of the answer, in order."),
});
export type Turn = Readonly<z.infer<typeof turn>>;

const inConversation = z.object({ thread: threadName });
const ofTurn = inConversation.extend({ turn: turnName });

/** A change to what a user sees on the page. */
export const pageUpdate = z.discriminatedUnion("kind", [
  question.extend({ kind: z.literal("asked"), thread: threadName }),
  ofTurn
    .extend({
      kind: z.literal("shown"),
      ref: z.string(),
      keep: z.number(),
      of: z.number(),
      add: z.string(),
      choices,
    })
    .describe(
      "The HTML of a part becomes its first `keep` UTF-16 units followed by `add`; `of` is its length before.",
    ),
  ofTurn
    .extend({ kind: z.literal("removed"), ref: z.string() })
    .describe("A part no longer belongs to the answer."),
  ofTurn.extend({ kind: z.literal("done") }).describe("This answer is complete."),
  ofTurn.extend({ kind: z.literal("rewound") }).describe("This turn and everything after it is deleted."),
  entry.extend({ kind: z.literal("listed") }),
  inConversation.extend({ kind: z.literal("deleted") }),
]);

/**
 * A change that processes publish to one another: a page update, or, for clients of `/v1`, the Markdown that follows the
 * first `at` UTF-16 units of an answer.
 */
export const update = z.discriminatedUnion("kind", [
  ...pageUpdate.options,
  ofTurn.extend({ kind: z.literal("raw"), at: z.number(), add: z.string() }),
]);
export type Update = Readonly<z.infer<typeof update>>;
