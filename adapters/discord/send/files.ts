import type { RawFile } from "discord.js";
import type { AnswerFile } from "../../../src/adapter.ts";

/** The largest file that everyone may send (Discord API reference, "Uploading Files"), in bytes. */
const FILE_BYTES = 10 * 1024 * 1024;

/** A text as files that Discord takes: one, or several with numbers where it is larger than `largest` bytes. */
export function filesOf({ name, content }: AnswerFile, largest = FILE_BYTES): RawFile[] {
  const parts = cut(Buffer.from(content), largest);
  return parts.map((data, index) => ({
    name: parts.length === 1 ? name : name.replace(/(?=\.\w+$)/, `-${index + 1}`),
    data,
    contentType: "text/markdown; charset=utf-8",
  }));
}

function cut(bytes: Buffer, largest: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length || parts.length === 0; ) {
    const end = endOfPart(bytes, from, largest);
    parts.push(bytes.subarray(from, end));
    from = end;
  }
  return parts;
}

/** Behind a line where one ends in the second half, and never within a character. */
function endOfPart(bytes: Buffer, from: number, largest: number): number {
  let end = from + largest;
  if (end >= bytes.length) return bytes.length;
  const line = bytes.lastIndexOf("\n", end - 1);
  if (line >= from + largest / 2) return line + 1;
  while (isInner(bytes[end])) end -= 1;
  return end;
}

/** Whether a byte of UTF-8 belongs to the character before it. */
function isInner(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
