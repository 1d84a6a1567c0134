import { randomBytes, randomUUID } from "node:crypto";
import { z } from "zod";
import { StoreError } from "../../../src/errors.ts";
import type { RecordStore } from "../conversations/record-store.ts";
import { lastUse, lastUseKey } from "./last-use.ts";
import { idOf, passOf } from "./pass.ts";

/** The keys of all users: personal links, and keys for programs. */
export interface Keys {
  /** Makes a new key for a user and returns it. The store holds only its hash. */
  add(user: string, kind: KeyKind, limits?: KeyLimits): Promise<string>;
  /** Finds a key. Undefined if it does not exist or was revoked; one that has expired or is used up has `spent` set. */
  find(key: string, kind: KeyKind): Promise<FoundKey | undefined>;
  /** Finds keys by their passes; undefined for each that does not exist. */
  findAll(passes: readonly string[]): Promise<readonly (FoundKey | undefined)[]>;
  /** Records that a key is used. Resolves with false if it was valid for a single use and has been used already. */
  use(key: FoundKey): Promise<boolean>;
  /** All keys, by the names of their users, oldest first. */
  list(): Promise<readonly FoundKey[]>;
  /** Whether any key exists. */
  exist(): Promise<boolean>;
}

/** A personal link signs a user in. A program sends its API key with each request. */
export type KeyKind = "link" | "api";

/** How long, and how often, a key is valid. */
export interface KeyLimits {
  /** In ms since the epoch. A link that has expired signs no one in; sessions that it began remain valid. */
  readonly expires?: number | undefined;
  /** The key is valid for a single sign-in. */
  readonly once?: boolean | undefined;
}

/** A key as the operator sees it, without its secret. Times are in ms since the epoch. */
export interface GivenKey extends KeyLimits {
  /** Identifies the key; not a part of it. */
  readonly id: string;
  readonly user: string;
  readonly kind: KeyKind;
  /** Absent for keys that earlier versions have made. */
  readonly made?: number | undefined;
  /** When it was last used, to the minute. */
  readonly used?: number | undefined;
}

/** A key as the store knows it. */
export interface FoundKey extends GivenKey {
  /** Its name in the store; no secret. */
  readonly pass: string;
  /** Why it is no longer valid; absent if it is valid. */
  readonly spent?: "expired" | "used";
}

/** How often the last use of a key is written at most, in ms. A program may use its key many times a second. */
const USE_INTERVAL_MS = 60_000;

const KINDS = ["link", "api"] as const;

const keyRecord = z.object({
  user: z.string(),
  at: z.number().optional(),
  expires: z.number().optional(),
  once: z.boolean().optional(),
});

/** Whether a pass is that of an API key. */
export function isApiKey(pass: string): boolean {
  return pass.startsWith("api:");
}

/** Creates keys in a record store. A key is written once and never again; see `lastUseKey`. */
export function createKeys(store: RecordStore): Keys {
  let claiming: Promise<unknown> = Promise.resolve();
  return {
    add: async (user, kind, { expires, once } = {}) => {
      const key = randomBytes(24).toString("base64url");
      const limits = { ...(expires !== undefined && { expires }), ...(once && { once }) };
      await store.set(passOf(kind, key), { user, at: Date.now(), ...limits });
      return key;
    },
    find: async (key, kind) => (await findAll([passOf(kind, key)]))[0],
    findAll,
    use: async ({ pass, once, used = 0 }) => {
      if (once) return claim(lastUseKey(pass));
      if (Date.now() - used > USE_INTERVAL_MS) await store.set(lastUseKey(pass), { at: Date.now() });
      return true;
    },
    list: async () => {
      const passes = (await Promise.all(KINDS.map((kind) => store.keys(`${kind}:`)))).flat();
      const found = (await findAll(passes)).flatMap((key) => key ?? []);
      return found.sort((a, b) => compare(a.user, b.user) || (a.made ?? 0) - (b.made ?? 0));
    },
    exist: async () => {
      for (const kind of KINDS) if ((await store.keys(`${kind}:`)).length > 0) return true;
      return false;
    },
  };

  async function findAll(passes: readonly string[]): Promise<(FoundKey | undefined)[]> {
    const found = await store.getMany([...passes, ...passes.map(lastUseKey)]);
    return passes.map((pass, index) => {
      const { data } = keyRecord.safeParse(found[index]);
      if (!data) return undefined;
      const { user, at: made, expires, once } = data;
      const used = lastUse.safeParse(found[passes.length + index]).data?.at;
      const kind = isApiKey(pass) ? "api" : "link";
      const isExpired = expires !== undefined && Date.now() >= expires;
      const spent = isExpired ? "expired" : once && used !== undefined ? "used" : undefined;
      return { id: idOf(pass), user, kind, pass, made, expires, once, used, ...(spent && { spent }) };
    });
  }

  /** Succeeds for only one of several callers that claim a key at once, in this process and in all others. */
  function claim(key: string): Promise<boolean> {
    const result = claiming.then(async () => {
      if ((await store.get(key)) !== undefined) return false;
      try {
        // A store that several processes share refuses a second record of the same revision.
        await store.set(key, { revision: 1, at: Date.now(), by: randomUUID() });
        return true;
      } catch (error) {
        if (error instanceof StoreError && error.code === "superseded") return false;
        throw error;
      }
    });
    claiming = result.catch(() => undefined);
    return result;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
