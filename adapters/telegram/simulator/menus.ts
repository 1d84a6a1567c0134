import { z } from "zod";
import { badRequest } from "./refusal.ts";

/** An entry of the menu of commands, which an app shows beside the input field. */
export interface SimulatedCommand {
  readonly command: string;
  readonly description: string;
}

/** The menus of the bot, by the `keyOf` their scope and language. */
export type Menus = Map<string, readonly SimulatedCommand[]>;

/** The commands of a request: https://core.telegram.org/bots/api#setmycommands. */
export const Commands = z.array(z.object({ command: z.string(), description: z.string() })).max(100);

/** The key of a menu; throws a `Refusal` if the language is invalid. */
export function keyOf(scope: unknown, language: unknown = ""): string {
  if (typeof language === "string" && /^([a-z]{2})?$/.test(language)) {
    return JSON.stringify([scope ?? { type: "default" }, language]);
  }
  throw badRequest("invalid language code specified");
}

/** The menu that an app in this language shows: the one for the language, or else the one without a language. */
export function menuIn(language: string, menus: Menus): readonly SimulatedCommand[] {
  const own = menus.get(keyOf(undefined, language));
  return own?.length ? own : (menus.get(keyOf(undefined)) ?? []);
}
