import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { until } from "../../src/testing/until.ts";
import type { Sizes } from "./curve.ts";

/** The program in a process of its own, as people run it, with Node's inspector to look into its memory. */
export interface Measured {
  /** Its memory as the system sees it, and its heap after a garbage collection. */
  measure(): Promise<Sizes>;
  /** How it ended, if it has, with its last words. */
  failed(): string | undefined;
  /** Rejects if it does not end as it should. */
  stop(): Promise<void>;
  /** Ends it at once; safe after `stop`. */
  kill(): Promise<void>;
}

const CLI = join(import.meta.dirname, "../../dist/src/cli.js");

/** How many characters of the end of its log are printed if it fails. */
const LAST_WORDS = 4000;

/** Starts it in `folder`; resolves once it is ready. It ends with this process at the latest. */
export async function startMeasured(folder: string, env: Record<string, string>): Promise<Measured> {
  const store = join(folder, "store.sqlite");
  const child = spawn(process.execPath, ["--inspect=127.0.0.1:0", CLI, "start"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HTTP_PORT: "0", STORE_URL: `sqlite:${store}`, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  process.once("exit", () => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-LAST_WORDS)));
  const address = await until(
    () => /ws:\/\/\S+/.exec(said)?.[0],
    () => `the inspector in:\n${said}`,
  );
  const inspector = new WebSocket(address);
  const command = await inspect(inspector);
  await until(
    () => /"msg":"ready"/.test(said),
    () => `the line "ready" in:\n${said}`,
  );

  return {
    measure: async () => {
      // Before the collection, which gives back what the system would still see.
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      await command("HeapProfiler.collectGarbage");
      const { usedSize = 0 } = await command("Runtime.getHeapUsage");
      return {
        resident: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024,
        heap: usedSize,
        handles: readdirSync(`/proc/${child.pid}/fd`).length,
        store: sizeOf(store) + sizeOf(`${store}-wal`),
      };
    },
    failed: () => {
      const end = child.exitCode ?? child.signalCode;
      return end === null ? undefined : `The program has ended with ${end}:\n${said}`;
    },
    stop: async () => {
      // Node would wait for who inspects it.
      inspector.terminate();
      child.kill("SIGTERM");
      const [code] = (await exited) as [number | null];
      if (code !== 0) throw new Error(`The program has ended with ${code}:\n${said}`);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

type Command = (method: string) => Promise<{ usedSize?: number }>;

/** The Chrome DevTools protocol, one command at a time. */
async function inspect(socket: WebSocket): Promise<Command> {
  await once(socket, "open");
  let id = 0;
  return async (method) => {
    id += 1;
    socket.send(JSON.stringify({ id, method }));
    const [data] = (await once(socket, "message")) as [Buffer];
    const { result = {} } = JSON.parse(data.toString()) as { result?: { usedSize?: number } };
    return result;
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
