import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../src/testing/until.ts";

/** Processes of the program that share one store. */
export interface Cluster {
  readonly size: number;
  readonly kills: number;
  /** What happened to processes that nobody has killed. */
  readonly accidents: readonly string[];
  /** Starts those that do not run. */
  startAll(): void;
  /** Resolves once all of them say that they are ready. */
  ready(): Promise<void>;
  /** `kill -9`; resolves when it is gone. Does nothing to one that does not run. */
  kill(member: number): Promise<void>;
  start(member: number): void;
  /** Kills all of them for good. */
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly size: number;
  /** Each process has a folder of its own in it, and a log. */
  readonly folder: string;
  readonly settings: (member: number) => Readonly<Record<string, string>>;
  /** What each does; everything if absent. */
  readonly role?: (member: number) => string;
}

const CLI = join(import.meta.dirname, "../../dist/src/cli.js");

/** After how many ms a supervisor restarts a process. */
const AGAIN_MS = 1000;

const READY_WITHIN_MS = 60_000;

const NO_STORE = /\(STORE_URL\) does not answer/;

/** None of them runs yet. */
export function createCluster(options: ClusterOptions): Cluster {
  const members = Array.from({ length: options.size }, (_, index) => createMember(options, index));
  const killAll = () => {
    for (const { child } of members) child()?.kill("SIGKILL");
  };
  process.once("exit", killAll);

  return {
    size: options.size,
    get kills() {
      return members.reduce((sum, { kills }) => sum + kills(), 0);
    },
    get accidents() {
      return members.flatMap(({ accidents }) => accidents);
    },
    startAll: () => {
      for (const { start } of members) start();
    },
    ready: async () => {
      for (const { isReady } of members)
        await until(isReady, `"ready" in ${options.folder}`, READY_WITHIN_MS);
    },
    kill: async (index) => members[index]?.kill(),
    start: (index) => members[index]?.start(),
    close: async () => {
      await Promise.all(members.map(({ close }) => close()));
      process.removeListener("exit", killAll);
    },
  };
}

/** One place for a process, and the log of all that have stood there. */
function createMember({ folder, settings, role = () => "all" }: ClusterOptions, index: number) {
  const home = join(folder, `process-${index}`);
  mkdirSync(home);
  const log = createWriteStream(join(folder, `process-${index}.log`));
  const accidents: string[] = [];
  let child: ChildProcess | undefined;
  let again: NodeJS.Timeout | undefined;
  let kills = 0;
  let isReady = false;

  return {
    accidents,
    child: () => child,
    kills: () => kills,
    isReady: () => isReady,
    start,
    kill: async () => {
      clearTimeout(again);
      if (!child) return;
      kills += 1;
      note(`kill -9 ${child.pid}`);
      await end();
    },
    close: async () => {
      clearTimeout(again);
      await end();
      log.end();
    },
  };

  function start(): void {
    clearTimeout(again);
    if (child) return;
    const own = spawn(process.execPath, [CLI, "start", "--role", role(index)], {
      cwd: home,
      env: { PATH: process.env["PATH"], HTTP_PORT: "0", ...settings(index) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = own;
    isReady = false;
    let said = "";
    note(`start ${own.pid}`);
    for (const stream of [own.stdout, own.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        isReady ||= text.includes('"msg":"ready"');
        said = (said + text).slice(-1000);
        log.write(text);
      });
    own.once("close", (code, signal) => {
      if (child !== own) return;
      child = undefined;
      const how = `process ${index} has ended with ${code ?? signal}`;
      note(how);
      // Without its store it does not start, and its supervisor tries again.
      if (isReady || !NO_STORE.test(said)) accidents.push(how);
      again = setTimeout(start, AGAIN_MS);
    });
  }

  async function end(): Promise<void> {
    const own = child;
    child = undefined;
    isReady = false;
    if (!own) return;
    const gone = once(own, "close");
    own.kill("SIGKILL");
    await gone;
  }

  function note(what: string): void {
    log.write(`--- ${new Date().toISOString()} ${what}\n`);
  }
}
