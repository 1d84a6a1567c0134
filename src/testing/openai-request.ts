import { z } from "zod";
import type { Message } from "../model/model.ts";

/** A request to the simulator, and how it ended. */
export interface SimulatedRequest {
  /** The whole body as it was received. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly messages: readonly Message[];
  readonly model: string;
  /** The body's `user`, if it has one. */
  readonly user?: string;
  /** When it was received, in ms since the epoch. */
  readonly at: number;
  /** Whether the client closed the connection before the end. */
  readonly aborted: boolean;
  /** Whether the whole response was sent. */
  readonly ended: boolean;
}

/** The content parts that OpenAI accepts: https://platform.openai.com/docs/guides/images-vision */
const parts = z
  .array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text: z.string() }),
      z.object({
        type: z.literal("image_url"),
        image_url: z.object({
          url: z.string().regex(/^(https?:|data:image\/(png|jpeg|gif|webp);base64,[\w+/]+={0,2}$)/),
        }),
      }),
    ]),
  )
  .min(1)
  .transform((all) => ({
    content: all.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n"),
    images: all.flatMap((part) => (part.type === "image_url" ? [part.image_url.url] : [])),
  }));

const message = z.union([
  z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() }),
  z
    .object({ role: z.literal("user"), content: parts })
    .transform(({ role, content: { content, images } }) => ({
      role,
      content,
      ...(images.length > 0 && { images }),
    })),
]);

export const requestBody = z.looseObject({
  model: z.string().min(1),
  messages: z.array(message).min(1),
  user: z.string().optional(),
});

/** Whether a request asks for the usage at the end of the stream. */
export function wantsUsage({ body }: SimulatedRequest): boolean {
  return z.object({ stream_options: z.object({ include_usage: z.literal(true) }) }).safeParse(body).success;
}

/** The text of the user's last message. */
export function lastUserText({ messages }: SimulatedRequest): string {
  return messages.findLast(({ role }) => role === "user")?.content ?? "";
}
