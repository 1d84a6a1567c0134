import { request } from "node:http";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { createLocalAccess } from "../../src/http/local.ts";
import { startServer } from "../../src/program/server.ts";

/** What a fault says about the inside of a house. */
const WHY = "the store postgres://db.internal:5432/colloquy (STORE_URL) cannot be written";

async function open(troubles: Readonly<Record<string, string>>) {
  const local = createLocalAccess();
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    adapters: [],
    local,
    health: () => troubles,
  });
  onTestFinished(() => server.close());
  const ask = (headers: Readonly<Record<string, string>> = {}) => readyz(server.url, headers);
  return { ask, token: { authorization: `Bearer ${local.token}` } };
}

/** `fetch` sends no Host of one's own. */
function readyz(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    request(`${url}/readyz`, { headers }, (response) => {
      void text(response).then((body) => resolve(`${response.statusCode} ${body}`), reject);
    })
      .on("error", reject)
      .end();
  });
}

test("a stranger learns whether it is ready, and not what is wrong", async () => {
  const { ask } = await open({ store: WHY });
  for (const headers of [
    {},
    { host: "bot.example" },
    { "x-forwarded-for": "203.0.113.7" },
    { forwarded: "for=203.0.113.7" },
    { via: "1.1 proxy" },
  ])
    expect(await ask(headers)).toBe('503 {"ready":false}');
});

test("to the operator at its machine it says what is wrong", async () => {
  const { ask, token } = await open({ store: WHY });
  expect(await ask(token)).toBe(`503 {"ready":false,"troubles":{"store":"${WHY}"}}`);
});

test("where nothing is wrong, everyone learns the same", async () => {
  const { ask } = await open({});
  expect(await ask()).toBe('200 {"ready":true}');
  expect(await ask({ host: "bot.example" })).toBe('200 {"ready":true}');
});
