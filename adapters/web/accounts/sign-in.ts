import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import type { RequestEnv, Operation } from "../api/route.ts";
import type { SecurityLog } from "../api/security.ts";
import { Refused, tooManyTries } from "../refused.ts";
import type { Accounts } from "./accounts.ts";
import type { FoundKey } from "./keys.ts";
import { type Session, SESSION_MS } from "./sessions.ts";
import type { Watch } from "./watch.ts";

export interface SignInOptions {
  readonly accounts: Accounts;
  /** The names of all users who have conversations. */
  readonly users: () => Promise<readonly string[]>;
  /** The public address of the page; absent if it is reachable only on this machine. */
  readonly url?: string | undefined;
  readonly watch: Watch;
  readonly security: SecurityLog;
}

/** Signing in and out, by a cookie. */
export interface SignIn {
  /** The session of a request; undefined if the request has none that is valid. */
  session(c: Context<RequestEnv>): Promise<Session | undefined>;
  /** Who is signed in, or how to sign in here. */
  state(c: Context<RequestEnv>): Promise<z.infer<typeof state>>;
  /** Begins a session with what the user has given: a key or a name. Rejects with a `Refused` if that is not valid. */
  begin(c: Context<RequestEnv>, given: unknown): Promise<z.infer<typeof signedIn>>;
  /** Ends the session of a request. */
  end(c: Context<RequestEnv>): Promise<void>;
}

const NAME = z
  .string()
  .trim()
  .min(1, "A name must have at least one character.")
  .max(64, "A name must have at most 64 characters.")
  .regex(/^[^\p{C}]*$/u, "A name must consist of visible characters.");

/** Whether a text is a valid name of a user. */
export function isName(text: string): boolean {
  return NAME.safeParse(text).data === text;
}

const switches = z
  .boolean()
  .optional()
  .describe("Sign in although somebody else is signed in here, who is signed out by that.");
const given = z.union(
  [
    z.strictObject({ key: z.string().min(1).max(200), switch: switches }),
    z.strictObject({ name: NAME, switch: switches }),
  ],
  { error: "A name or a key is needed." },
);

const signedIn = z.object({ user: z.string() });
const state = z.union([
  signedIn,
  z.object({ signIn: z.literal("name"), names: z.array(z.string()).describe("Who was here before.") }),
  z.object({
    signIn: z
      .literal("address")
      .describe("By a name, but only at the address that the program printed, as a token stands in it."),
  }),
  z.object({ signIn: z.literal("link") }),
]);
const notSignedIn = z.object({
  error: z.string().describe("What went wrong, and what to do."),
  user: z.string().optional().describe("With 409: who is signed in; nothing has changed."),
  other: z.string().optional().describe("With 409: who would be signed in with `switch`."),
});

/** The API operations of a `SignIn`. */
export const SIGN_IN: readonly Operation[] = [
  {
    method: "get",
    path: "/api/session",
    summary: "Who is signed in; otherwise how one signs in here.",
    access: "everyone",
    response: state,
  },
  {
    method: "post",
    path: "/api/session",
    summary:
      "Signs in, by the key in a personal link or, where that is enough, by a name; sets a cookie. While somebody else " +
      "is signed in: only with `switch`, else 409.",
    access: "everyone",
    body: given,
    response: signedIn,
    failure: notSignedIn,
  },
  { method: "delete", path: "/api/session", summary: "Signs out.", access: "everyone" },
];

