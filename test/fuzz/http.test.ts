import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTelegram } from "../../adapters/telegram/index.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import type { ChatEvent } from "../../src/event.ts";
import { startServer } from "../../src/program/server.ts";
import { captureLog } from "../support/log.ts";
import { SEED } from "./odd.ts";

const SECRET = "the-secret";
const MEGABYTE = 1_048_576;
/** Where nobody asked for a body. */
const UNWANTED = [
  ["POST", "/webhooks/telegram"],
  ["POST", "/webhooks/nobody"],
  ["DELETE", "/healthz"],
  ["GET", "/webhooks/telegram"],
  ["GET", "/healthz"],
] as const;

/** The HTTP port with a webhook behind it. */
async function open({ requestMs }: { requestMs?: number } = {}) {
  const telegram = await startTelegramSimulator();
  const events: ChatEvent[] = [];
  const bot = createTelegram({
    token: telegram.token,
    apiRoot: telegram.apiRoot,
    webhook: { url: "http://127.0.0.1:9/webhooks/telegram", secret: SECRET },
    log: captureLog().log,
  });
  await bot.start(async (event) => void events.push(event), []);
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    adapters: [bot],
    health: () => ({}),
    ...(requestMs !== undefined && { requestMs }),
  });
  onTestFinished(async () => {
    await Promise.all([bot.stop(), server.close()]);
    await telegram.close();
  });
  const alive = async () => (await fetch(`${server.url}/healthz`)).status === 200;
  return { url: server.url, port: Number(new URL(server.url).port), events, alive };
}

/** What a raw connection gets for a head and for pieces that never end; how many bytes it could write. */
function send(port: number, head: string, piece?: Buffer): Promise<{ answer: string; written: number }> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    const pour = () => {
      while (piece && socket.writable) if (!socket.write(piece)) return;
    };
    socket.on("data", (data: Buffer) => (answer += data.toString()));
    socket.on("drain", pour);
    // The server has had enough: that is what is hoped for.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve({ answer, written: socket.bytesWritten }));
    socket.write(head);
    pour();
  });
}

const post = (path: string, ...headers: readonly string[]) =>
  [`POST ${path} HTTP/1.1`, "Host: x", ...headers, "", ""].join("\r\n");
const withSecret = `X-Telegram-Bot-Api-Secret-Token: ${SECRET}`;
const status = (answer: string) => Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1]);

describe("a body without end", () => {
  const chunk = Buffer.from(`10000\r\n${"x".repeat(65_536)}\r\n`);

  test("is refused early, and the connection is closed", async () => {
    const { port, events, alive } = await open();
    const before = process.memoryUsage().rss;
    const head = post("/webhooks/telegram", withSecret, "Transfer-Encoding: chunked");
    const { answer, written } = await send(port, head, chunk);
    expect(status(answer)).toBe(413);
    expect(written).toBeLessThan(100 * MEGABYTE);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEGABYTE);
    expect(events).toEqual([]);
    expect(await alive()).toBe(true);
  });

  test.each(UNWANTED)(
    "is not kept where nobody asked for it, and the connection is closed: %s %s",
    async (method, path) => {
      const { port, events, alive } = await open();
      const before = process.memoryUsage().rss;
      const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
      const { answer } = await send(port, head, chunk);
      expect([200, 401, 404, 405]).toContain(status(answer));
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * MEGABYTE);
      expect(events).toEqual([]);
      expect(await alive()).toBe(true);
    },
  );
});

describe("a request that dawdles", () => {
  test.each([
    ["in its head", `POST /webhooks/telegram HTTP/1.1\r\nHost: x\r\nX-Slow: `],
    ["in its body", post("/webhooks/telegram", withSecret, "Content-Length: 1000") + '{"update_id":'],
    ["before it begins", "P"],
  ])("%s is ended", async (_, head) => {
    const { port, events, alive } = await open({ requestMs: 300 });
    expect(status((await send(port, head)).answer)).toBe(408);
    expect(events).toEqual([]);
    expect(await alive()).toBe(true);
  });

  test("many of them keep nobody else away", async () => {
    const { port, alive } = await open({ requestMs: 300 });
    const head = post("/webhooks/telegram", withSecret, "Content-Length: 1000");
    const slow = Array.from({ length: 300 }, () => send(port, head));
    expect(await alive()).toBe(true);
    const answers = await Promise.all(slow);
    expect(answers.every(({ answer }) => status(answer) === 408)).toBe(true);
  });
});

