import type { Settings } from "../../config/settings.ts";
import { apologiseForOld } from "../access/age.ts";
import { allowOnly, isAllowed } from "../access/allow.ts";
import type { MessageRate } from "../access/pace.ts";
import { interruptingNames } from "../commands/all.ts";
import type { ChatEvent } from "../event.ts";
import type { Handler } from "../handler.ts";
import type { Log } from "../log.ts";
import { hasPlatforms } from "./platforms.ts";

/** Creates the handlers that decide who may use the bot, and how fast, as configured. */
export async function createGuards(settings: Settings, log: Log, pace: MessageRate): Promise<Handler[]> {
  const { ALLOWED_USERS: users, MAX_EVENT_AGE: hours } = settings;
  // Before the pace: messages that piled up while the program was down were not written too fast.
  const listed = users.length > 0 ? new Set(users) : undefined;
  const age = apologiseForOld({
    maxAgeMs: hours * 3_600_000,
    asking: new Set(["ask"]),
    ...(listed && { admits: (event: ChatEvent) => isAllowed(listed, event) }),
  });
  const { limitMessageRate: limitPace } = await import("../access/pace.ts");
  // The web chat counts messages itself, and refuses excess ones immediately.
  const paced = exceptFor("web", limitPace({ pace, always: interruptingNames() }));
  // The user of the console runs the program; users of the web chat are admitted individually.
  const guards = [age, paced].map((guard) => exceptFor("console", guard));
  if (listed) return [...guards, exceptFor("console", exceptFor("web", allowOnly(listed)))];
  if (hasPlatforms(settings))
    log.warn("ALLOWED_USERS is empty: everyone may talk to this bot, at your expense");
  return guards;
}

function exceptFor(platform: string, guard: Handler): Handler {
  return (turn, next) => (turn.event.platform === platform ? next() : guard(turn, next));
}
