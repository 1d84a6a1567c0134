/**
 * Runs the program with pipes that pretend to be a terminal; the simulated terminal shows the output. Started as a process,
 * never imported.
 */
import { subscribe } from "../telemetry/events.ts";

const SIZE = { columns: Number(process.env["COLUMNS"] ?? 80), rows: Number(process.env["LINES"] ?? 24) };

Object.assign(process.stdin, { isTTY: true, setRawMode: () => process.stdin });
Object.assign(process.stdout, { isTTY: true, ...SIZE });

// `colloquy start` does the same.
subscribe("step", (step) => process.connected && process.send?.(step));
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
// The channel alone must not keep the process running.
process.channel?.unref();

await import("../cli.ts");
