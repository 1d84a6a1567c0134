import type { Handler, Turn } from "../handler.ts";

/** Answers only the listed users (`platform:user`). Other users are told how to get on the list. */
export function allowOnly(users: ReadonlySet<string>): Handler {
  return (turn, next) => {
    if (isAllowed(users, turn.event)) return next();
    const user = entryOf(turn.event);
    turn.log.info({ user }, "refused a user who is not in ALLOWED_USERS");
    return turn.say("access.refused", { user: `\`${user}\`` });
  };
}

/** Whether the author of an event is on the list. */
export function isAllowed(users: ReadonlySet<string>, event: Turn["event"]): boolean {
  return users.has(entryOf(event));
}

function entryOf({ platform, user }: Turn["event"]): string {
  return `${platform}:${user.id}`;
}
