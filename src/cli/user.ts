import { userInfo } from "node:os";
import { z } from "zod";
import { type Accounts, createAccounts, type GivenKey, isName } from "../../adapters/web/index.ts";
import type { Settings } from "../../config/settings.ts";
import { ConfigError } from "../errors.ts";
import type { Log } from "../log.ts";
import { oneLine } from "../sanitize/harmless.ts";
import { openStore } from "../store/store.ts";
import { openRecordStore } from "../program/web-chat.ts";
import { localUrl, logTo, ownSettings, toStderr } from "./surroundings.ts";

/** What `user add` may be told. */
export interface AddFlags {
  readonly api?: true;
  readonly once?: true;
  /** Such as 7d. */
  readonly expires?: string;
}

interface Desk {
  readonly accounts: Accounts;
  readonly settings: Settings;
  /** Writes down what was done, and by whom: never a key. */
  readonly note: (event: string, about: object, message: string) => void;
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const duration = z
  .string()
  .regex(/^[1-9]\d{0,3}[mhd]$/)
  .transform((text) => Number.parseInt(text, 10) * UNITS[text.slice(-1) as keyof typeof UNITS]);

/** `colloquy user add NAME`: lets someone into the web chat, and prints their personal link; or a key for programs. */
export async function addUser(name: string, { api, once, expires }: AddFlags): Promise<void> {
  if (!isName(name)) throw new ConfigError("user", "A name has 1 to 64 characters that can be seen");
  if (api && once) throw new ConfigError("once", "--once is for links: a program names its key every time");
  const until = expires === undefined ? undefined : Date.now() + lengthOf(expires);
  await withAccounts(async ({ accounts, settings, note }) => {
    const kind = api ? "api" : "link";
    const key = await accounts.add(name, kind, { expires: until, once });
    const id = (await accounts.find(key, kind))?.id ?? "";
    const limits = { ...(until !== undefined && { expires: timeOf(until) }), ...(once && { once }) };
    note("key-made", { user: name, kind, id, ...limits }, "someone was given a key to the web chat");
    const isGood = [once && "for one sign-in", until !== undefined && `until ${timeOf(until)}`].filter(
      Boolean,
    );
    const limit = `${isGood.length > 0 ? `It is good ${isGood.join(", ")}. ` : ""}\`colloquy user revoke ${id}\` takes it away.\n`;
    if (api)
      return say(`${key}\n`, `A key for programs that speak as ${name}; it is shown only now. ${limit}`);
    const link = `${(settings.WEB_URL ?? localUrl(settings)).replace(/\/$/, "")}/#key=${key}`;
    const hint = settings.WEB_URL ? "" : "Set WEB_URL where people reach the page at another address.\n";
    say(
      `${link}\n`,
      `The personal link of ${name}: anyone who has it signs in as them. It is shown only now. ${limit}${hint}`,
    );
  });
}

/** `colloquy user list`: who may sign in, and by what. */
export async function listUsers(): Promise<void> {
  await withAccounts(async ({ accounts }) => {
    const all = await accounts.list();
    if (all.length > 0) return say(all.map((key) => `${lineOf(key)}\n`).join(""), "");
    say("", (await accounts.isOpen()) ? OPEN : `Nobody has a personal link. ${CLOSED}`);
  });
}

/** `colloquy user revoke ID`: one link or key, and the sessions that it has begun. */
export async function revokeKey(id: string): Promise<void> {
  await withAccounts(async ({ accounts, note }) => {
    const gone = await accounts.revoke(id);
    if (!gone) throw new ConfigError("id", `There is no link or key ${id}; see colloquy user list`);
    const { user, kind } = gone;
    note("key-revoked", { user, kind, id }, "a key to the web chat was taken away");
    say(
      "",
      `This ${nameOf(gone)} of ${user} is not valid any more, and everyone who signed in by it is signed out.\n`,
    );
    await remind(accounts);
  });
}

/** `colloquy user remove NAME`: their links, keys and sessions end; their conversations stay. */
export async function removeUser(name: string): Promise<void> {
  await withAccounts(async ({ accounts, note }) => {
    if (!(await accounts.remove(name)))
      throw new ConfigError("user", `There is no user ${name}; see colloquy user list`);
    note("user-removed", { user: name }, "all keys of someone to the web chat were taken away");
    say("", `${name} cannot sign in any more. What they said is kept.\n`);
    await remind(accounts);
  });
}

/** `colloquy user reopen`: a name is enough again, as before the first `user add`. */
export async function reopenNames(): Promise<void> {
  await withAccounts(async ({ accounts, note }) => {
    if (!(await accounts.reopen()))
      throw new ConfigError("user", "Someone has a link or a key still; see colloquy user list");
    note("names-reopened", {}, "one signs in to the web chat by any name again");
    say("", OPEN);
  });
}

const OPEN = "Nobody has a personal link; on this machine one signs in to the web chat by any name.\n";
const CLOSED =
  "Nobody can sign in to the web chat now, not even by a name: `colloquy user add NAME` makes a link, and " +
  "`colloquy user reopen` lets any name be enough on this machine.\n";

async function remind(accounts: Accounts): Promise<void> {
  if ((await accounts.list()).length === 0) say("", CLOSED);
}

function lineOf(key: GivenKey): string {
  const { id, user, made, expires, used, once } = key;
  const times = [
    `made ${timeOf(made)}`,
    expires === undefined ? "" : `${expires <= Date.now() ? "expired" : "expires"} ${timeOf(expires)}`,
    once && used === undefined
      ? "good once"
      : `${once ? "used up" : "used"} ${used === undefined ? "never" : timeOf(used)}`,
  ];
  return [id, oneLine(user), nameOf(key), ...times.filter(Boolean)].join("\t");
}

function nameOf({ kind }: GivenKey): string {
  return kind === "link" ? "link" : "key";
}

/** To the minute, in UTC. */
function timeOf(time: number | undefined): string {
  return time === undefined ? "earlier" : `${new Date(time).toISOString().slice(0, 16)}Z`;
}

function lengthOf(text: string): number {
  const { data } = duration.safeParse(text);
  if (data !== undefined) return data;
  throw new ConfigError("expires", `--expires is "${text}": write a time such as 30m, 12h or 7d`);
}

/** What a script may want is on standard output, what people read on the other. */
function say(output: string, remark: string): void {
  process.stdout.write(output);
  process.stderr.write(remark);
}

async function withAccounts(action: (desk: Desk) => Promise<void>): Promise<void> {
  const settings = ownSettings();
  const log = logFor(settings);
  const store = await openStore(settings.STORE_URL, toStderr);
  const note: Desk["note"] = (event, about, message) =>
    log.info({ event, ...about, by: userInfo().username }, message);
  try {
    await action({ accounts: createAccounts(await openRecordStore(store)), settings, note });
  } finally {
    await store.close();
  }
}

/** People at a terminal are told in sentences. */
function logFor(settings: Settings): Log {
  const quiet = process.stderr.isTTY && !process.env["LOG_LEVEL"];
  return logTo(process.stderr, quiet ? { ...settings, LOG_LEVEL: "warn" } : settings);
}
