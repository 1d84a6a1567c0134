import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { toEvent } from "../../adapters/telegram/receive/updates.ts";
import { loadSettings } from "../../config/settings.ts";
import { startProgram } from "../../src/program/start.ts";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";
import { mostly, odd, SEED, some } from "./odd.ts";

const ME = { id: 7_000_000_001, username: "colloquy_bot" };

const now = () => Math.floor(Date.now() / 1000);
const locale = fc.constantFrom("en", "zh-hans", "constructor", "__proto__", "x".repeat(500));
const person = some(
  {
    is_bot: mostly(fc.constant(false)),
    first_name: mostly(fc.string({ unit: "binary" })),
    language_code: mostly(locale),
  },
  { id: mostly(fc.integer({ min: 1, max: 5 })) },
);
const chat = fc.record({
  id: mostly(fc.integer({ min: -5, max: 5 })),
  type: mostly(fc.constantFrom("private", "group")),
});
const entity = some({
  type: mostly(fc.constantFrom("mention", "text_mention", "bot_command")),
  offset: mostly(fc.nat(40)),
  length: mostly(fc.nat(40)),
  user: mostly(person),
});
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "/ask",
    "/ask why",
    "/constructor",
    "/__proto__ x",
    "@colloquy_bot hi",
    "/help@other_bot",
    "\0",
  ),
);
const message = some(
  {
    caption: odd,
    entities: mostly(fc.array(mostly(entity), { maxLength: 4 })),
    photo: odd,
    message_thread_id: odd,
    reply_to_message: mostly(some({ from: mostly(person) })),
  },
  {
    message_id: mostly(fc.nat()),
    date: mostly(fc.constant(now())),
    from: mostly(person),
    chat: mostly(chat),
    text: mostly(text),
  },
);
const stopped = some({}, { chat: mostly(person) });
const update = fc.oneof(
  { weight: 8, arbitrary: some({}, { message: mostly(message) }) },
  { weight: 1, arbitrary: some({}, { stopped_message_generation: mostly(stopped) }) },
  { weight: 1, arbitrary: some({ edited_message: odd, callback_query: odd }, { message: fc.constant({}) }) },
);

/** What the network makes of it: JSON, and in it the keys that a literal cannot have. */
function overTheWire(value: object): object {
  return Object(JSON.parse(JSON.stringify(value)));
}

/** The program with its default settings, but for the webhook. */
async function open(more: Record<string, string> = {}) {
  const [telegram, service] = await Promise.all([startTelegramSimulator(), startModelSimulator()]);
  const { log, lines } = captureLog();
  const store = `sqlite:${join(temporaryFolder(), "store.sqlite")}`;
  const settings = loadSettings({
    OPENAI_API_KEY: service.key,
    OPENAI_BASE_URL: service.baseURL,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.apiRoot,
    STORE_URL: store,
    HTTP_PORT: "0",
    MESSAGES_PER_MINUTE: "1000",
    ...more,
  });
  const program = await startProgram({ settings, log });
  onTestFinished(async () => {
    await program.stop();
    await Promise.all([telegram.close(), service.close()]);
  });
  await program.connected;
  const waiting = async () => {
    const opened = await openStore(store);
    let count = 0;
    for await (const _ of (await opened.open("queue")).iterator?.({}) ?? []) count += 1;
    await opened.close();
    return count;
  };
  return { telegram, service, program, lines, waiting };
}

