import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { createTelegram } from "../../adapters/telegram/index.ts";
import { startTelegramSimulator } from "../../adapters/telegram/simulator/simulator.ts";
import { createColloquy } from "../../src/colloquy.ts";
import { createPacing, type WriteRefusal, type ChatPacing } from "../../src/delivery/pacing.ts";
import { PlatformError } from "../../src/errors.ts";
import { captureLog } from "../support/log.ts";
import { until } from "../../src/testing/until.ts";

/** A signal that never aborts. */
const never = () => new AbortController().signal;

/** The pacing of each chat of one platform. */
function chatsOf(pace: { direct: number; overall?: number }): (chat: string) => ChatPacing {
  const pacing = createPacing();
  return (id) => pacing.of({ name: "any", pace: { group: 0, ...pace } }, { chat: { id, kind: "direct" } });
}

const nothing = async () => undefined;

/** A write that the platform refuses for a while. */
const refuse = (retryAfterMs: number) => async () => {
  throw new PlatformError("flood", "Too fast.", { retryAfterMs });
};

describe("several processes", () => {
  /** Two processes that receive each other's refusals. */
  function together(pace: { direct: number; overall: number }) {
    const receivers: ((refusal: WriteRefusal) => void)[] = [];
    return [0, 1].map((self) => {
      const pacing = createPacing({
        writers: () => 2,
        publish: (refusal) => receivers[1 - self]?.(refusal),
        subscribe: (receive) => (receivers[self] = receive),
      });
      return (id: string) =>
        pacing.of({ name: "any", pace: { group: 0, ...pace } }, { chat: { id, kind: "direct" } });
    }) as [(chat: string) => ChatPacing, (chat: string) => ChatPacing];
  }

  test("share what is allowed over all chats", async () => {
    const pace = 10;
    const begin = Date.now();
    await Promise.all(
      together({ direct: 0, overall: pace }).flatMap((chat) =>
        Array.from({ length: 15 }, (_, index) =>
          chat(`${index}`).writeInTurn(async () => undefined, never()),
        ),
      ),
    );
    // Behind the burst, both together keep to the pace: they are no faster, however slow the machine is.
    expect(Date.now() - begin).toBeGreaterThanOrEqual(pace * (30 - 7) - 10);
  });

  test("all slow down after a refusal to one of them, in one chat or in all", async () => {
    const [mine, theirs] = together({ direct: 1, overall: 1 });
    theirs("1").waitMs(0);
    await expect(mine("1").writeInTurn(refuse(3_600_000), never())).rejects.toThrow("Too fast");
    expect(theirs("1").waitMs(0)).toBeGreaterThan(3_000_000);
    expect(theirs("2").waitMs(0)).toBe(0);
  });
});

describe("a chat", () => {
  test("takes a short burst at once, in the order in which it was asked for", async () => {
    const chat = chatsOf({ direct: 3_600_000 })("1");
    const written: number[] = [];
    const write = (n: number) => async () => void written.push(n);
    void chat.writeInTurn(write(1), never());
    void chat.writeInTurn(write(2), never());
    await chat.writeInTurn(write(3), never());
    expect(written).toEqual([1, 2, 3]);
    expect(chat.waitMs(0)).toBeGreaterThan(0);
  });

  test("keeps to its pace, whenever writes are requested", async () => {
    const pace = 10;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(25), { maxLength: 15 }), async (pauses) => {
        const chat = chatsOf({ direct: pace })("1");
        const requested: number[] = [];
        const written: number[] = [];
        const writes = pauses.map(async (ms) => {
          await new Promise((resolve) => setTimeout(resolve, ms));
          requested.push(Date.now());
          await chat.writeInTurn(async () => void written.push(Date.now()), never());
        });
        await Promise.all(writes);
        expect(written).toHaveLength(pauses.length);
        // From any request on, at most three writes are made at once, and then one per pace. This is measured from the
        // request, because a busy machine may pause between the permission to write and the write.
        for (const [first, since] of requested.entries())
          for (const [more, at] of written.slice(first).entries())
            expect(at - since).toBeGreaterThanOrEqual((more - 2) * pace - 1);
      }),
      { numRuns: 15 },
    );
  });

  test("that was refused is left alone for as long as the platform asks; others are not", async () => {
    const chat = chatsOf({ direct: 1 });
    await expect(chat("1").writeInTurn(refuse(3_600_000), never())).rejects.toThrow("Too fast");
    expect(chat("1").waitMs(5)).toBeGreaterThan(3_000_000);
    const over = new AbortController();
    const waiting = chat("1").writeInTurn(nothing, over.signal);
    await chat("2").writeInTurn(nothing, never());
    over.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
  });

  test("that was refused goes on more slowly, and skips a waiting write only when that is aborted", async () => {
    const chat = chatsOf({ direct: 1000 });
    await chat("1").write(refuse(10)).catch(nothing);
    const over = new AbortController();
    const written: number[] = [];
    const write = (n: number) => async () => void written.push(n);
    const first = chat("1").writeInTurn(write(1), over.signal);
    const second = chat("1").writeInTurn(write(2), never());
    over.abort(new Error("stopped"));
    await expect(first).rejects.toThrow("stopped");
    await second;
    expect(written).toEqual([2]);
    expect(chat("1").waitMs(0)).toBeGreaterThan(1000);
  });
});

