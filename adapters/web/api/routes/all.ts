import type { ApiRoute } from "../route.ts";
import { conversationRoutes, type ConversationRoutesOptions } from "./conversations.ts";
import { meRoute, type MeOptions } from "./me.ts";
import { messageRoutes } from "./messages.ts";
import { reportRoutes } from "./reports.ts";

export type ApiOptions = ConversationRoutesOptions & MeOptions;

/** Creates everything that users who are signed in can do with their own conversations, in the order of the document. */
export function createApiRoutes(options: ApiOptions): readonly ApiRoute[] {
  return [
    meRoute(options),
    ...conversationRoutes(options),
    ...messageRoutes(options),
    ...reportRoutes(options.conversations),
  ];
}
