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

/** Receives a sentence for the operator. */
export type Notice = (sentence: string) => void;

/** The permission bits for group and others. */
const OTHERS = 0o077;

/** The maximum number of files named in one notice; a store may have hundreds of locks. */
const MAX_NAMED = 8;

/** Creates a folder, and missing ones above it, that only the owner may enter; existing ones are not changed. */
export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Creates an empty file that only its owner may read, unless the name is taken. */
export function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // The file exists; or the caller gets the same error when it writes, and knows what the file is for.
  }
}

/** An unpredictable name beside a file: in a shared folder, a predictable one could be a link made by another user. */
export function partOf(path: string): string {
  return `${path}.${randomBytes(8).toString("hex")}.part`;
}

/**
 * Moves a finished file to its name. A link with that name is never followed. Throws a `ConfigError` if the name is
 * taken, unless `replace` is set.
 */
export function putInPlace(part: string, path: string, { replace }: { readonly replace: boolean }): void {
  if (replace) {
    const existing = statOf(path);
    // A rename would replace even /dev/null.
    if (existing && !existing.isFile())
      throw new Error(`${path} is not a regular file and cannot be replaced: name another file`);
    return renameSync(part, path);
  }
  try {
    // Unlike a rename, this fails if the name is taken, even if that has just happened.
    linkSync(part, path);
    rmSync(part);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || isTaken(path)) throw taken(path);
    // Some file systems have no hard links.
    renameSync(part, path);
  }
}

/** Whether a name is taken, even by a dangling link. */
export function isTaken(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The error for a name that is taken. */
export function taken(path: string): ConfigError {
  return new ConfigError("file", `${path} already exists: name another file`);
}

/**
 * Removes the permissions of other users on a file, on the files beside it whose names begin with its name (SQLite's own
 * files, locks, queues), and on its folder if that contains nothing else. Reports each change and each failure to
 * `notice`. Does nothing on Windows, which has no such permissions.
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
    notice(`other users of this machine could read private files; this was corrected: ${list(changed)}`);
  if (failed.length > 0)
    notice(
      `other users of this machine can access ${list(failed)}, and this program cannot change that: ` +
        "give the files to the user who runs this program, or set STORE_URL to another path",
    );
}

/** Removes the permissions of others; returns the reason if that failed. */
function tighten(path: string, { mode, uid }: Stats): string | undefined {
  const own = process.getuid?.();
  if (own !== 0 && uid !== own) return "it belongs to another user";
  try {
    chmodSync(path, mode & 0o7700);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown error";
  }
  // Some file systems accept the change but ignore it.
  return ((statOf(path)?.mode ?? 0) & OTHERS) === 0 ? undefined : "the file system ignores permissions";
}

/** A folder that others may only list does no harm: they cannot read the files in it. */
function isDangerous(stat: Stats): boolean {
  return stat.isDirectory() ? (stat.mode & 0o022) !== 0 : true;
}

/** The files whose names begin with that of the path, and those in the folder of its locks. */
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

/** The folder of a file, if it contains nothing else: other users must not be locked out of their own files. */
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

/** The status of a path, without following links; undefined for links and missing files. */
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
