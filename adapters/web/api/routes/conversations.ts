import { z } from "zod";
import type { Conversations } from "../../conversations/conversations.ts";
import type { Feed } from "../../conversations/feed.ts";
import type { Records, TurnKey } from "../../conversations/records.ts";
import { createSearch } from "../../conversations/search.ts";
import { type AnswerPart, entry, turn } from "../../conversations/updates.ts";
import type { Chosen, UserActions } from "../../conversations/user-actions.ts";
import { Refused } from "../../refused.ts";
import { type ApiRoute, route } from "../route.ts";
import { isKnown, threadOf } from "./thread.ts";

export interface ConversationRoutesOptions {
  readonly records: Records;
  readonly feed: Feed;
  readonly conversations: Conversations;
  readonly actions: UserActions;
  /** The parts of an answer that is being written. */
  readonly partsInProgress: (turn: TurnKey) => readonly AnswerPart[];
}

/** The longest title, in UTF-16 units. */
const MAX_TITLE = 120;

/** Lists, reads, changes and deletes conversations. */
export function conversationRoutes(options: ConversationRoutesOptions): readonly ApiRoute[] {
  return [listRoute(options), readRoute(options), changeRoute(options), deleteRoute(options)];
}

function listRoute({ records }: ConversationRoutesOptions): ApiRoute {
  const search = createSearch(records);
  return route({
    method: "get",
    path: "/api/conversations",
    summary: "The user's conversations, most recently active first.",
    query: z.object({
      search: z
        .string()
        .max(200)
        .optional()
        .describe(
          "Only those in which these words occur; a person has one search at a time, and in very much text only the " +
            "newest is looked through.",
        ),
    }),
    response: z.array(entry),
    run: async ({ user, query }) =>
      query.search ? [...(await search.find(user, query.search))] : records.list(user),
  });
}

function readRoute({ records, feed, conversations, partsInProgress }: ConversationRoutesOptions): ApiRoute {
  return route({
    method: "get",
    path: "/api/conversations/{thread}",
    summary: "The messages of a conversation, oldest first.",
    response: z.object({
      title: z.string().optional(),
      persona: z.string().optional(),
      model: z.string().optional(),
      turns: z.array(turn),
      position: z.string().describe("Updates after this one are not included."),
    }),
    run: async ({ user, path }) => {
      const thread = threadOf(path);
      const [found, chosen, stored] = await Promise.all([
        records.entry(user, thread),
        conversations.chosen(user, thread),
        records.turns(user, thread),
      ]);
      // Answers in progress are read last and without a pause, so that they match the position.
      const turns = stored.map((one) =>
        one.done ? one : { ...one, pieces: partsInProgress({ user, thread, turn: one.turn }) },
      );
      return {
        ...(found && { title: found.title }),
        ...withoutUndefined(chosen),
        turns,
        position: feed.position(user),
      };
    },
  });
}

function changeRoute({ records, actions }: ConversationRoutesOptions): ApiRoute {
  return route({
    method: "patch",
    path: "/api/conversations/{thread}",
    summary: "Sets the name, the persona or the model of a conversation.",
    body: z.strictObject({
      title: z.string().trim().min(1).max(MAX_TITLE).optional(),
      persona: z.string().max(200).optional(),
      model: z.string().max(200).optional(),
    }),
    run: async ({ user, path, body }) => {
      const thread = threadOf(path);
      const { title, ...chosen } = body;
      const known = await records.entry(user, thread);
      if (!known) throw new Refused(404, "There is no such conversation.");
      if (title) await actions.saveEntry(user, { ...known, title });
      await actions.choose(user, thread, chosen);
    },
  });
}

function deleteRoute(options: ConversationRoutesOptions): ApiRoute {
  return route({
    method: "delete",
    path: "/api/conversations/{thread}",
    summary: "Deletes a conversation with all of its messages.",
    run: async ({ user, path }) => {
      const thread = threadOf(path);
      if (await isKnown(options, user, thread)) await options.actions.remove(user, thread);
    },
  });
}

function withoutUndefined({ persona, model }: Chosen): { persona?: string; model?: string } {
  return { ...(persona !== undefined && { persona }), ...(model !== undefined && { model }) };
}
