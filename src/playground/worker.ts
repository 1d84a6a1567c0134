import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Event } from "../pulse.ts";

export interface WorkerOptions {
  /** Its settings; nothing else of this process' surroundings that names a platform reaches it. */
  readonly env: Readonly<Record<string, string>>;
  readonly reached: (step: { readonly step: string; readonly event: Event; readonly at: number }) => void;
}

/** The program itself, as a process that may be killed: it is started again. */
export interface Worker {
  readonly running: boolean;
  /** Where its HTTP port answers, once it does. */
  readonly url: string | undefined;
  /** `kill -9`. */
  kill(): void;
  close(): Promise<void>;
}

/** The pause before it is started again, in ms: long enough to be seen. */
const PAUSE_MS = 1_500;

const CLI = join(
  import.meta.dirname,
  import.meta.filename.endsWith(".ts") ? "../../dist/src/cli.js" : "../cli.js",
);

/** Starts `colloquy start` beside this process; it ends with it. */
export function startWorker({ env, reached }: WorkerOptions): Worker {
  let child: ChildProcess | undefined;
  let url: string | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let gone = Promise.resolve();
  begin();

  return {
    get running() {
      return child !== undefined;
    },
    get url() {
      return url;
    },
    kill: () => void child?.kill("SIGKILL"),
    close: async () => {
      closed = true;
      clearTimeout(timer);
      child?.kill("SIGTERM");
      await gone;
    },
  };

  function begin(): void {
    const { PATH, HOME, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY } = process.env;
    const around = { PATH, HOME, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY };
    const started = spawn(process.execPath, [CLI, "start"], {
      cwd: env["COLLOQUY_FOLDER"],
      env: { ...around, ...env, COLLOQUY_STEPS: "1" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child = started;
    started.on("message", (message) => {
      const told = message as { readonly url: string } | Parameters<typeof reached>[0];
      if ("url" in told) url = told.url;
      else reached(told);
    });
    gone = new Promise((resolve) => {
      started.on("error", () => undefined);
      started.on("close", () => {
        child = undefined;
        url = undefined;
        if (!closed) timer = setTimeout(begin, PAUSE_MS);
        resolve();
      });
    });
  }
}
