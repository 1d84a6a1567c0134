import { z } from "zod";
import { MAX_TEXT } from "../../../../src/event.ts";
import { MAX_IMAGES, readImage } from "../../conversations/images.ts";
import { turnName } from "../../conversations/updates.ts";
import { Refused } from "../../refused.ts";
import { MAX_BODY_WITH_IMAGES } from "../limits.ts";
import { type ApiRoute, route } from "../route.ts";
import type { ConversationRoutesOptions } from "./conversations.ts";
import { isKnown, threadOf } from "./thread.ts";

type MessageRoutesOptions = Pick<ConversationRoutesOptions, "records" | "conversations" | "actions">;

/** Posts messages, serves their images, and stops answers. */
export function messageRoutes(options: MessageRoutesOptions): readonly ApiRoute[] {
  return [postRoute(options), imageRoute(options), stopRoute(options)];
}

function postRoute({ actions }: MessageRoutesOptions): ApiRoute {
  return route({
    method: "post",
    path: "/api/conversations/{thread}/messages",
    summary: "Sends a message; the answer arrives as updates. The same `id` twice is the same message.",
    maxBody: MAX_BODY_WITH_IMAGES,
    body: z.strictObject({
      id: z.string().regex(/^[\w-]{8,40}$/),
      // Not checked here: `post` refuses a longer text, wherever it comes from, with a clearer sentence.
      text: z.string().meta({ maxLength: MAX_TEXT }),
      images: z
        .array(z.string())
        .max(MAX_IMAGES)
        .optional()
        .describe(
          "PNG, JPEG, GIF or WebP, as data: URLs; if absent, the images of the turn that is replaced.",
        ),
      locale: z
        .string()
        .max(35)
        .regex(/^[\w-]*$/)
        .optional()
        .describe("The user's language, such as zh-CN."),
      replaces: turnName.optional().describe("An earlier turn: it and everything after it is deleted."),
      persona: z.string().max(200).optional(),
      model: z.string().max(200).optional(),
    }),
    response: z.object({ turn: turnName }),
    run: ({ user, path, body }) => actions.post(user, threadOf(path), body),
  });
}

function imageRoute({ records }: MessageRoutesOptions): ApiRoute {
  return route({
    method: "get",
    path: "/api/conversations/{thread}/images/{turn}/{index}",
    summary: "An image of a question; the first one is 0.",
    media: "image/*",
    run: async ({ user, path }) => {
      const thread = threadOf(path);
      const { turn = "", index } = path;
      const url = (await records.images({ user, thread, turn }))[Number(index)];
      if (url === undefined) throw new Refused(404, "There is no such image.");
      const { type, bytes } = readImage(url);
      return new Response(bytes, { headers: { "content-type": type } });
    },
  });
}

function stopRoute(options: MessageRoutesOptions): ApiRoute {
  return route({
    method: "post",
    path: "/api/conversations/{thread}/stop",
    summary: "Stops the answer that is being written; the part that exists stays.",
    run: async ({ user, path }) => {
      const thread = threadOf(path);
      if (await isKnown(options, user, thread)) await options.actions.stop(user, thread);
    },
  });
}
