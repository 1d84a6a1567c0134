import { z } from "zod";
import { type Conversations, cost, EXPORT_FORMATS } from "../../conversations/conversations.ts";
import { type ApiRoute, route } from "../route.ts";
import { threadOf } from "./thread.ts";

/** Exports a conversation, and reports what conversations have cost. */
export function reportRoutes(conversations: Conversations): readonly ApiRoute[] {
  return [
    route({
      method: "get",
      path: "/api/conversations/{thread}/export",
      summary: "Exports a conversation as Markdown, JSON Lines or user_messages.json.",
      query: z.object({ format: z.enum(EXPORT_FORMATS).default("md") }),
      response: z.object({ name: z.string(), content: z.string() }),
      run: async ({ user, path, query }) => {
        const thread = threadOf(path);
        return {
          name: `${thread}.${query.format}`,
          content: await conversations.export(user, thread, query.format),
        };
      },
    }),
    route({
      method: "get",
      path: "/api/usage",
      summary: "The cost of the user's conversations, by day (UTC) and model.",
      response: z.array(cost),
      run: async ({ user }) => [...(await conversations.usage(user))],
    }),
  ];
}
