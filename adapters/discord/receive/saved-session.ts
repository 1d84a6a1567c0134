import { z } from "zod";

const snowflake = z.string().regex(/^\d{1,20}$/);
const sessionSchema = z.object({
  sessionId: z.string(),
  resumeURL: z.string().regex(/^wss?:\/\//),
  sequence: z.number(),
  shardCount: z.number(),
  shardId: z.number(),
});
const schema = z.object({
  bot: z.string(),
  application: snowflake.optional(),
  sessions: z.array(sessionSchema),
  channels: z.array(z.tuple([snowflake, snowflake, z.boolean()])),
});

/** A shard's session as it is saved, in JSON. */
export type SavedSession = z.infer<typeof schema>;

/** Parses a saved session; undefined if the text is not one. */
export function readSession(text: string): SavedSession | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
