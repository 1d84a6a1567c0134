/** The part of a message body that says whom it may ping. */
export interface AllowedMentions {
  readonly parse?: readonly string[];
  readonly users?: readonly string[];
  readonly roles?: readonly string[];
}

/** What Discord allows when the body says nothing: all in channels, people only in interactions and webhooks. */
export const DEFAULT_MENTIONS = {
  channel: { parse: ["everyone", "users", "roles"] },
  webhook: { parse: ["users"] },
} as const;

/**
 * Whom a text pings: "@everyone", "@here", ids of people, "&" and ids of roles. Stricter than Discord in two
 * places where a bot must not rely on luck: code does not hide a mention, and "@everyone" counts in a DM too.
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
