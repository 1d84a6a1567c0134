import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { jsonOrNull } from "../../config/json.ts";
import { end, type Home, spawnProgram } from "./children.ts";
import type { StageReport } from "./journey.ts";

/** The program that talks to the simulated platforms; it is restarted whenever it ends. */
export interface PlaygroundWorker {
  readonly state: "starting" | "ready" | "down";
  /** Why it ended, if it was not killed on request. */
  readonly trouble: string | undefined;
  /** The address of its web chat while it is running, with the token that allows signing in by name. */
  readonly url: string | undefined;
  /** Kills it with SIGKILL; it is restarted. */
  kill(): void;
  close(): Promise<void>;
}

export interface WorkerOptions extends Home {
  readonly onStage: (report: StageReport) => void;
  /** Called when its state has changed. */
  readonly changed: (state: PlaygroundWorker["state"]) => void;
}

/** The pause before a restart, in ms; it grows with each failure in a row. */
const PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;

const Line = z.object({
  level: z.union([z.string(), z.number()]).optional(),
  msg: z.string(),
});

/** Starts the worker. */
export function startWorker({ onStage, changed, ...home }: WorkerOptions): PlaygroundWorker {
  let child: ChildProcess | undefined;
  let state: PlaygroundWorker["state"] = "starting";
  let url: string | undefined;
  let trouble: string | undefined;
  let lastError = "";
  let isKilled = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  start();

  return {
    get state() {
      return state;
    },
    get trouble() {
      return trouble;
    },
    get url() {
      return url;
    },
    kill: () => {
      isKilled = true;
      child?.kill("SIGKILL");
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await end(child);
    },
  };

  function start(): void {
    isKilled = false;
    const started = spawnProgram("cli.js", ["start"], {
      ...home,
      onStage,
      onAddress: (address) => (url = address),
    });
    child = started;
    setState("starting");
    const { stdout, stderr } = started;
    if (stdout) createInterface({ input: stdout }).on("line", read);
    if (stderr) createInterface({ input: stderr }).on("line", (line) => (lastError = line));
    started.once("close", onClose);
  }

  function read(line: string): void {
    const entry = Line.safeParse(jsonOrNull(line)).data;
    if (!entry) return;
    const { level, msg } = entry;
    if (level === "error" || level === "fatal" || Number(level) >= 50) lastError = msg;
    if (msg !== "ready") return;
    failures = 0;
    trouble = undefined;
    setState("ready");
  }

  function onClose(): void {
    url = undefined;
    if (closed) return;
    failures = isKilled ? 0 : failures + 1;
    trouble = isKilled ? undefined : lastError || "The program has ended.";
    setState("down");
    timer = setTimeout(start, Math.min(MAX_PAUSE_MS, PAUSE_MS * Math.max(1, failures)));
  }

  function setState(next: PlaygroundWorker["state"]): void {
    if (state === next) return;
    state = next;
    changed(state);
  }
}
