import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { end, type Home, spawnProgram } from "./children.ts";
import type { Told } from "./journey.ts";

/** The program that talks to the simulated platforms; it comes again whenever it ends. */
export interface Worker {
  readonly state: "starting" | "ready" | "down";
  /** What it has died of, if nobody has killed it. */
  readonly trouble: string | undefined;
  /** Where its web chat is, with the token that lets people sign in by name, while it is ready. */
  readonly url: string | undefined;
  /** `kill -9`. */
  kill(): void;
  close(): Promise<void>;
}

export interface WorkerOptions extends Home {
  readonly told: (told: Told) => void;
  /** Its state is another one. */
  readonly changed: (state: Worker["state"]) => void;
}

/** It comes again after so long, in ms; later, if it has ended by itself again and again. */
const PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;

const Line = z.object({
  level: z.union([z.string(), z.number()]).optional(),
  msg: z.string(),
});

/** Starts it. */
export function startWorker({ told, changed, ...home }: WorkerOptions): Worker {
  let child: ChildProcess | undefined;
  let state: Worker["state"] = "starting";
  let url: string | undefined;
  let trouble: string | undefined;
  let lastWords = "";
  let isWished = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  begin();

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
      isWished = true;
      child?.kill("SIGKILL");
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await end(child);
    },
  };

  function begin(): void {
    isWished = false;
    const started = spawnProgram("cli/main.js", ["start"], {
      ...home,
      told,
      opened: (address) => (url = address),
    });
    child = started;
    become("starting");
    const { stdout, stderr } = started;
    if (stdout) createInterface({ input: stdout }).on("line", read);
    if (stderr) createInterface({ input: stderr }).on("line", (line) => (lastWords = line));
    started.once("close", over);
  }

  function read(line: string): void {
    const said = Line.safeParse(jsonOrNull(line)).data;
    if (!said) return;
    if (said.level === "error" || said.level === "fatal" || Number(said.level) >= 50) lastWords = said.msg;
    if (said.msg !== "ready") return;
    failures = 0;
    trouble = undefined;
    become("ready");
  }

  function over(): void {
    url = undefined;
    if (closed) return;
    failures = isWished ? 0 : failures + 1;
    trouble = isWished ? undefined : lastWords || "The program has ended.";
    become("down");
    timer = setTimeout(begin, Math.min(MAX_PAUSE_MS, PAUSE_MS * Math.max(1, failures)));
  }

  function become(next: Worker["state"]): void {
    if (state === next) return;
    state = next;
    changed(state);
  }
}

function jsonOrNull(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
