// Preloaded into the program (`--import`): ends it as `kill -9` would when a message reaches a stage. The file that
// COLLOQUY_CRASH_FILE names holds the name of the stage, such as `sent` or, for the second time, `sent:2`. All stages
// that were reached are appended to `<file>.steps`.
import { channel } from "node:diagnostics_channel";
import { appendFileSync, existsSync, readFileSync } from "node:fs";

const path = process.env.COLLOQUY_CRASH_FILE;
let last = "";
let times = 0;

channel("colloquy:step").subscribe(({ step }) => {
  appendFileSync(`${path}.steps`, `${step}\n`);
  const wanted = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (wanted !== last) times = 0;
  last = wanted;
  const [name, count = "1"] = wanted.split(":");
  if (name !== step) return;
  times += 1;
  if (times === Number(count)) process.kill(process.pid, "SIGKILL");
});
