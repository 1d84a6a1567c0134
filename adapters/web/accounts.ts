import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { type Shelf, shelfKey } from "./shelf.ts";

/** Who may sign in from elsewhere, by what they were given. */
export interface Accounts {
  /** Gives someone a new key: for a personal link, or for programs. Only its hash is kept. */
  add(user: string, kind: KeyKind): Promise<string>;
  /** Whose key this is; undefined if it is nobody's. */
  whose(key: string, kind: KeyKind): Promise<string | undefined>;
  /** Everyone who has a key, by name. */
  list(): Promise<Account[]>;
  /** Takes away all keys and sessions of someone; false if there is no such account. */
  remove(user: string): Promise<boolean>;
  /** Begins a session that lasts until it is ended, or not used for long; resolves with its id. */
  begin(user: string): Promise<string>;
  /** Whose session this is; undefined if it has ended. */
  session(id: string): Promise<string | undefined>;
  end(id: string): Promise<void>;
  /** What cookies are signed with: the same in every process. */
  secret(): Promise<string>;
}

/** A personal link signs a person in; a program names its key with each request. */
export type KeyKind = "link" | "api";

/** Someone who may sign in. */
export interface Account {
  readonly user: string;
  readonly links: number;
  readonly apiKeys: number;
}

/** A session that is not used for so long ends, in ms; whenever half of it is over, it begins anew. */
export const SESSION_MS = 90 * 24 * 3_600_000;

const keyRecord = z.object({ user: z.string() });
const secretRecord = z.object({ secret: z.string() });
const sessionRecord = z.object({ user: z.string(), at: z.number() });

/** Accounts on a shelf. */
export function createAccounts(shelf: Shelf): Accounts {
  let secret: Promise<string> | undefined;

  return {
    add: async (user, kind) => {
      const key = randomBytes(24).toString("base64url");
      await shelf.set(shelfKey(kind, hashOf(key)), { user });
      return key;
    },
    whose: async (key, kind) => keyRecord.safeParse(await shelf.get(shelfKey(kind, hashOf(key)))).data?.user,
    list: async () => {
      const links = await usersOf("link");
      const apiKeys = await usersOf("api");
      const count = (all: readonly (readonly [string, string])[], name: string) =>
        all.filter(([, user]) => user === name).length;
      const names = [...new Set([...links, ...apiKeys].map(([, user]) => user))].sort();
      return names.map((user) => ({ user, links: count(links, user), apiKeys: count(apiKeys, user) }));
    },
    remove: async (user) => {
      let found = false;
      for (const kind of ["link", "api", "session"] as const) {
        for (const [key, owner] of await usersOf(kind)) {
          if (owner !== user) continue;
          found ||= kind !== "session";
          await shelf.delete(key);
        }
      }
      return found;
    },
    begin: async (user) => {
      const id = randomBytes(18).toString("base64url");
      await shelf.set(shelfKey("session", id), { user, at: Date.now() });
      return id;
    },
    session: async (id) => {
      const key = shelfKey("session", id);
      const { data } = sessionRecord.safeParse(await shelf.get(key));
      if (!data) return undefined;
      const age = Date.now() - data.at;
      if (age > SESSION_MS) {
        await shelf.delete(key);
        return undefined;
      }
      if (age > SESSION_MS / 2) await shelf.set(key, { ...data, at: Date.now() });
      return data.user;
    },
    end: (id) => shelf.delete(shelfKey("session", id)),
    secret: async () => {
      secret ??= findSecret();
      try {
        return await secret;
      } catch (error) {
        secret = undefined;
        throw error;
      }
    },
  };

  async function findSecret(): Promise<string> {
    const found = secretRecord.safeParse(await shelf.get("secret")).data;
    if (found) return found.secret;
    // Of processes that write one at the same time only the first succeeds.
    const failed = await shelf
      .set("secret", { revision: 1, secret: randomBytes(32).toString("base64url") })
      .catch((error: unknown) => error);
    const stands = secretRecord.safeParse(await shelf.get("secret")).data;
    if (stands) return stands.secret;
    throw failed;
  }

  /** The keys of the records of one kind, with whose they are. */
  async function usersOf(kind: KeyKind | "session"): Promise<(readonly [string, string])[]> {
    const keys = await shelf.keys(`${kind}:`);
    const found = await shelf.getMany(keys);
    return keys.flatMap((key, index) => {
      const { data } = keyRecord.safeParse(found[index]);
      return data ? [[key, data.user] as const] : [];
    });
  }
}

/** Keys are random and long: their plain hash tells nothing. */
function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url");
}
