import { startModelProgram } from "../../support/model-program.ts";
import { randomUUID } from "node:crypto";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createConsole, linesOf } from "../../../adapters/console/index.ts";
import { createLocalAccess } from "../../../src/http/local.ts";
import { type ModelSimulatorOptions } from "../../../src/testing/openai.ts";
import { signInByName } from "../../support/local.ts";
import { until } from "../../../src/testing/until.ts";

/** Names that could be taken for one another, or for a part of a key. */
const NAMES = [
  "ann",
  "Ann",
  "ann:main",
  "ann%3Amain",
  "ann/main",
  "ann%",
  "a",
  "安",
  "__proto__",
  "ann main",
];
const THREADS = ["main", "a", "main-a", "__proto__"];

const traffic = fc.array(fc.record({ who: fc.constantFrom(...NAMES), thread: fc.constantFrom(...THREADS) }), {
  minLength: 60,
  maxLength: 60,
});

/** A program with a web chat, and somebody at its console. */
async function openProgram(reply: ModelSimulatorOptions["reply"]) {
  const keyboard = new PassThrough();
  const console = createConsole({
    input: linesOf(keyboard),
    output: new PassThrough(),
    user: "ann",
    color: false,
  });
  const local = createLocalAccess();
  onTestFinished(() => void keyboard.end());
  const { model, url } = await startModelProgram({
    ...(reply !== undefined && { reply }),
    hasAccounts: false,
    settings: { MESSAGES_PER_MINUTE: "100000" },
    console,
    local,
  });
  return { model, link: local.link(url) };
}

test("nobody waits for another, though terminals may answer beside", async () => {
  const count = 60;
  let asked = 0;
  let open = () => {};
  const all = new Promise<void>((resolve) => (open = resolve));
  const { link } = await openProgram(async () => {
    asked += 1;
    if (asked === count) open();
    await all;
    return "all are asked";
  });
  const { call } = await enter(link, "ann");
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      call(`conversations/thread-${index}/messages`, { id: randomUUID(), text: "hello" }),
    ),
  );
  await until(
    () => asked === count,
    () => `${count} to be asked at once; there are ${asked}`,
  );
});

test("whatever people say, each sees, gets and sends the model only their own words", async () => {
  const { model, link } = await openProgram(
    ({ messages }) => `You said: ${messages.map(({ content }) => content).join(" / ")}`,
  );
  const people = new Map(
    await Promise.all(NAMES.map(async (name) => [name, await enter(link, name)] as const)),
  );
  const [said = []] = fc.sample(traffic, 1);
  await Promise.all(
    said.map(async ({ who, thread }, index) =>
      people.get(who)?.call(`conversations/${thread}/messages`, {
        id: randomUUID(),
        text: `secret ${index}.`,
      }),
    ),
  );
  await until(() => model.requests.length >= said.length, "all to be asked", 30_000);

  for (const [name, { call, heard }] of people) {
    const own = said.flatMap(({ who }, index) => (who === name ? [`secret ${index}.`] : []));
    const all = async () =>
      JSON.stringify(await Promise.all(THREADS.map((thread) => call(`conversations/${thread}`))));
    await until(async () => !(await all()).includes('"done":false'), `the answers for ${name}`);
    const seen = [
      await all(),
      JSON.stringify(await call("conversations")),
      JSON.stringify(await call("conversations?search=secret")),
    ];
    for (const secret of [...seen, heard()].flatMap(secrets)) expect(own).toContain(secret);
    for (const secret of own) expect(seen[0]).toContain(secret);
  }
  // Within one request there is one conversation.
  for (const { messages } of model.requests) {
    const places = messages
      .flatMap(({ content }) => secrets(content))
      .map((secret) => said[Number(/\d+/.exec(secret)?.[0])])
      .map((place) => `${place?.who} in ${place?.thread}`);
    expect(new Set(places).size).toBe(1);
  }
});

function secrets(text: string): readonly string[] {
  return text.match(/secret \d+\./g) ?? [];
}

async function enter(link: string, name: string) {
  const url = new URL(link).origin;
  const cookie = await signInByName(link, name);
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const stream = await fetch(`${url}/api/events`, { headers: { cookie }, signal: over.signal });
  let news = "";
  void (async () => {
    for await (const chunk of stream.body ?? []) news += Buffer.from(chunk).toString();
  })().catch(() => undefined);
  return {
    heard: () => news,
    call: async (path: string, body?: object): Promise<unknown> => {
      const answer = await fetch(`${url}/api/${path}`, {
        headers: { cookie, ...(body && { "content-type": "application/json" }) },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
      });
      expect(answer.status).toBe(200);
      return answer.json();
    },
  };
}
