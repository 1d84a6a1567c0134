import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, extname, join, sep } from "node:path";
import { ConfigError } from "../errors.ts";

/** Takes a sentence for the operator. */
export type Notice = (sentence: string) => void;

/** The bits of a mode that are for others than the owner. */
const OTHERS = 0o077;

/** At most this many changes are named in one sentence: a store may have hundreds of locks. */
const MAX_NAMED = 8;

/** Makes a folder, and those above it, that only their owner may enter; one that is there stays as it is. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Makes an empty file that only its owner may read, unless something of that name is there. */
export function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It is there; or else the one who writes it meets the same failure, and knows what the file is for.
  }
}

/** A name beside a file that nobody can foresee: what lies in a shared folder under a known name may be a link. */
export function partOf(path: string): string {
  return `${path}.${randomBytes(8).toString("hex")}.part`;
}

/**
 * Gives a finished file its name. A link of that name is never followed. Throws a `ConfigError` if the name is taken,
 * unless `replace` is set.
 */
export function putInPlace(part: string, path: string, { replace }: { readonly replace: boolean }): void {
  if (replace) {
    const there = statOf(path);
    // A rename would put a file in the place of /dev/null.
    if (there && !there.isFile()) throw new Error(`${path} is no file that could be replaced: name another`);
    return renameSync(part, path);
  }
  try {
    // Unlike a rename it fails if the name is taken, however late that happened.
    linkSync(part, path);
    rmSync(part);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || isTaken(path)) throw taken(path);
    // Some file systems know no second name for a file.
    renameSync(part, path);
  }
}

/** Whether something has this name, be it a link that leads nowhere. */
export function isTaken(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The error about a name that is taken. */
export function taken(path: string): ConfigError {
  return new ConfigError("file", `${path} exists already: name another file`);
}

/**
 * Takes away what others may do with a file, with those beside it whose names begin like its own (SQLite's own files,
 * locks, queues), and with its folder if that holds nothing else. Tells of each change, and of what cannot be changed.
 * Windows has no such modes: nothing is done there.
 */
export function closeToOthers(path: string, notice: Notice): void {
  if (process.platform === "win32") return;
  const all = new Set([path, realpathOr(path)].flatMap((one) => [...foldersOf(one), ...filesOf(one)]));
  const changed: string[] = [];
  const failed: string[] = [];
  for (const one of all) {
    const before = statOf(one);
    if (!before || (before.mode & OTHERS) === 0) continue;
    const reason = tighten(one, before);
    if (reason === undefined) changed.push(`${one} ${octal(before)} → ${octal(statOf(one))}`);
    else if (isDangerous(before)) failed.push(`${one} (${octal(before)}: ${reason})`);
  }
  if (changed.length > 0)
    notice(
      `others on this machine could read what is the owner's alone, and cannot any more: ${list(changed)}`,
    );
  if (failed.length > 0)
    notice(
      `others on this machine can get at ${list(failed)}, and that cannot be changed from here: ` +
        "let the user who runs this program own it, or put STORE_URL elsewhere",
    );
}

/** Why it could not be done; undefined if it was. */
function tighten(path: string, { mode, uid }: Stats): string | undefined {
  const own = process.getuid?.();
  if (own !== 0 && uid !== own) return "it belongs to another user";
  try {
    chmodSync(path, mode & 0o7700);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown failure";
  }
  // Some mounted file systems take the wish, and do nothing.
  return ((statOf(path)?.mode ?? 0) & OTHERS) === 0 ? undefined : "the file system keeps no modes";
}

/** A folder that others may only look into does no harm: they cannot read what lies in it. */
function isDangerous(stat: Stats): boolean {
  return stat.isDirectory() ? (stat.mode & 0o022) !== 0 : true;
}

/** The files whose names begin with that of the path, and those in its folder of locks. */
function filesOf(path: string): string[] {
  const [folder, name] = [dirname(path), basename(path)];
  const locks = `${path}.locks`;
  return [
    ...namesIn(folder)
      .filter((one) => one === name || one.startsWith(`${name}-`) || one.startsWith(`${name}.`))
      .map((one) => join(folder, one)),
    ...namesIn(locks).map((one) => join(locks, one)),
  ].filter((one) => one === locks || statOf(one)?.isFile());
}

/** The folder that a file lies in, if it serves nothing else: nobody must be locked out of what is theirs. */
function foldersOf(path: string): string[] {
  const folder = realpathOr(dirname(path));
  const name = basename(path, extname(path));
  const isOurs = (one: string) => one.startsWith(name) && !/^[\p{L}\p{N}]/u.test(one.slice(name.length));
  const isShared = [".", homedir(), tmpdir()].some((one) =>
    `${realpathOr(one)}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`),
  );
  return !isShared && namesIn(folder).every(isOurs) ? [folder] : [];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Of the path itself, not of what a link leads to; undefined for links, and for what is not there. */
function statOf(path: string): Stats | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isSymbolicLink() ? undefined : stat;
}

function realpathOr(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function octal(stat: Stats | undefined): string {
  return ((stat?.mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
}

function list(all: readonly string[]): string {
  const rest = all.length - MAX_NAMED;
  return all.slice(0, MAX_NAMED).join(", ") + (rest > 0 ? `, and ${rest} more` : "");
}
