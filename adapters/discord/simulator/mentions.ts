/** The `allowed_mentions` of a message: whom it may ping. */
export interface AllowedMentions {
  readonly parse?: readonly string[];
  readonly users?: readonly string[];
  readonly roles?: readonly string[];
}

/** Discord's defaults for a body without `allowed_mentions`: all in channels, users only in interactions and webhooks. */
export const DEFAULT_MENTIONS = {
  channel: { parse: ["everyone", "users", "roles"] },
  webhook: { parse: ["users"] },
} as const;

/**
 * Returns whom a text pings: "@everyone", "@here", ids of users, and "&" with ids of roles. It is stricter than Discord in
 * two ways, so that no bot relies on luck: a mention counts even in code, and "@everyone" even in a DM.
 */
export function pingsOf(content: string, allowed: AllowedMentions): string[] {
  const may = (kind: string) => allowed.parse?.includes(kind) ?? false;
  const everyone = may("everyone") ? content.match(/@(?:everyone|here)/g) : null;
  const people = [...content.matchAll(/<@!?(\d+)>/g)].map((match) => match[1] ?? "");
  const roles = [...content.matchAll(/<@&(\d+)>/g)].map((match) => match[1] ?? "");
  return [
    ...(everyone ?? []),
    ...people.filter((id) => may("users") || allowed.users?.includes(id)),
    ...roles.filter((id) => may("roles") || allowed.roles?.includes(id)).map((id) => `&${id}`),
  ];
}
