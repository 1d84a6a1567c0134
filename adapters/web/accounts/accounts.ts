import { createHash, randomBytes, randomUUID } from "node:crypto";
import { z } from "zod";
import { StoreError } from "../../../src/errors.ts";
import { type Shelf, shelfKey } from "../conversations/shelf.ts";

/**
 * Who may sign in from elsewhere, by what they were given, and who is signed in. The store keeps hashes alone: anyone who
 * reads it, or a copy of it, comes in with nothing that stands there.
 */
export interface Accounts {
  /** Gives someone a new key. From the first one on nobody signs in by a name. */
  add(user: string, kind: KeyKind, limits?: KeyLimits): Promise<string>;
  /** Undefined if it is nobody's key (any more); one that is expired or used up says so. */
  find(key: string, kind: KeyKind): Promise<FoundKey | undefined>;
  /** Notes that a key is used; false if it was good for one use, and that was another. */
  use(key: FoundKey): Promise<boolean>;
  /** Every key, by the name of whose it is. */
  list(): Promise<readonly GivenKey[]>;
  /** Takes a key away, and with it the sessions that it has begun; undefined if there is none of this id. */
  revoke(id: string): Promise<GivenKey | undefined>;
  /** Takes away all keys of someone, and with them their sessions; false if there is no such account. */
  remove(user: string): Promise<boolean>;
  /** Whether nobody was ever given a key (or `reopen` was called since), so that a name may be enough. */
  isOpen(): Promise<boolean>;
  /** Lets names be enough again; false, and nothing is done, as long as anyone has a key. */
  reopen(): Promise<boolean>;
  /** Begins a session, by a link or else by name; resolves with its id, which the store never holds. */
  begin(user: string, link?: FoundKey): Promise<string>;
  /** Undefined if there is no such session (any more). */
  session(id: string): Promise<Session | undefined>;
  /** Whose sessions and API keys these are, by their `pass`; undefined for each that is not valid any more. */
  holders(passes: readonly string[]): Promise<readonly (string | undefined)[]>;
  end(session: Session): Promise<void>;
  /** A random name for all processes of the bot together; no secret. */
  site(): Promise<string>;
  /** Takes away what is of no use any more, and what earlier versions have kept in the clear. */
  sweep(): Promise<void>;
}

export interface AccountsOptions {
  /** Told of each session that is found to have ended by itself: because it was not used for long, or by `revoke`. */
  readonly onEnd?: (ended: { readonly user: string; readonly why: EndReason }) => void;
}

/** Why a session has ended other than by signing out. */
export type EndReason = "expired" | "revoked";

/** A personal link signs a person in; a program names its key with each request. */
export type KeyKind = "link" | "api";

/** How long, and how often, a key is good. */
export interface KeyLimits {
  /** In ms since the epoch. A link signs nobody in from then on; who is signed in stays so. */
  readonly expires?: number | undefined;
  /** It is good for a single sign-in. */
  readonly once?: boolean | undefined;
}

/** A key that someone was given, without what is secret of it. Times are in ms since the epoch. */
export interface GivenKey extends KeyLimits {
  /** By which it is told from others; no part of the key. */
  readonly id: string;
  readonly user: string;
  readonly kind: KeyKind;
  /** Unknown of keys that earlier versions have made. */
  readonly made?: number | undefined;
  /** When it was last used, to the minute. */
  readonly used?: number | undefined;
}

/** A key that someone has shown. */
export interface FoundKey extends GivenKey {
  /** Its name in the store; no secret. */
  readonly pass: string;
  /** Why it is not good any more; absent if it is. */
  readonly spent?: "expired" | "used";
}

/** Someone who is signed in. */
export interface Session {
  readonly user: string;
  /** The name of the session in the store; no secret, as it is made of the id's hash. */
  readonly pass: string;
  /** The `pass` of the link that has begun it; absent if a name was enough. */
  readonly link?: string | undefined;
}

/** How long a session lasts that is not used, in ms; once half of it is over, the next use begins it anew. */
export const SESSION_MS = 90 * 24 * 3_600_000;

