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

const [wanted, count] = (process.env["COLLOQUY_CRASH_AT"] ?? "").split(":");
let left = Number(count ?? 1);

/**
 * Ends the process as `kill -9` would if `COLLOQUY_CRASH_AT` names this step, such as `sent` or, for the second
 * time that it is reached, `sent:2`. Only the tests set it: they show that nothing is lost, wherever it happens.
 */
export function reached(point: CrashPoint): void {
  if (point !== wanted) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, "SIGKILL");
}
