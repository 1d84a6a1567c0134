import { z } from "zod";

/** The bot itself, as returned by `getMe`. */
export const Bot = z.object({ id: z.int(), username: z.string() });
export type Bot = z.infer<typeof Bot>;

/** The kind of update that reports a press of the button below a draft: https://core.telegram.org/bots/api#update. */
export const STOPPED = "stopped_message_generation";

/** The fields of a user that are read; like all objects here, it may have any others: https://core.telegram.org/bots/api#user. */
export const Sender = z.object({
  id: z.int(),
  is_bot: z.boolean().default(false),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  username: z.string().optional(),
  language_code: z.string().optional(),
});

export const Entities = z.array(
  z.object({
    type: z.string(),
    offset: z.int().nonnegative(),
    length: z.int().nonnegative(),
    user: z.object({ id: z.int() }).optional(),
  }),
);
export type Entities = z.infer<typeof Entities>;

/** A message: https://core.telegram.org/bots/api#message. */
export const Message = z.object({
  message_id: z.int(),
  date: z.int().nonnegative().optional(),
  from: Sender.optional(),
  chat: z.object({ id: z.int(), type: z.enum(["private", "group", "supergroup", "channel"]) }),
  message_thread_id: z.int().optional(),
  is_topic_message: z.boolean().optional(),
  reply_to_message: z.object({ from: z.object({ id: z.int() }).optional() }).optional(),
  text: z.string().optional(),
  entities: Entities.optional(),
  caption: z.string().optional(),
  caption_entities: Entities.optional(),
});
export type Message = z.infer<typeof Message>;

/** A user has stopped an answer. A private chat has the id of its user, so the chat identifies both. */
export const Stopped = z.object({
  chat: Sender.omit({ is_bot: true }).extend({ type: z.literal("private") }),
  message_thread_id: z.int().optional(),
});
export type Stopped = z.infer<typeof Stopped>;

/** A user has pressed one of the bot's buttons: https://core.telegram.org/bots/api#callbackquery. */
export const Pressed = z.object({
  id: z.string().min(1),
  from: Sender,
  message: Message.pick({
    message_id: true,
    chat: true,
    message_thread_id: true,
    is_topic_message: true,
  }),
  data: z.string(),
});

export const Update = z.object({
  update_id: z.int().nonnegative(),
  message: z.unknown().optional(),
  callback_query: z.unknown().optional(),
  [STOPPED]: z.unknown().optional(),
});
