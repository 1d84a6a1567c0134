import type { RawFile } from "discord.js";
import type { AnswerFile } from "../../../src/adapter.ts";

/** Largest file that every account may send, in bytes (API reference, "Uploading Files"). */
const MAX_FILE_BYTES = 10 * 1024 * 1024;

/** Converts a text into files that Discord accepts: one, or several numbered ones of at most `maxBytes` each. */
export function filesOf({ name, content }: AnswerFile, maxBytes = MAX_FILE_BYTES): RawFile[] {
  const parts = cut(Buffer.from(content), maxBytes);
  return parts.map((data, index) => ({
    name: parts.length === 1 ? name : name.replace(/(?=\.\w+$)/, `-${index + 1}`),
    data,
    contentType: "text/markdown; charset=utf-8",
  }));
}

function cut(bytes: Buffer, maxBytes: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length || parts.length === 0; ) {
    const end = endOfPart(bytes, from, maxBytes);
    parts.push(bytes.subarray(from, end));
    from = end;
  }
  return parts;
}

/** Ends a part after a line, if one ends in its second half, and never within a character. */
function endOfPart(bytes: Buffer, from: number, maxBytes: number): number {
  let end = from + maxBytes;
  if (end >= bytes.length) return bytes.length;
  const line = bytes.lastIndexOf("\n", end - 1);
  if (line >= from + maxBytes / 2) return line + 1;
  while (isContinuation(bytes[end])) end -= 1;
  return end;
}

/** Whether a byte is a continuation byte of UTF-8. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
