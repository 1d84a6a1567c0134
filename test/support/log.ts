import { Writable } from "node:stream";
import { createLog, type Log } from "../../src/log.ts";

/** A real log whose lines can be read. */
export function captureLog(secrets: readonly string[] = []): { log: Log; lines: () => string } {
  let lines = "";
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines += chunk.toString();
      done();
    },
  });
  return { log: createLog({ level: "debug", stream, secrets }), lines: () => lines };
}
