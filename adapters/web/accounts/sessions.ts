import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { RecordStore } from "../conversations/record-store.ts";
import { deletePass, lastUse, lastUseKey } from "./last-use.ts";
import { passOf } from "./pass.ts";

/** The sessions of all users who are signed in. */
export interface Sessions {
  /** Begins a session and returns its id, of which the store holds only the hash. */
  begin(user: string, link?: { readonly pass: string }): Promise<string>;
  /** Finds the session with an id; undefined if it does not exist or has ended. */
  find(id: string): Promise<Session | undefined>;
  /** Finds sessions by their passes; undefined for each that is not valid. A session that is no longer valid is ended. */
  findAll(passes: readonly string[]): Promise<readonly (Session | undefined)[]>;
}

/** A user who is signed in. */
export interface Session {
  readonly user: string;
  /** The name of the session in the store; no secret, as it is made from the hash of the id. */
  readonly pass: string;
  /** The `pass` of the link that began the session; absent if the user signed in by name. */
  readonly link?: string | undefined;
}

export interface SessionsOptions {
  /** Whether users may sign in by name. A session that began that way is valid only as long as they may. */
  readonly isOpen: () => Promise<boolean>;
  /** Called for each session that is found to have ended without a sign-out. */
  readonly onEnd?: ((ended: { readonly user: string; readonly why: EndReason }) => void) | undefined;
}

/** Why a session has ended without a sign-out: it was not used for long, or its link was revoked. */
export type EndReason = "expired" | "revoked";

/** How long a session lasts without being used, in ms. Use extends it once half of that time has passed. */
export const SESSION_MS = 90 * 24 * 3_600_000;

const sessionRecord = z.object({
  user: z.string(),
  by: z.enum(["name", "link"]),
  link: z.string().optional(),
  at: z.number(),
});

/** Creates sessions in a record store. A session is valid only as long as the link that began it exists. */
export function createSessions(store: RecordStore, { isOpen, onEnd }: SessionsOptions): Sessions {
  return {
    begin: async (user, link) => {
      const id = randomBytes(18).toString("base64url");
      const by = link ? { by: "link", link: link.pass } : { by: "name" };
      await store.set(passOf("session", id), { user, ...by, at: Date.now() });
      return id;
    },
    find: async (id) => (await findAll([passOf("session", id)]))[0],
    findAll,
  };

  async function findAll(passes: readonly string[]): Promise<(Session | undefined)[]> {
    const found = await store.getMany([...passes, ...passes.map(lastUseKey)]);
    const records = passes.map((_, index) => sessionRecord.safeParse(found[index]).data);
    const links = await store.getMany(records.map((record) => record?.link ?? ""));
    const open = records.some((record) => record?.by === "name") && (await isOpen());
    return Promise.all(
      passes.map(async (pass, index) => {
        const record = records[index];
        if (!record) return undefined;
        const { user, by, link, at } = record;
        const age = Date.now() - (lastUse.safeParse(found[passes.length + index]).data?.at ?? at);
        const isAllowed = by === "name" ? open : links[index] !== undefined;
        if (!isAllowed || age > SESSION_MS) {
          await deletePass(store, pass);
          onEnd?.({ user, why: isAllowed ? "expired" : "revoked" });
          return undefined;
        }
        if (age > SESSION_MS / 2) await store.set(lastUseKey(pass), { at: Date.now() });
        return { user, pass, link };
      }),
    );
  }
}
