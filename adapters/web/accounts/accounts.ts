import type { RecordStore } from "../conversations/record-store.ts";
import { createKeys, type FoundKey, type GivenKey, isApiKey, type Keys } from "./keys.ts";
import { deletePass, LAST_USE_PREFIX } from "./last-use.ts";
import { createSessions, type Session, type SessionsOptions } from "./sessions.ts";
import { createSite } from "./site.ts";

/**
 * Who may sign in, and who is signed in. The store holds only hashes: no one can sign in with what they read there, or in
 * a copy of it.
 */
export interface Accounts extends Pick<Keys, "find" | "use"> {
  /** Makes a new key for a user. From the first key on, no one can sign in by name. */
  readonly add: Keys["add"];
  /** All keys, by the names of their users. */
  list(): Promise<readonly GivenKey[]>;
  /** Revokes a key and ends the sessions that it began; undefined if there is no key with this id. */
  revoke(id: string): Promise<GivenKey | undefined>;
  /** Revokes all keys of a user and ends their sessions; false if the user has no keys. */
  remove(user: string): Promise<boolean>;
  /** Whether users may sign in by name: no key was ever made, or `reopen` was called since. */
  isOpen(): Promise<boolean>;
  /** Allows signing in by name again. Does nothing and resolves with false if any key exists. */
  reopen(): Promise<boolean>;
  /** Begins a session, by a link or by name, and returns its id. */
  begin(user: string, link?: FoundKey): Promise<string>;
  /** Finds the session with an id; undefined if it does not exist or has ended. */
  session(id: string): Promise<Session | undefined>;
  /** The users that sessions and API keys belong to, by `pass`; undefined for each that is not valid. */
  holders(passes: readonly string[]): Promise<readonly (string | undefined)[]>;
  end(session: Session): Promise<void>;
  /** A random name that all processes of the bot share; no secret. */
  site(): Promise<string>;
  /** Deletes what is no longer needed, and secrets that earlier versions stored in the clear. */
  sweep(): Promise<void>;
}

/** Creates accounts in a record store. */
export function createAccounts(store: RecordStore, { onEnd }: Pick<SessionsOptions, "onEnd"> = {}): Accounts {
  const keys = createKeys(store);
  const sessions = createSessions(store, { isOpen, onEnd });

  return {
    add: async (user, kind, limits) => {
      await close();
      return keys.add(user, kind, limits);
    },
    find: (key, kind) => keys.find(key, kind),
    use: (key) => keys.use(key),
    list: async () => (await keys.list()).map(({ pass: _, spent: __, ...given }) => given),
    revoke: async (id) => {
      const found = (await keys.list()).find((key) => key.id === id);
      if (!found) return undefined;
      await deletePass(store, found.pass);
      return found;
    },
    remove: async (user) => {
      const own = (await keys.list()).filter((key) => key.user === user);
      // Earlier versions made keys without closing; once those are gone, nothing else says that there were any.
      if (own.length > 0) await close();
      for (const { pass } of own) await deletePass(store, pass);
      return own.length > 0;
    },
    isOpen,
    reopen: async () => {
      if ((await keys.list()).length > 0) return false;
      // Earlier sessions by name would become valid again.
      for (const pass of await store.keys("session:")) await deletePass(store, pass);
      await store.delete("closed");
      return true;
    },
    begin: (user, link) => sessions.begin(user, link),
    session: (id) => sessions.find(id),
    holders: async (passes) => {
      const found = [
        ...(await keys.findAll(passes.filter(isApiKey))).filter((key) => key && !key.spent),
        ...(await sessions.findAll(passes.filter((pass) => !isApiKey(pass)))),
      ];
      const users = new Map(found.flatMap((one) => (one ? [[one.pass, one.user]] : [])));
      return passes.map((pass) => users.get(pass));
    },
    end: ({ pass }) => deletePass(store, pass),
    site: createSite(store),
    sweep: async () => {
      // Earlier versions signed cookies with it.
      await store.delete("secret");
      // Listed before the keys and sessions, so that the record of a first use that happens meanwhile is not deleted.
      const uses = await store.keys(LAST_USE_PREFIX);
      const begun = await store.keys("session:");
      const valid = [...(await keys.list()), ...(await sessions.findAll(begun))];
      const passes = new Set(valid.map((one) => one?.pass));
      for (const pass of begun) if (!passes.has(pass)) await deletePass(store, pass);
      for (const use of uses) if (!passes.has(use.slice(LAST_USE_PREFIX.length))) await store.delete(use);
    },
  };

  function close(): Promise<void> {
    return store.set("closed", { at: Date.now() });
  }

  async function isOpen(): Promise<boolean> {
    if ((await store.get("closed")) !== undefined) return false;
    // Earlier versions made keys without closing.
    return !(await keys.exist());
  }
}
