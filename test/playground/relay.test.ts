import { expect, onTestFinished, test } from "vitest";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { startRelay } from "../../src/playground/relay.ts";

test("the relay passes on what the real service says, with the real key, to callers with its own key", async () => {
  const { ask, relay, service } = await open();
  expect((await ask("sk-wrong")).status).toBe(401);
  expect((await ask(service.key)).status).toBe(401);
  const response = await ask(relay.key);
  expect(response.status).toBe(200);
  expect(await response.text()).toContain("[DONE]");
  expect(service.requests.map(({ messages }) => messages.at(-1)?.content)).toEqual(["Hello"]);
});

test("it refuses while it is told to", async () => {
  const { ask, relay, service } = await open();
  relay.refusing = true;
  const refused = await ask(relay.key);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  relay.refusing = false;
  expect((await ask(relay.key)).status).toBe(200);
  expect(service.requests).toHaveLength(1);
});

test("a slow model pauses after each piece, though all of them have come at once", async () => {
  const { ask, relay } = await open();
  relay.slow = true;
  const response = await ask(relay.key);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = await reader?.read();
  expect(first?.value?.split("data:")).toHaveLength(2);
  relay.slow = false;
  let rest = "";
  for (let next = await reader?.read(); next?.value; next = await reader?.read()) rest += next.value;
  expect(rest).toContain("[DONE]");
});

test("a service that is gone is told of without its key", async () => {
  const { ask, relay, service } = await open();
  await service.close();
  const response = await ask(relay.key);
  expect(response.status).toBe(502);
  expect(await response.text()).not.toContain(service.key);
});

test("the real service is asked only when somebody wants it", async () => {
  const { ask, relay, service } = await open();
  relay.real = false;
  expect((await ask(relay.key)).status).toBe(200);
  expect(service.requests).toHaveLength(0);
  relay.real = true;
  expect((await ask(relay.key)).status).toBe(200);
  expect(service.requests).toHaveLength(1);
});

async function open() {
  const service = await startModelSimulator();
  const demo = await startModelSimulator();
  const relay = await startRelay({ demo, real: service });
  relay.real = true;
  onTestFinished(async () => {
    await relay.close();
    await service.close();
    await demo.close();
  });
  const ask = (key: string) =>
    fetch(`${relay.baseURL}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "Hello" }] }),
    });
  return { ask, relay, service };
}
