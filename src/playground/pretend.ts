/**
 * The program with pipes that say they are a terminal: what it writes is shown by the simulated one. Nobody imports this; it
 * is started in a process of its own.
 */
import { subscribe } from "../telemetry/events.ts";

const SIZE = { columns: Number(process.env["COLUMNS"] ?? 80), rows: Number(process.env["LINES"] ?? 24) };

Object.assign(process.stdin, { isTTY: true, setRawMode: () => process.stdin });
Object.assign(process.stdout, { isTTY: true, ...SIZE });

// As `start` does for whoever shows it.
subscribe("step", (step) => process.connected && process.send?.(step));
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
// To be told of the end is no reason to stay.
process.channel?.unref();

await import("../cli/main.ts");
