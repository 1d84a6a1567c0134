import type { RawData, WebSocket } from "ws";

/** Index and count of a shard. */
export type Shard = readonly [number, number];

/** Largest payload that a client may send, in bytes. */
const MAX_PAYLOAD_BYTES = 4096;

/** Whether an event belongs to a shard: by its server's id, or to shard 0 outside of servers (API docs, "Sharding"). */
export function belongsTo(d: unknown, [index, count]: Shard): boolean {
  // Tests send payloads of any form, even ones that are not objects.
  const named: unknown = typeof d === "object" && d !== null && "guild_id" in d ? d.guild_id : undefined;
  const guild = typeof named === "string" && /^\d+$/.test(named) ? named : "0";
  return (BigInt(guild) >> 22n) % BigInt(count) === BigInt(index);
}

/** The shard of an IDENTIFY; the only one if it names none, undefined if it is invalid. */
export function readShard(shard: unknown = [0, 1]): Shard | undefined {
  if (!Array.isArray(shard) || shard.length !== 2) return undefined;
  const [index, count] = shard.map(Number);
  if (!Number.isInteger(index) || !Number.isInteger(count)) return undefined;
  if (index === undefined || count === undefined || index < 0 || index >= count) return undefined;
  return [index, count];
}

/** Sends a payload if the connection is open. */
export function send(socket: WebSocket, payload: object): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ s: null, t: null, ...payload }));
}

/** Parses a frame of the client. An invalid one has no `op`; `beat` is the sequence of a heartbeat. */
export function parseFrame(data: RawData): { op?: number; d: Record<string, unknown>; beat?: number } {
  const nothing = { d: {} };
  const text = Buffer.isBuffer(data) ? data.toString() : "";
  if (!text || text.length > MAX_PAYLOAD_BYTES) return nothing;
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null) return nothing;
    const { op, d } = json as { op?: unknown; d?: unknown };
    if (typeof op !== "number") return nothing;
    const beat = typeof d === "number" ? { beat: d } : {};
    return { op, d: typeof d === "object" && d !== null ? { ...d } : {}, ...beat };
  } catch {
    return nothing;
  }
}