test("odd updates by polling are acknowledged, whatever they are, and the next good one is answered", async () => {
  const { telegram, lines, waiting } = await open();
  for (const each of fc.sample(update, { numRuns: 400, seed: SEED })) telegram.update(overTheWire(each));
  telegram.say("zoe", "still there?");
  await until(() => telegram.shows("zoe").includes("still there?"));
  await until(() => telegram.pending === 0);
  await until(async () => (await waiting()) === 0);
  expect(lines()).toContain("malformed update");
  expect(lines()).toContain('"answered"');
  // Nothing went wrong in a way that nobody has thought of.
  expect(lines()).not.toMatch(/a handler failed|could not finish a turn|given up|TypeError|RangeError/);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("updates whose numbers make no sense do not keep the others away", async () => {
  const { telegram } = await open();
  for (const update_id of ["7", null, -3, 1.5, 2 ** 60, {}])
    telegram.update({ update_id, message: { text: "?" } });
  telegram.say("zoe", "still there?");
  await until(() => telegram.shows("zoe").includes("still there?"));
  await until(() => telegram.pending === 0);
});

test("odd updates by webhook get 200 or 400, a replayed one is answered once, and none is without the secret", async () => {
  const { telegram, service, program, lines, waiting } = await open({
    TELEGRAM_WEBHOOK_URL: "http://127.0.0.1:9/webhooks/telegram",
    TELEGRAM_WEBHOOK_SECRET: "the-secret",
  });
  const post = async (body: string, secret = "the-secret") => {
    const headers = { "x-telegram-bot-api-secret-token": secret };
    return (await fetch(`${program.url}/webhooks/telegram`, { method: "POST", headers, body })).status;
  };
  const forged = JSON.stringify(letter(telegram.userId("zoe"), { update_id: 1, text: "forged" }));
  expect(await post(forged, "the-secreT")).toBe(401);
  let number = 100;
  const numbered = update.map((fields) => JSON.stringify({ update_id: (number += 1), ...fields }));
  const body = fc.oneof({ weight: 6, arbitrary: numbered }, fc.json(), fc.string({ unit: "binary" }));
  for (const each of fc.sample(body, { numRuns: 300, seed: SEED }))
    expect([200, 400]).toContain(await post(each));
  const good = JSON.stringify(letter(telegram.userId("zoe"), { update_id: 9000, text: "still there?" }));
  telegram.say("zoe", "by the way");
  expect(await Promise.all(Array.from({ length: 20 }, () => post(good)))).toEqual(Array(20).fill(200));
  await until(() => telegram.shows("zoe").includes("still there?"));
  expect(await post(good)).toBe(200);
  await until(async () => (await waiting()) === 0);
  expect(telegram.shows("zoe").filter((text) => text === "still there?")).toHaveLength(1);
  expect(service.requests.filter(({ messages }) => messages.at(-1)?.content === "still there?")).toHaveLength(
    1,
  );
  expect(JSON.stringify(service.requests)).not.toContain("forged");
  expect(lines()).not.toMatch(/a handler failed|could not finish a turn|given up|TypeError|RangeError/);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("ids that no number can hold exactly are refused, never rounded to somebody else's", () => {
  const id = fc.oneof(
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n),
  );
  let exact = 0;
  fc.assert(
    fc.property(id, id, (user, chat) => {
      const json = `{"update_id":1,"message":{"message_id":1,"date":1,"text":"hi","from":{"id":${user}},"chat":{"id":${chat},"type":"group"},"reply_to_message":{"from":{"id":${ME.id}}}}}`;
      let event: ReturnType<typeof toEvent>;
      try {
        event = toEvent(JSON.parse(json), ME);
      } catch {
        expect([user, chat].every((each) => Number.isSafeInteger(Number(each)))).toBe(false);
        return;
      }
      exact += 1;
      expect([event?.user.id, event?.chat.id, JSON.stringify(event?.to["chat"])]).toEqual([
        `${user}`,
        `${chat}`,
        `${chat}`,
      ]);
    }),
    { numRuns: 500, seed: SEED },
  );
  expect(exact).toBeGreaterThan(50);
});

function letter(user: number, { update_id, text }: { update_id: number; text: string }): object {
  const chat = { id: user, type: "private" };
  const from = { id: user, is_bot: false, first_name: "Zoe" };
  return { update_id, message: { message_id: update_id, date: now(), text, chat, from } };
}