/** The least time between two notes of when a key was used, in ms: a program may name it many times a second. */
const USED_MS = 60_000;

const keyRecord = z.object({
  user: z.string(),
  at: z.number().optional(),
  expires: z.number().optional(),
  once: z.boolean().optional(),
});
const sessionRecord = z.object({
  user: z.string(),
  by: z.enum(["name", "link"]),
  link: z.string().optional(),
  at: z.number(),
});
const timeRecord = z.object({ at: z.number() });
const siteRecord = z.object({ site: z.string() });

const KINDS = ["link", "api"] as const;

/**
 * Accounts on a shelf. What may be taken away at any moment, a key or a session, is written once and never again:
 * a process that wrote it anew, because it was used, could bring back what another process has taken away meanwhile. So times
 * of use are records of their own; and a session lives only as long as the link that has begun it.
 */
export function createAccounts(shelf: Shelf, { onEnd }: AccountsOptions = {}): Accounts {
  let site: Promise<string> | undefined;
  let claiming: Promise<unknown> = Promise.resolve();

  return {
    add: async (user, kind, { expires, once } = {}) => {
      await shelf.set("closed", { at: Date.now() });
      const key = randomBytes(24).toString("base64url");
      const limits = { ...(expires !== undefined && { expires }), ...(once && { once }) };
      await shelf.set(shelfKey(kind, hashOf(key)), { user, at: Date.now(), ...limits });
      return key;
    },
    find: async (key, kind) => (await read([shelfKey(kind, hashOf(key))]))[0],
    use: async ({ pass, once, used = 0 }) => {
      if (once) return claim(usedKey(pass));
      if (Date.now() - used > USED_MS) await shelf.set(usedKey(pass), { at: Date.now() });
      return true;
    },
    list: async () => (await all()).map(({ pass: _, spent: __, ...given }) => given),
    revoke: async (id) => {
      const [found] = (await all()).filter((one) => one.id === id);
      if (!found) return undefined;
      await forget(found.pass);
      return found;
    },
    remove: async (user) => {
      const own = (await all()).filter((one) => one.user === user);
      // Keys that an earlier version has made say nothing of it once they are gone.
      if (own.length > 0) await shelf.set("closed", { at: Date.now() });
      for (const { pass } of own) await forget(pass);
      return own.length > 0;
    },
    isOpen,
    reopen: async () => {
      if ((await all()).length > 0) return false;
      // Sessions by name from before would be good again.
      for (const pass of await shelf.keys("session:")) await forget(pass);
      await shelf.delete("closed");
      return true;
    },
    begin: async (user, link) => {
      const id = randomBytes(18).toString("base64url");
      const by = link ? { by: "link", link: link.pass } : { by: "name" };
      await shelf.set(shelfKey("session", hashOf(id)), { user, ...by, at: Date.now() });
      return id;
    },
    session: async (id) => (await sessions([shelfKey("session", hashOf(id))]))[0],
    holders: async (passes) => {
      const isKey = (pass: string) => pass.startsWith("api:");
      const keys = await read(passes.filter(isKey));
      const found = [
        ...keys.filter((key) => key && !key.spent),
        ...(await sessions(passes.filter((pass) => !isKey(pass)))),
      ];
      const users = new Map(found.flatMap((one) => (one ? [[one.pass, one.user]] : [])));
      return passes.map((pass) => users.get(pass));
    },
    end: ({ pass }) => forget(pass),
    site: async () => {
      site ??= findSite();
      try {
        return await site;
      } catch (error) {
        site = undefined;
        throw error;
      }
    },
    sweep: async () => {
      // Earlier versions signed cookies with it.
      await shelf.delete("secret");
      // Before what they belong to is listed: what is used for the first time meanwhile must not be forgotten.
      const uses = await shelf.keys("used:");
      const begun = await shelf.keys("session:");
      const living = new Set([...(await all()), ...(await sessions(begun))].map((one) => one?.pass));
      for (const pass of begun) if (!living.has(pass)) await forget(pass);
      for (const use of uses) if (!living.has(use.slice(usedKey("").length))) await shelf.delete(use);
    },
  };

  /** Of several that claim a key at once only the first succeeds, here and in every other process. */
  function claim(key: string): Promise<boolean> {
    const result = claiming.then(async () => {
      if ((await shelf.get(key)) !== undefined) return false;
      try {
        // Where other processes serve people too, the store refuses another record of the same revision.
        await shelf.set(key, { revision: 1, at: Date.now(), by: randomUUID() });
        return true;
      } catch (error) {
        if (error instanceof StoreError && error.code === "superseded") return false;
        throw error;
      }
    });
    claiming = result.catch(() => undefined);
    return result;
  }

  async function isOpen(): Promise<boolean> {
    if ((await shelf.get("closed")) !== undefined) return false;
    // An earlier version may have given someone a key without saying so.
    for (const kind of KINDS) if ((await shelf.keys(`${kind}:`)).length > 0) return false;
    return true;
  }

  async function all(): Promise<FoundKey[]> {
    const passes = (await Promise.all(KINDS.map((kind) => shelf.keys(`${kind}:`)))).flat();
    const found = (await read(passes)).flatMap((one) => one ?? []);
    return found.sort((a, b) => compare(a.user, b.user) || (a.made ?? 0) - (b.made ?? 0));
  }

  /** The keys of these names. */
  async function read(passes: readonly string[]): Promise<(FoundKey | undefined)[]> {
    const found = await shelf.getMany([...passes, ...passes.map(usedKey)]);
    return passes.map((pass, index) => {
      const { data } = keyRecord.safeParse(found[index]);
      if (!data) return undefined;
      const { user, at: made, expires, once } = data;
      const used = timeRecord.safeParse(found[passes.length + index]).data?.at;
      const kind = pass.startsWith("api:") ? "api" : "link";
      const isOver = expires !== undefined && Date.now() >= expires;
      const spent = isOver ? "expired" : once && used !== undefined ? "used" : undefined;
      return { id: idOf(pass), user, kind, pass, made, expires, once, used, ...(spent && { spent }) };
    });
  }

  async function forget(pass: string): Promise<void> {
    await shelf.delete(pass);
    await shelf.delete(usedKey(pass));
  }

  /** The sessions of these names that are valid; the others are ended. */
  async function sessions(passes: readonly string[]): Promise<(Session | undefined)[]> {
    const found = await shelf.getMany([...passes, ...passes.map(usedKey)]);
    const records = passes.map((_, index) => sessionRecord.safeParse(found[index]).data);
    const links = await shelf.getMany(records.map((record) => record?.link ?? ""));
    const open = records.some((record) => record?.by === "name") && (await isOpen());
    return Promise.all(
      passes.map(async (pass, index) => {
        const record = records[index];
        if (!record) return undefined;
        const { user, by, link, at } = record;
        const age = Date.now() - (timeRecord.safeParse(found[passes.length + index]).data?.at ?? at);
        const stands = by === "name" ? open : links[index] !== undefined;
        if (!stands || age > SESSION_MS) {
          await forget(pass);
          onEnd?.({ user, why: stands ? "expired" : "revoked" });
          return undefined;
        }
        if (age > SESSION_MS / 2) await shelf.set(usedKey(pass), { at: Date.now() });
        return { user, pass, link };
      }),
    );
  }

  async function findSite(): Promise<string> {
    const found = siteRecord.safeParse(await shelf.get("site")).data;
    if (found) return found.site;
    // Of processes that write one at the same time only the first succeeds.
    const failed = await shelf
      .set("site", { revision: 1, site: randomBytes(6).toString("hex") })
      .catch((error: unknown) => error);
    const stands = siteRecord.safeParse(await shelf.get("site")).data;
    if (stands) return stands.site;
    throw failed;
  }
}

/** Keys and ids are random and long: their plain hash tells nothing. */
function hashOf(key: string): string {
  return createHash("sha256").update(key).digest("base64url");
}

/** Short enough to be typed, and never like an option of the command line. */
function idOf(pass: string): string {
  return createHash("sha256").update(pass).digest("hex").slice(0, 8);
}

/** Where it stands when a key or a session was last used. */
function usedKey(pass: string): string {
  return `used:${pass}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
