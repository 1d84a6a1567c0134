import { createHash } from "node:crypto";
import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { z } from "zod";
import { type Accounts, SESSION_MS } from "./accounts.ts";
import { type Described, type Env, Refused } from "./route.ts";

export interface SignInOptions {
  readonly accounts: Accounts;
  /** The names of those who have conversations. */
  readonly users: () => Promise<readonly string[]>;
  /** Where people find the page, if it is not only on this machine. */
  readonly url?: string | undefined;
}

/** Who is at the other end of a request. */
export interface SignIn {
  user(c: Context<Env>): Promise<string | undefined>;
  /** Who is signed in, or how that is done here. */
  state(c: Context<Env>): Promise<z.infer<typeof state>>;
  begin(c: Context<Env>, given: unknown): Promise<z.infer<typeof signedIn>>;
  end(c: Context<Env>): Promise<void>;
}

/** So many tries an address has in a minute: keys are too long to be guessed, but not to be tried. */
const TRIES = 20;

const NAME = z
  .string()
  .trim()
  .min(1, "A name has at least one character.")
  .max(64, "A name has at most 64 characters.")
  .regex(/^[^\p{C}]*$/u, "A name consists of characters that can be seen.");

/** Whether someone may be called so. */
export function isName(text: string): boolean {
  return NAME.safeParse(text).data === text;
}

const given = z.union([z.strictObject({ key: z.string().min(1).max(200) }), z.strictObject({ name: NAME })], {
  error: "A name or a key is needed.",
});

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

/** What `createSignIn` is for, as addresses. */
export const SIGN_IN: readonly Described[] = [
  {
    method: "get",
    path: "/api/session",
    summary: "Who is signed in; otherwise how one signs in here.",
    access: "everyone",
    answer: state,
  },
  {
    method: "post",
    path: "/api/session",
    summary: "Signs in, by the key in a personal link or, where that is enough, by a name; sets a cookie.",
    access: "everyone",
    body: given,
    answer: signedIn,
  },
  { method: "delete", path: "/api/session", summary: "Signs out.", access: "everyone" },
];

/** Signing in by a personal link; by a name only for the operator at this machine. */
export function createSignIn({ accounts, users, url }: SignInOptions): SignIn {
  const tries = new RateLimiterMemory({ points: TRIES, duration: 60 });
  const secure = url?.startsWith("https:") ?? false;

  return {
    user,
    state: async (c) => {
      const name = await user(c);
      if (name !== undefined) return { user: name };
      if (await isOpen(c)) return { signIn: "name", names: [...(await users())] };
      return { signIn: (await isByName(c)) ? "address" : "link" };
    },
    begin: async (c, body) => {
      const parsed = given.safeParse(body);
      if (!parsed.success)
        throw new Refused(400, parsed.error.issues.map(({ message }) => message).join(" "));
      await limit(c);
      const name =
        "key" in parsed.data
          ? await accounts.whose(parsed.data.key, "link")
          : await picked(c, parsed.data.name);
      if (name === undefined)
        throw new Refused(403, "This link is not valid (any more). Ask whoever runs this for a new one.");
      const secret = await accounts.secret();
      await setSignedCookie(c, cookieName(secret), await accounts.begin(name), secret, {
        httpOnly: true,
        sameSite: "Strict",
        secure,
        path: "/",
        maxAge: SESSION_MS / 1000,
      });
      return { user: name };
    },
    end: async (c) => {
      const secret = await accounts.secret();
      const id = await getSignedCookie(c, secret, cookieName(secret));
      if (id) await accounts.end(id);
      deleteCookie(c, cookieName(secret), { path: "/" });
    },
  };

  async function user(c: Context<Env>): Promise<string | undefined> {
    if (!c.req.header("cookie")) return undefined;
    const secret = await accounts.secret();
    const id = await getSignedCookie(c, secret, cookieName(secret));
    return id ? accounts.session(id) : undefined;
  }

  async function limit(c: Context<Env>): Promise<void> {
    await tries.consume(c.env.address ?? "").catch(() => {
      throw new Refused(429, "Too many tries. Please wait a minute.");
    });
  }

  async function picked(c: Context<Env>, name: string): Promise<string> {
    if (await isOpen(c)) return name;
    if (await isByName(c))
      throw new Refused(403, "Open the address that the program printed when it started, and sign in there.");
    throw new Refused(403, "Here one signs in by a personal link. Ask whoever runs this for one.");
  }

  /** Whether a name is enough for the operator at this machine: as long as nobody was given a link. */
  async function isByName({ env }: Context<Env>): Promise<boolean> {
    return env.local !== undefined && url === undefined && (await accounts.list()).length === 0;
  }

  async function isOpen(c: Context<Env>): Promise<boolean> {
    return c.env.local === true && (await isByName(c));
  }
}

/** Browsers do not tell the ports of a machine apart: programs side by side must not take each other's cookies. */
function cookieName(secret: string): string {
  return `colloquy_${createHash("sha256").update(secret).digest("hex").slice(0, 8)}`;
}
