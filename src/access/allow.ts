import type { Handler, Turn } from "../handler.ts";

/** Lets only the listed people talk, as `platform:user`; everyone else is told how to be put on the list. */
export function allowOnly(users: ReadonlySet<string>): Handler {
  return (turn, next) => {
    if (isAllowed(users, turn.event)) return next();
    const user = entryOf(turn.event);
    turn.log.info({ user }, "refused someone who is not in ALLOWED_USERS");
    return turn.say("access.refused", { user: `\`${user}\`` });
  };
}

/** Whether the one who said it is among the listed people. */
export function isAllowed(users: ReadonlySet<string>, event: Turn["event"]): boolean {
  return users.has(entryOf(event));
}

function entryOf({ platform, user }: Turn["event"]): string {
  return `${platform}:${user.id}`;
}
