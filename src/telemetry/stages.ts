import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { type EventOrigin, emit } from "./events.ts";

/** The steps of a message, in order; those of a message on the platform come once for each. */
export const STAGES = [
  "received",
  "stored",
  "loaded",
  "asked",
  // The model has begun to answer.
  "begun",
  "drafted",
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
export type Stage = (typeof STAGES)[number];

const file = process.env["COLLOQUY_CRASH_FILE"];
let wish = "";
let times = 0;

/** Says that a message has come so far, to whoever measures or shows it, and to the tests that let programs die. */
export function markStage(step: Stage, event: EventOrigin): void {
  emit("step", { step, event, at: Date.now() });
  if (file !== undefined) crashIfWanted(step, file);
}

/**
 * Ends the process as `kill -9` would if the file that `COLLOQUY_CRASH_FILE` names holds the name of this step, such
 * as `sent` or, for the second time that it is reached, `sent:2`. Every step goes into `<file>.steps`. Only the tests
 * set it: they show that nothing is lost, wherever it happens.
 */
function crashIfWanted(step: Stage, path: string): void {
  appendFileSync(`${path}.steps`, `${step}\n`);
  const wanted = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (wanted !== wish) times = 0;
  wish = wanted;
  const [name, count = "1"] = wanted.split(":");
  if (name !== step) return;
  times += 1;
  if (times === Number(count)) process.kill(process.pid, "SIGKILL");
}
