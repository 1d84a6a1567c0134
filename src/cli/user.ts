import { userInfo } from "node:os";
import { z } from "zod";
import { type Accounts, createAccounts, type GivenKey, isName } from "../../adapters/web/index.ts";
import type { Settings } from "../../config/settings.ts";
import { ConfigError } from "../errors.ts";
import type { Log } from "../log.ts";
import { oneLine } from "../sanitize/harmless.ts";
import { openStore } from "../store/store.ts";
import { openRecordStore } from "../program/web-chat.ts";
import { localUrl, logTo, ownSettings, toStderr } from "./environment.ts";

/** The options of `colloquy user add`. */
export interface AddFlags {
  readonly api?: true;
  readonly once?: true;
  /** A duration such as 7d. */
  readonly expires?: string;
}

/** What the commands work with. */
interface Desk {
  readonly accounts: Accounts;
  readonly settings: Settings;
  /** Logs what was done, and by whom. Must not receive a key. */
  readonly note: (event: string, about: object, message: string) => void;
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const duration = z
  .string()
  .regex(/^[1-9]\d{0,3}[mhd]$/)
  .transform((text) => Number.parseInt(text, 10) * UNITS[text.slice(-1) as keyof typeof UNITS]);

/** `colloquy user add NAME`: creates and prints a personal link to the web chat, or with `--api` a key for programs. */
export async function addUser(name: string, { api, once, expires }: AddFlags): Promise<void> {
  if (!isName(name)) throw new ConfigError("user", "A name must have 1 to 64 visible characters");
  if (api && once)
    throw new ConfigError("once", "--once is for links only: a program sends its key with every request");
  const until = expires === undefined ? undefined : Date.now() + parseDuration(expires);
  await withAccounts(async ({ accounts, settings, note }) => {
    const kind = api ? "api" : "link";
    const key = await accounts.add(name, kind, { expires: until, once });
    const id = (await accounts.find(key, kind))?.id ?? "";
    const limits = { ...(until !== undefined && { expires: timeOf(until) }), ...(once && { once }) };
    note("key-made", { user: name, kind, id, ...limits }, "a user was given a key to the web chat");
    const valid = [once && "for one sign-in", until !== undefined && `until ${timeOf(until)}`].filter(
      Boolean,
    );
    const limit = `${valid.length > 0 ? `It is valid ${valid.join(", ")}. ` : ""}To revoke it, run \`colloquy user revoke ${id}\`.\n`;
    if (api)
      return say(`${key}\n`, `This key lets a program act as ${name}. It is not shown again. ${limit}`);
    const link = `${(settings.WEB_URL ?? localUrl(settings)).replace(/\/$/, "")}/#key=${key}`;
    const hint = settings.WEB_URL ? "" : "If people open the page at another address, set WEB_URL.\n";
    say(
      `${link}\n`,
      `This is the personal link of ${name}: anyone who has it can sign in as them. It is not shown again. ${limit}${hint}`,
    );
  });
}

/** `colloquy user list`: lists all links and keys. */
export async function listUsers(): Promise<void> {
  await withAccounts(async ({ accounts }) => {
    const all = await accounts.list();
    if (all.length > 0) return say(all.map((key) => `${lineOf(key)}\n`).join(""), "");
    say("", (await accounts.isOpen()) ? OPEN : `There are no personal links. ${CLOSED}`);
  });
}

/** `colloquy user revoke ID`: revokes a link or key, and ends the sessions that it has started. */
export async function revokeKey(id: string): Promise<void> {
  await withAccounts(async ({ accounts, note }) => {
    const gone = await accounts.revoke(id);
    if (!gone) throw new ConfigError("id", `There is no link or key ${id}: run colloquy user list`);
    const { user, kind } = gone;
    note("key-revoked", { user, kind, id }, "a key to the web chat was revoked");
    say(
      "",
      `This ${nameOf(gone)} of ${user} is revoked, and everyone who signed in with it is signed out.\n`,
    );
    await warnIfClosed(accounts);
  });
}

/** `colloquy user remove NAME`: revokes a user's links and keys and ends their sessions; their conversations are kept. */
export async function removeUser(name: string): Promise<void> {
  await withAccounts(async ({ accounts, note }) => {
    if (!(await accounts.remove(name)))
      throw new ConfigError("user", `There is no user ${name}: run colloquy user list`);
    note("user-removed", { user: name }, "all keys of a user to the web chat were revoked");
    say("", `${name} can no longer sign in. Their conversations are kept.\n`);
    await warnIfClosed(accounts);
  });
}

/** `colloquy user reopen`: allows signing in with any name again, as before the first `user add`. */
export async function reopenNames(): Promise<void> {
  await withAccounts(async ({ accounts, note }) => {
    if (!(await accounts.reopen()))
      throw new ConfigError("user", "There are links or keys that are not revoked: run colloquy user list");
    note("names-reopened", {}, "people can sign in to the web chat with any name again");
    say("", OPEN);
  });
}

const OPEN = "There are no personal links: on this machine, people sign in to the web chat with any name.\n";
const CLOSED =
  "No one can sign in to the web chat now, not even with a name. Run `colloquy user add NAME` to create a link, or " +
  "`colloquy user reopen` to allow any name on this machine.\n";

async function warnIfClosed(accounts: Accounts): Promise<void> {
  if ((await accounts.list()).length === 0) say("", CLOSED);
}

function lineOf(key: GivenKey): string {
  const { id, user, made, expires, used, once } = key;
  const times = [
    `made ${timeOf(made)}`,
    expires === undefined ? "" : `${expires <= Date.now() ? "expired" : "expires"} ${timeOf(expires)}`,
    once && used === undefined
      ? "valid once"
      : `${once ? "used up" : "used"} ${used === undefined ? "never" : timeOf(used)}`,
  ];
  return [id, oneLine(user), nameOf(key), ...times.filter(Boolean)].join("\t");
}

function nameOf({ kind }: GivenKey): string {
  return kind === "link" ? "link" : "key";
}

/** A time to the minute, in UTC. */
function timeOf(time: number | undefined): string {
  return time === undefined ? "earlier" : `${new Date(time).toISOString().slice(0, 16)}Z`;
}

function parseDuration(text: string): number {
  const { data } = duration.safeParse(text);
  if (data !== undefined) return data;
  throw new ConfigError("expires", `--expires is "${text}": write a time such as 30m, 12h or 7d`);
}

/** Writes results for scripts to standard output, and remarks for people to standard error. */
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

/** At a terminal the log is quiet, because the commands print sentences. */
function logFor(settings: Settings): Log {
  const quiet = process.stderr.isTTY && !process.env["LOG_LEVEL"];
  return logTo(process.stderr, quiet ? { ...settings, LOG_LEVEL: "warn" } : settings);
}
