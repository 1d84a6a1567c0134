import { z } from "zod";
import { badRequest } from "./refusal.ts";

/** An entry of the menu that an app shows beside the text that one writes. */
export interface SimulatedCommand {
  readonly command: string;
  readonly description: string;
}

/** The menus that the bot has set, by scope and language. */
export type Menus = Map<string, readonly SimulatedCommand[]>;

/** https://core.telegram.org/bots/api#setmycommands. */
export const Commands = z.array(z.object({ command: z.string(), description: z.string() })).max(100);

/** Under which a menu is kept. */
export function keyOf(scope: unknown, language: unknown = ""): string {
  if (typeof language === "string" && /^([a-z]{2})?$/.test(language)) {
    return JSON.stringify([scope ?? { type: "default" }, language]);
  }
  throw badRequest("invalid language code specified");
}

/** What an app in this language shows: its own menu, or the one for everybody. */
export function menuIn(language: string, menus: Menus): readonly SimulatedCommand[] {
  const own = menus.get(keyOf(undefined, language));
  return own?.length ? own : (menus.get(keyOf(undefined)) ?? []);
}