describe("what is no request of Telegram's", () => {
  const update = (id: number) =>
    JSON.stringify({
      update_id: id,
      message: {
        message_id: id,
        date: 1,
        text: "hi",
        chat: { id: 1, type: "private" },
        from: { id: 1, is_bot: false },
      },
    });

  test("a flood of headers is refused", async () => {
    const { port, alive } = await open();
    const many = Array.from({ length: 5000 }, (_, n) => `X-Header-${n}: ${n}`);
    expect(status((await send(port, post("/webhooks/telegram", ...many))).answer)).toBe(431);
    expect(await alive()).toBe(true);
  });

  test("a wrong secret is 401, whatever it is, and nothing is taken in", async () => {
    const { url, events } = await open();
    const wrong = [
      "",
      "x",
      `${SECRET}x`,
      SECRET.slice(1),
      SECRET.toUpperCase(),
      "é".repeat(300),
      "x".repeat(9000),
    ];
    for (const secret of wrong) {
      const headers = { "x-telegram-bot-api-secret-token": secret };
      const { status } = await fetch(`${url}/webhooks/telegram`, {
        method: "POST",
        headers,
        body: update(1),
      });
      expect([secret, status]).toEqual([secret, 401]);
    }
    // The secret twice is another secret.
    const twice = post(
      "/webhooks/telegram",
      withSecret,
      withSecret,
      "Content-Length: 0",
      "Connection: close",
    );
    expect(status((await send(Number(new URL(url).port), twice)).answer)).toBe(401);
    expect(events).toEqual([]);
  });

  test.each(["application/json", "text/plain", "multipart/form-data; boundary=", "\x80", "x".repeat(3000)])(
    "the content type %j changes nothing",
    async (type) => {
      const { url, events } = await open();
      const headers = { "x-telegram-bot-api-secret-token": SECRET, "content-type": type };
      const { status } = await fetch(`${url}/webhooks/telegram`, {
        method: "POST",
        headers,
        body: update(1),
      });
      expect(status).toBe(200);
      expect(events).toHaveLength(1);
    },
  );

  test("odd methods, paths and versions get an answer that is no error of ours", async () => {
    const { port, events, alive } = await open();
    const method = fc.constantFrom(
      "GET",
      "HEAD",
      "PUT",
      "DELETE",
      "OPTIONS",
      "PATCH",
      "TRACE",
      "BREW",
      "get",
    );
    const part = fc.oneof(
      fc.constantFrom(
        "webhooks",
        "telegram",
        "..",
        "%2e%2e",
        "%00",
        "%",
        "__proto__",
        "constructor",
        "//",
        "?a=%",
      ),
      fc.webPath(),
      fc.string({ maxLength: 20 }).map((text) => text.replace(/[\s\0]/g, "")),
    );
    const path = fc.array(part, { maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(method, path, async (method, path) => {
        const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
        const { answer } = await send(port, head);
        statuses.add(status(answer));
        expect(answer).toMatch(/^HTTP\/1.1 (200|400|401|404|405|501) /);
        expect(answer).not.toMatch(/node_modules|\n\s+at /);
      }),
      { numRuns: 80, seed: SEED },
    );
    expect([...statuses]).toContain(404);
    expect(events).toEqual([]);
    expect(await alive()).toBe(true);
  });

  test("bytes that are no HTTP at all are refused", async () => {
    const { port, alive } = await open({ requestMs: 200 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const { answer } = await send(port, `${Buffer.from(bytes).toString("latin1")}\r\n\r\n\r\n`);
        expect([400, 408]).toContain(status(answer));
      }),
      { numRuns: 30, seed: SEED },
    );
    expect(await alive()).toBe(true);
  });
});
