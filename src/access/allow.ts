import type { Handler } from "../handler.ts";

/** Lets only the listed people talk, as `platform:user`; everyone else is told how to be put on the list. */
export function allowOnly(users: ReadonlySet<string>): Handler {
  return (turn, next) => {
    const user = `${turn.event.platform}:${turn.event.user.id}`;
    if (users.has(user)) return next();
    turn.log.info({ user }, "refused someone who is not in ALLOWED_USERS");
    return turn.say("access.refused", { user: `\`${user}\`` });
  };
}
