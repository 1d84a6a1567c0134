import { z } from "zod";
import { Commands, keyOf, type Menus } from "../menus.ts";
import { badRequest } from "../refusal.ts";
import { type Feed, readHook } from "../updates/feed.ts";
import { messageMethods } from "./messages.ts";
import type { Method, MethodsOptions } from "./method.ts";
import { writeBot } from "./write.ts";

/** Creates the methods, by name in lower case: the Bot API ignores case. */
export function createMethods(options: MethodsOptions): ReadonlyMap<string, Method> {
  const methods: Record<string, Method> = {
    getMe: () => ({
      ...writeBot(options.bot),
      can_join_groups: true,
      can_read_all_group_messages: true,
      supports_inline_queries: false,
    }),
    ...updateMethods(options.feed),
    ...messageMethods(options),
    ...pressMethods(options.presses),
    ...commandMethods(options.menus),
  };
  return new Map(Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]));
}

const Kinds = z.array(z.string()).optional().catch(undefined);

function updateMethods(feed: Feed): Record<string, Method> {
  const setWebhook: Method = ({ url, secret_token, allowed_updates }) => {
    feed.setWebhook(readHook(url, secret_token));
    feed.want(Kinds.parse(allowed_updates));
    return true;
  };
  return {
    getUpdates: ({ offset, limit, timeout, allowed_updates }, signal) => {
      feed.want(Kinds.parse(allowed_updates));
      return feed.poll({
        offset: Number(offset ?? 0),
        limit: Number(limit ?? 100),
        timeout: Number(timeout ?? 0),
        signal,
      });
    },
    setWebhook,
    deleteWebhook: (_, signal) => setWebhook({}, signal),
    getWebhookInfo: () => feed.webhookInfo(),
  };
}

function pressMethods(presses: Set<string>): Record<string, Method> {
  return {
    answerCallbackQuery: ({ callback_query_id: id }) => {
      if (!presses.delete(String(id))) {
        throw badRequest("query is too old and response timeout expired or query ID is invalid");
      }
      return true;
    },
  };
}

function commandMethods(menus: Menus): Record<string, Method> {
  return {
    setMyCommands: ({ commands, scope, language_code }) => {
      const list = Commands.safeParse(commands).data;
      if (!list) throw badRequest("can't parse commands");
      for (const { command, description } of list) {
        if (!/^[a-z0-9_]{1,32}$/.test(command)) throw badRequest("BOT_COMMAND_INVALID");
        if (!/^.{1,256}$/su.test(description)) throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
      }
      menus.set(keyOf(scope, language_code), list);
      return true;
    },
    getMyCommands: ({ scope, language_code }) => menus.get(keyOf(scope, language_code)) ?? [],
  };
}
