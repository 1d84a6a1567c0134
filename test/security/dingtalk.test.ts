import { describe, expect, onTestFinished, test } from "vitest";
import { createSignatures } from "../../adapters/dingtalk/receive/callback.ts";
import { signOf } from "../../adapters/dingtalk/simulator/courier.ts";
import { startServer } from "../../src/program/server.ts";
import { meet } from "../adapters/dingtalk/set-up.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A robot that receives by HTTP at a real port, and a request that somebody has seen on its way. */
async function open() {
  const world = await meet({ robot: { callback: true } });
  const { dingtalk, bot } = world;
  const server = await startServer({ host: "127.0.0.1", port: 0, adapters: [bot], health: () => ({}) });
  onTestFinished(() => server.close());
  await world.start();
  const signed = (at: number) => ({ timestamp: String(at), sign: signOf(String(at), dingtalk.clientSecret) });
  const post = async (headers: Record<string, string>, msgId: string, content = "hi") => {
    const fields = { msgtype: "text", conversationId: "c", conversationType: "1", senderId: "s" };
    const body = JSON.stringify({ ...fields, msgId, text: { content } });
    const response = await fetch(`${server.url}/webhooks/dingtalk`, { method: "POST", body, headers });
    return response.status;
  };
  return { ...world, signed, post };
}

describe("a copied signature", () => {
  test("is not taken with other words, neither at once nor later", async () => {
    const { events, signed, post, lines } = await open();
    const headers = signed(Date.now());
    expect(await post(headers, "m1", "the person's words")).toBe(200);
    expect(await post(headers, "m2", "somebody else's words")).toBe(401);
    expect(await post(headers, "m1", "other words under the same id")).toBe(401);
    expect(await post(signed(Date.now() + 1), "m3")).toBe(200);
    expect(await post(headers, "m2", "somebody else's words")).toBe(401);
    expect(events.map(({ text }) => text)).toEqual(["the person's words", "hi"]);
    expect(lines()).toContain("already used");
    expect(lines()).not.toContain("somebody else");
  });

  test("is taken with the same words: DingTalk itself may send a message again", async () => {
    const { events, signed, post } = await open();
    const headers = signed(Date.now());
    expect([await post(headers, "m1"), await post(headers, "m1")]).toEqual([200, 200]);
    // The queue drops the second, as both have one id.
    expect(new Set(events.map(({ id }) => id)).size).toBe(1);
  });

  test("is not taken however else its time or its signature may be written", async () => {
    const { events, signed, post } = await open();
    const headers = signed(Date.now());
    expect(await post(headers, "m1")).toBe(200);
    const { timestamp, sign } = headers;
    for (const other of [
      { timestamp, sign: sign.replace(/=+$/, "") },
      { timestamp, sign: ` ${sign}` },
      { timestamp, sign: sign.replaceAll("+", "-").replaceAll("/", "_") },
      { timestamp: `0${timestamp}`, sign },
      { timestamp: ` ${timestamp}`, sign },
      { timestamp: `${timestamp}.0`, sign },
    ])
      expect(await post(other, "m2")).toBe(401);
    expect(events).toHaveLength(1);
  });
});

test("a signature from the future is not taken, beyond what clocks differ by", async () => {
  const { signed, post } = await open();
  const now = Date.now();
  expect(await post(signed(now + 4 * MINUTE_MS), "m1")).toBe(200);
  for (const ahead of [6 * MINUTE_MS, HOUR_MS - MINUTE_MS, 24 * HOUR_MS])
    expect(await post(signed(now + ahead), "m2")).toBe(401);
});

describe("of what was taken", () => {
  const SECRET = "secret";
  const headersAt = (at: number) => new Headers({ timestamp: String(at), sign: signOf(String(at), SECRET) });

  test("nothing from before the start is taken: another process may have had it", () => {
    const start = 1_800_000_000_000;
    const signatures = createSignatures(SECRET, () => start);
    expect(signatures.isFirst(headersAt(start - 6 * MINUTE_MS), "a")).toBe(false);
    expect(signatures.isFirst(headersAt(start - 4 * MINUTE_MS), "a")).toBe(true);
  });

  test("a bounded number is remembered, and what is forgotten is not taken again", () => {
    let now = 1_800_000_000_000;
    const start = now;
    const signatures = createSignatures(SECRET, () => now);
    const many = 30_000;
    for (let count = 0; count < many; count += 1) {
      now += 10;
      expect(signatures.isFirst(headersAt(now), "a")).toBe(true);
    }
    expect(signatures.remembered).toBeLessThanOrEqual(10_000);
    for (let at = start + 10; at <= now; at += 10)
      expect(signatures.isSigned(headersAt(at)) && signatures.isFirst(headersAt(at), "b")).toBe(false);
    now += 1;
    expect(signatures.isFirst(headersAt(now), "b")).toBe(true);
    // After an hour the time alone tells.
    now += HOUR_MS + MINUTE_MS;
    expect(signatures.isFirst(headersAt(now), "a")).toBe(true);
    expect(signatures.remembered).toBe(1);
    expect(signatures.isSigned(headersAt(start + 10))).toBe(false);
  });
});