/** Creates the sign-in: by a personal link, or, for the operator on this machine, by name. */
export function createSignIn({ accounts, users, url, watch, security }: SignInOptions): SignIn {
  const secure = url?.startsWith("https:") ?? false;

  return {
    session,
    state: async (c) => {
      const found = await session(c);
      if (found) return { user: found.user };
      if (await isOperator(c)) return { signIn: "name", names: [...(await users())] };
      return { signIn: (await isByName(c)) ? "address" : "link" };
    },
    begin: async (c, body) => {
      const parsed = given.safeParse(body);
      if (!parsed.success)
        throw new Refused(400, parsed.error.issues.map(({ message }) => message).join(" "));
      const current = await session(c);
      const link = "key" in parsed.data ? await linkOf(c, parsed.data.key, current) : undefined;
      const user = "name" in parsed.data ? await checkName(c, parsed.data.name) : (link?.user ?? "");
      if (current && current.user !== user && !parsed.data.switch) throw askFirst(c, current.user, user);
      // A user who opens their own link again is already signed in; that does not use the link up.
      if (current && current.user === user && current.link === link?.pass) return { user };
      if (link && !(await accounts.use(link))) throw await refused(c, { user, why: "used" });
      await setSession(c, await accounts.begin(user, link));
      if (current) await endSession(current);
      const about = { user, address: c.env.address, how: link ? "link" : "name", link: link?.id };
      if (current && current.user !== user)
        security.note("account-switched", { ...about, from: current.user });
      else security.note("sign-in", about);
      return { user };
    },
    end: async (c) => {
      const found = await session(c);
      deleteCookie(c, await cookieName(), { path: "/", secure });
      if (!found) return;
      await endSession(found);
      security.note("sign-out", { user: found.user, address: c.env.address });
    },
  };

  async function session(c: Context<RequestEnv>): Promise<Session | undefined> {
    if (!c.req.header("cookie")) return undefined;
    const id = getCookie(c, await cookieName());
    return id ? accounts.session(id) : undefined;
  }

  async function setSession(c: Context<RequestEnv>, id: string): Promise<void> {
    setCookie(c, await cookieName(), id, {
      httpOnly: true,
      sameSite: "Strict",
      secure,
      path: "/",
      maxAge: SESSION_MS / 1000,
    });
  }

  /** Ends a session, and the connections of all pages that are open in it. */
  async function endSession(session: Session): Promise<void> {
    await accounts.end(session);
    watch.end(session.pass);
  }

  /** An attacker could send their own link to a user, who would then go on writing in the attacker's account. */
  function askFirst(c: Context<RequestEnv>, user: string, other: string): Refused {
    security.note("switch-asked", { user, other, address: c.env.address });
    return new Refused(409, `You are signed in as ${user}, and this would sign you in as ${other}.`, {
      more: { user, other },
    });
  }

  async function linkOf(
    c: Context<RequestEnv>,
    key: string,
    current: Session | undefined,
  ): Promise<FoundKey> {
    const link = await accounts.find(key, "link");
    if (link && (link.pass === current?.link || !link.spent)) return link;
    throw await refused(c, { user: link?.user, why: link?.spent ?? "unknown" });
  }

  async function refused(
    c: Context<RequestEnv>,
    about: { user: string | undefined; why: string },
  ): Promise<Refused> {
    const { address } = c.env;
    if (await security.failed("sign-in-refused", { ...about, address, how: "link" })) return tooManyTries();
    return new Refused(403, "This link is not valid or no longer valid. Ask the operator for a new one.");
  }

  async function checkName(c: Context<RequestEnv>, name: string): Promise<string> {
    if (await isOperator(c)) return name;
    const byName = await isByName(c);
    const about = { user: name, address: c.env.address, how: "name", why: byName ? "token" : "link" };
    if (await security.failed("sign-in-refused", about)) throw tooManyTries();
    throw new Refused(
      403,
      byName
        ? "Open the address that the program printed when it started and sign in there."
        : "You need a personal link to sign in here. Ask the operator for one.",
    );
  }

  /** Whether the operator on this machine may sign in by name: they may as long as no key was ever made. */
  async function isByName({ env }: Context<RequestEnv>): Promise<boolean> {
    return env.local !== undefined && url === undefined && (await accounts.isOpen());
  }

  async function isOperator(c: Context<RequestEnv>): Promise<boolean> {
    return c.env.local === true && (await isByName(c));
  }

  /**
   * The site's name keeps programs on the same machine from overwriting each other's cookies, as cookies do not depend on
   * the port. With TLS, the `__Host-` prefix keeps out cookies that another host of the domain sets, or a connection
   * without TLS.
   */
  async function cookieName(): Promise<string> {
    return `${secure ? "__Host-" : ""}colloquy_${await accounts.site()}`;
  }
}
