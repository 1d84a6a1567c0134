import { Writable } from "node:stream";

/** A terminal that understands "up" and "clear below", as a person would see it. */
export function createScreen({
  isTTY,
  columns = 80,
  rows = 24,
}: {
  isTTY: boolean;
  columns?: number;
  rows?: number;
}) {
  let lines = [""];
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      for (const part of chunk.toString().split(/(\u001B\[\d*[AJ]|\u001B\[2K|\r(?!\n)|\n)/)) show(part);
      done();
    },
  });
  return { output: Object.assign(output, { isTTY, columns, rows }), lines: () => lines.filter(Boolean) };

  function show(part: string): void {
    const up = /^\u001B\[(\d+)A$/.exec(part)?.[1];
    if (part === "\n") lines.push("");
    else if (part === "\r" || part === "\u001B[2K") lines[lines.length - 1] = "";
    else if (up) lines = lines.slice(0, lines.length - Number(up));
    else if (/^\u001B\[\d*J$/.test(part)) lines = [...lines.slice(0, -1), ""];
    else lines[lines.length - 1] += part;
  }
}
