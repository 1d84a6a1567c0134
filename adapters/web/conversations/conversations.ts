import { z } from "zod";
import type { Chosen } from "./user-actions.ts";

/** What the program stores about conversations, beside what users see of them. */
export interface Conversations {
  /** The persona and the model that were chosen in a conversation. */
  chosen(user: string, thread: string): Promise<Chosen>;
  /** A conversation as the content of a file. */
  export(user: string, thread: string, format: ExportFormat): Promise<string>;
  /** How many tokens a conversation has used so far. */
  spent(user: string, thread: string): Promise<{ readonly input: number; readonly output: number }>;
  /** What all conversations of a user have cost. */
  usage(user: string): Promise<readonly Cost[]>;
}

export const EXPORT_FORMATS = ["md", "jsonl", "json"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What was used of one model on one day. */
export const cost = z.object({
  day: z.string(),
  model: z.string(),
  turns: z.number(),
  input: z.number(),
  output: z.number(),
  cost: z.number().optional(),
  estimated: z.boolean(),
});
export type Cost = z.infer<typeof cost>;
