import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** The steps of a message, in order, at which a crash can be asked for. */
export const CRASH_POINTS = [
  "received",
  "stored",
  "loaded",
  "asked",
  "sending",
  "sent",
  "recorded",
  "edited",
  "known",
  "committed",
  "shown",
  "saved",
  "dropped",
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

const file = process.env["COLLOQUY_CRASH_FILE"];
let wish = "";
let times = 0;

/**
 * Ends the process as `kill -9` would if the file that `COLLOQUY_CRASH_FILE` names holds the name of this step, such
 * as `sent` or, for the second time that it is reached, `sent:2`. Every step goes into `<file>.steps`. Only the tests
 * set it: they show that nothing is lost, wherever it happens.
 */
export function reached(point: CrashPoint): void {
  if (file === undefined) return;
  appendFileSync(`${file}.steps`, `${point}\n`);
  const wanted = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (wanted !== wish) times = 0;
  wish = wanted;
  const [name, count = "1"] = wanted.split(":");
  if (name !== point) return;
  times += 1;
  if (times === Number(count)) process.kill(process.pid, "SIGKILL");
}