describe("all chats together", () => {
  test("what must be written goes before what only grows", async () => {
    const chat = chatsOf({ direct: 0, overall: 30 });
    const written: string[] = [];
    const writes = Array.from({ length: 12 }, (_, n) =>
      chat(`${n}`).writeInTurn(async () => void written.push(`final ${n}`), never()),
    );
    const growing = chat("growing");
    await new Promise(setImmediate);
    await growing.waitForTurn(never());
    await growing.write(async () => void written.push("growing"));
    await Promise.all(writes);
    expect(written).toEqual([...Array.from({ length: 12 }, (_, n) => `final ${n}`), "growing"]);
  });

  test("what grows is written by turns", async () => {
    const chat = chatsOf({ direct: 0, overall: 5 });
    const written: string[] = [];
    const grow = async (id: string) => {
      for (let frame = 0; frame < 3; frame += 1) {
        await chat(id).waitForTurn(never());
        await chat(id).write(async () => void written.push(id));
      }
    };
    await Promise.all(["1", "2", "3", "4"].map(grow));
    expect(written.join("")).toBe("123412341234");
  });

  test("a call that nobody misses is left out when there is no room", async () => {
    const { writeInTurn, callIfIdle } = chatsOf({ direct: 0, overall: 3_600_000 })("1");
    let calls = 0;
    const call = () => callIfIdle(async () => void (calls += 1));
    await call();
    await writeInTurn(nothing, never());
    await call();
    expect(calls).toBe(1);
  });

  test("slow down when chats are refused that were not too fast themselves", async () => {
    const chat = chatsOf({ direct: 1000, overall: 1 });
    for (const id of ["1", "2"]) await chat(id).write(refuse(3_600_000)).catch(nothing);
    await chat("4").writeInTurn(nothing, never());
    await chat("3").write(refuse(3_600_000)).catch(nothing);
    const over = new AbortController();
    const waiting = chat("5").writeInTurn(async () => "written", over.signal);
    await chat("4").callIfIdle(async () => expect.unreachable());
    over.abort(new Error("stopped"));
    await expect(waiting).rejects.toThrow("stopped");
  });

  test("do not wait for one that is refused again and again", async () => {
    const chat = chatsOf({ direct: 1000, overall: 1 });
    for (let n = 0; n < 10; n += 1) await chat("1").write(refuse(3_600_000)).catch(nothing);
    expect(await chat("2").writeInTurn(async () => "written", never())).toBe("written");
  });
});

describe("under a platform's flood control", () => {
  // A tenth of Telegram's times, so that the test is short.
  const flood = { perChatPerSecond: 10, chatBurst: 3, overallPerSecond: 300 };
  const pace = { direct: 100, group: 300, overall: 4 };

  test("a very long answer arrives whole, and few of its messages are refused", async () => {
    const { telegram, refusals } = await openBot({ length: 60_000 });
    telegram.say("ann", "write");
    await until(() => telegram.shows("ann").join("\n").includes("The end"));
    expect(
      telegram
        .shows("ann")
        .join("\n")
        .match(/Line \d+/g),
    ).toHaveLength(600);
    expect(refusals()).toBeLessThan(telegram.shows("ann").length / 2);
  });

  test("100 people at once are all answered, and few messages are refused", async () => {
    const { telegram, refusals } = await openBot({ length: 300 });
    const people = Array.from({ length: 100 }, (_, n) => `person ${n}`);
    for (const person of people) telegram.say(person, "write");
    await until(() => people.every((person) => telegram.shows(person).join("\n").includes("The end")));
    expect(refusals()).toBeLessThan(people.length / 4);
  });

  async function openBot({ length }: { length: number }) {
    const telegram = await startTelegramSimulator({ flood });
    const { token, apiRoot } = telegram;
    const { log, lines } = captureLog();
    const text = `${Array.from({ length: length / 100 }, (_, n) => `Line ${n} ${"x".repeat(90)}`).join("\n\n")}\n\nThe end`;
    const bot = await createColloquy({
      adapters: [createTelegram({ token, apiRoot, log, pace })],
      model: {
        name: "long",
        contextTokens: 32_768,
        answer: async function* () {
          yield text;
          return { input: 1, output: 1, estimated: true };
        },
      },
      store: "memory:",
      log,
    });
    onTestFinished(async () => {
      await bot.stop();
      await telegram.close();
    });
    await bot.start();
    return { telegram, refusals: () => lines().split("did not accept a message").length - 1 };
  }
});
