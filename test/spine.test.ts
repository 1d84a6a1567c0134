import { describe, expect, test } from "vitest";
import { allowOnly } from "../src/access/allow.ts";
import { createMessageRate, limitMessageRate } from "../src/access/pace.ts";
import type { Message } from "../src/model/model.ts";
import type { SimulatedRequest } from "../src/testing/openai.ts";
import { openStore } from "../src/store/store.ts";
import { until } from "../src/testing/until.ts";
import { openWorld } from "./support/world.ts";

/** What was said so far, as the model saw it, without the persona. */
const said = ({ messages }: { messages: readonly Message[] }) =>
  messages.filter(({ role }) => role !== "system").map(({ content }) => content);
const question = ({ messages }: SimulatedRequest) => messages.at(-1)?.content ?? "";
const letters = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, "");

/** A refusal as the Bot API writes it. */
const refusal = (status: number, description: string, parameters?: object) => ({
  status,
  body: { ok: false, error_code: status, description, ...(parameters && { parameters }) },
});

describe("a person asks and gets the whole answer", () => {
  test("on Telegram, with the conversation so far", async () => {
    const { telegram, model } = await openWorld({ reply: (request) => `You said: **${question(request)}**` });
    telegram.say("ann", "why is rain");
    await until(() => telegram.shows("ann").includes("You said: why is rain"));
    telegram.say("ann", "/ask and snow?");
    await until(() => telegram.shows("ann").includes("You said: and snow?"));
    expect(said(model.requests[1]!)).toEqual(["why is rain", "You said: **why is rain**", "and snow?"]);
    expect(model.requests[1]?.messages[0]).toEqual({ role: "system", content: "You are a test." });
    const answer = telegram.screen("ann").find(({ from }) => from === "bot");
    expect(answer?.entities).toMatchObject([{ type: "bold", offset: 10, length: 11 }]);
  });

  test("on Discord, in a DM and by /ask, in one conversation", async () => {
    const { discord, model } = await openWorld();
    discord.say("ann", "first");
    await until(() => discord.shows("ann").includes("first"));
    discord.ask("ann", "second");
    await until(() => discord.shows("ann").includes("second"));
    expect(said(model.requests[1]!)).toEqual(["first", "first", "second"]);
    expect(discord.screen("ann").some(({ state }) => state !== undefined)).toBe(false);
  });

  test("what was said in private is not quoted in a server", async () => {
    const { discord, model } = await openWorld();
    discord.say("ann", "my secret is 42");
    await until(() => discord.shows("ann").length === 1);
    discord.ask("ann", "hello", { where: "guild" });
    await until(() => model.requests.length === 2);
    expect(said(model.requests[1]!)).toEqual(["hello"]);
  });

  test.each(["telegram", "discord"] as const)(
    "20,000 characters with code arrive whole on %s",
    async (name) => {
      const section = (n: number) =>
        `## Part ${n}\n\nText of *part ${n}* with \`code${n}\`.\n\n\`\`\`python\n${`print("line of part ${n}")\n`.repeat(40)}\`\`\`\n\n`;
      const answer = Array.from({ length: 20 }, (_, n) => section(n)).join("");
      const world = await openWorld({ reply: { text: answer, pieces: 200, delayMs: 2 } });
      world[name].say("ann", "tell me everything");
      const fences = name === "discord" ? /```(python)?/g : /$^/g;
      const shown = () => letters(world[name].shows("ann").join("\n").replace(fences, ""));
      const expected = letters(answer.replace(/```(python)?/g, ""));
      await until(() => shown() === expected);
      expect(Math.max(...world[name].shows("ann").map((text) => text.length))).toBeLessThanOrEqual(4096);
    },
  );

  test("/ask with a long answer goes on in follow-ups", async () => {
    const answer = Array.from({ length: 40 }, (_, n) => `Paragraph ${n} ${"word ".repeat(40)}`).join("\n\n");
    const { discord } = await openWorld({ reply: answer });
    discord.ask("ann", "tell me", { where: "guild" });
    const shown = () => letters(discord.shows("ann", "general").join(" "));
    await until(() => shown() === letters(answer));
  });

  test("an answer that is there at once is one message and no edit", async () => {
    const { telegram, logs } = await openWorld();
    telegram.say("ann", "/help");
    await until(() => logs().includes('"answered"'));
    expect(telegram.calls.filter(({ method }) => /^(send|edit)Message/.test(method))).toHaveLength(1);
  });
});

describe("order and isolation", () => {
  test("200 people at once, and none waits for a slow one", async () => {
    let release = () => {};
    const slow = new Promise<void>((resolve) => (release = resolve));
    const { telegram } = await openWorld({
      reply: async (request) => {
        if (question(request) === "slow") await slow;
        return `re ${question(request)}`;
      },
    });
    telegram.say("slowpoke", "slow");
    const people = Array.from({ length: 200 }, (_, n) => `person${n}`);
    for (const person of people) telegram.say(person, person);
    await until(() => people.every((person) => telegram.shows(person).includes(`re ${person}`)));
    expect(telegram.shows("slowpoke")).toEqual([]);
    release();
    await until(() => telegram.shows("slowpoke").includes("re slow"));
  });

  test("an update that comes twice is answered once, even after it was answered", async () => {
    const { telegram, model } = await openWorld();
    const message = {
      message_id: 900,
      date: Math.floor(Date.now() / 1000),
      from: { id: 77, is_bot: false, first_name: "Ann" },
      chat: { id: 77, type: "private", first_name: "Ann" },
      text: "only once",
    };
    telegram.update({ update_id: 5_000_000, message });
    telegram.update({ update_id: 5_000_000, message });
    const sent = () => telegram.calls.filter(({ method }) => method === "sendMessage").length;
    await until(() => sent() === 1 && telegram.pending === 0);
    telegram.update({ update_id: 5_000_000, message });
    telegram.update({ update_id: 5_000_001, message: { ...message, message_id: 901, text: "another" } });
    await until(() => sent() === 2 && telegram.pending === 0);
    expect(model.requests.map(question)).toEqual(["only once", "another"]);
  });
});

describe("/reset and /stop", () => {
  test("/reset during an answer stops it, and the next question finds nothing", async () => {
    const { telegram, model } = await openWorld({
      reply: (request) =>
        question(request) === "long"
          ? { text: "word ".repeat(5000), pieces: 5000, delayMs: 5 }
          : `re ${question(request)}`,
    });
    telegram.say("ann", "remember me");
    await until(() => telegram.shows("ann").length === 1);
    telegram.say("ann", "long");
    await until(() => telegram.shows("ann").length === 2);
    telegram.say("ann", "/reset");
    telegram.say("ann", "who am I");
    await until(() => telegram.shows("ann").includes("re who am I"));
    expect(telegram.shows("ann")[1]).toMatch(/word.*\(stopped\)$/s);
    expect(said(model.requests.at(-1)!)).toEqual(["who am I"]);
    await until(() => model.requests[1]?.aborted);
  });

  test("/stop keeps what was said", async () => {
    const { discord, model } = await openWorld({
      reply: (request) =>
        question(request) === "long" ? { text: "word ".repeat(2000), pieces: 2000, delayMs: 5 } : "short",
    });
    discord.say("ann", "long");
    await until(() => discord.shows("ann")[0]?.includes("word"));
    discord.say("ann", "/stop");
    await until(() => discord.shows("ann").includes("Stopped."));
    discord.say("ann", "go on");
    await until(() => discord.shows("ann").includes("short"));
    const past = said(model.requests.at(-1)!);
    expect(past).toHaveLength(3);
    expect(past[1]).toMatch(/^word/);
    expect(past[1]).not.toContain("stopped");
  });

  test("what is said about a stopped answer is not part of its code", async () => {
    const { telegram } = await openWorld({
      reply: {
        text: `Look:\n\n- a list\n\n  \`\`\`js\n${"  code();\n".repeat(500)}`,
        pieces: 500,
        delayMs: 5,
      },
    });
    telegram.say("ann", "code");
    await until(() => telegram.shows("ann")[0]?.includes("code();"));
    telegram.say("ann", "/stop");
    await until(() => telegram.shows("ann").includes("Stopped."));
    const answer = telegram.screen("ann").find(({ text }) => text.endsWith("(stopped)"));
    const pre = answer?.entities.find(({ type }) => type === "pre");
    expect(answer?.text.slice(pre?.offset, (pre?.offset ?? 0) + (pre?.length ?? 0))).toMatch(
      /^(code\(\);?\s*)+/,
    );
    expect(answer?.text.slice((pre?.offset ?? 0) + (pre?.length ?? 0)).trim()).toBe("(stopped)");
  });

  test("by Discord's /reset", async () => {
    const { discord, model } = await openWorld();
    discord.say("ann", "first");
    await until(() => discord.shows("ann").length === 1);
    discord.ask("ann", "", { command: "reset", locale: "zh-CN" });
    await until(() => discord.shows("ann").some((text) => text.includes("忘掉")));
    discord.say("ann", "second");
    await until(() => discord.shows("ann").includes("second"));
    expect(said(model.requests.at(-1)!)).toEqual(["second"]);
  });
});

describe("when the model fails", () => {
  test.each([
    ["no key", { status: 401 }, /rejected my key/],
    ["no credit", { status: 429, body: { error: { code: "insufficient_quota", message: "x" } } }, /credit/],
    ["a login page", { kind: "html" as const, times: 5 }, /could not understand/],
    ["an unknown model", { status: 404 }, /does not exist/],
  ])(
    "%s: the person is told, and can ask again",
    async (_, fault, sentence) => {
      const { telegram, model, logs } = await openWorld();
      model.fail(fault);
      telegram.say("ann", "first");
      // What may pass is tried five times, with growing pauses.
      const isTold = () => telegram.shows("ann").some((text) => sentence.test(text));
      await until(isTold, "the sentence that says what is wrong", 40_000);
      expect(logs()).toContain("the model did not answer");
      telegram.say("ann", "second");
      await until(() => telegram.shows("ann").includes("second"));
      expect(said(model.requests.at(-1)!)).toEqual(["second"]);
    },
    60_000,
  );

  test("in the person's language", async () => {
    const { telegram, model } = await openWorld();
    model.fail({ status: 401 });
    telegram.say("ann", "你好", { locale: "zh-hans" });
    await until(() => telegram.shows("ann").some((text) => text.includes("密钥")));
  });

  test("an answer cut off is kept, and marked", async () => {
    const { telegram, model } = await openWorld({ reply: { text: "one two three four", pieces: 4 } });
    model.fail({ kind: "cut", after: 2 });
    telegram.say("ann", "count");
    await until(() => telegram.shows("ann").some((text) => /^one two.*cut off here/s.test(text)));
    telegram.say("ann", "go on");
    await until(() => model.requests.length === 2);
    expect(said(model.requests[1]!)[1]).toMatch(/^one two/);
    expect(said(model.requests[1]!)[1]).not.toContain("cut off");
  });

  test("a conversation too long for the model is asked again with less of it", async () => {
    const { telegram, model } = await openWorld({ contextTokens: 400, reply: "noted ".repeat(100) });
    for (let n = 0; n < 4; n += 1) {
      telegram.say("ann", `message ${n}`);
      await until(() => telegram.shows("ann").length === n + 1);
      await until(() => telegram.shows("ann")[n]?.length === 599);
    }
    expect(said(model.requests.at(-1)!).at(-1)).toBe("message 3");
  });

  test("a question too long by itself is told, and does not stick", async () => {
    const { telegram } = await openWorld({ contextTokens: 300 });
    telegram.say("ann", "word ".repeat(700));
    await until(() => telegram.shows("ann").some((text) => text.includes("too long")));
    telegram.say("ann", "short");
    await until(() => telegram.shows("ann").includes("short"));
  });

  test("reasoning is neither shown nor kept", async () => {
    const { telegram, model } = await openWorld({
      reply: { text: "<think>hmm, secret thoughts</think>The answer.", reasoning: "more thoughts" },
    });
    telegram.say("ann", "think");
    await until(() => telegram.shows("ann").includes("The answer."));
    telegram.say("ann", "again");
    await until(() => model.requests.length === 2);
    expect(JSON.stringify(model.requests[1]?.messages)).not.toContain("thoughts");
  });
});

describe("when the platform fails", () => {
  test("floods, outages and cut connections only delay the answer", async () => {
    const { telegram } = await openWorld({ reply: { text: "word ".repeat(2000), pieces: 50, delayMs: 5 } });
    const flood = refusal(429, "Too Many Requests: retry after 1", { retry_after: 1 });
    telegram.fail({ method: "sendMessage", how: flood });
    telegram.fail({ method: "editMessageText", how: { status: 502 } });
    telegram.fail({ method: "editMessageText", how: "after" });
    telegram.say("ann", "hello");
    await until(() => telegram.shows("ann").join(" ").split(" ").length === 2000);
    expect(telegram.shows("ann")).toHaveLength(3);
  });

  test("a post whose answer was lost stands once on Discord", async () => {
    const { discord } = await openWorld({ reply: "once" });
    discord.fail({ method: "POST", path: /messages$/, connection: "after" });
    discord.say("ann", "hello");
    discord.say("bob", "hello");
    // Two posts, and a look at what became of the one without an answer.
    await until(() => discord.calls.filter(({ path }) => /\/messages(?:\?|$)/.test(path)).length === 3);
    await until(() => discord.shows("ann").length === 1 && discord.shows("bob").length === 1);
    expect([discord.shows("ann"), discord.shows("bob")]).toEqual([["once"], ["once"]]);
  });

  test("a post whose answer was lost stands once on Telegram, and whole", async () => {
    const { telegram } = await openWorld({ reply: { text: "word ".repeat(100), pieces: 100, delayMs: 3 } });
    telegram.say("ann", "an earlier question");
    await until(() => telegram.shows("ann")[0]?.split(" ").length === 100);
    telegram.fail({ method: "sendMessage", how: "after" });
    telegram.say("ann", "hello");
    await until(() => telegram.shows("ann")[1]?.split(" ").length === 100);
    expect(telegram.shows("ann")).toHaveLength(2);
    expect(telegram.screen("ann")[1]?.text.split(" ")).toHaveLength(100);
  });

  test("someone who has blocked the bot holds up nobody, not even themself later", async () => {
    const { telegram, logs } = await openWorld();
    telegram.block("ann");
    telegram.say("ann", "hello");
    await until(() => /cannot be delivered.*blocked/.test(logs()));
    telegram.block("ann", false);
    telegram.say("ann", "again");
    await until(() => telegram.shows("ann").includes("again"));
  });

  test("the rest of an answer whose message was taken away is sent anew", async () => {
    const { telegram } = await openWorld({ reply: { text: "word ".repeat(100), pieces: 100, delayMs: 5 } });
    const gone = refusal(400, "Bad Request: message to edit not found");
    telegram.say("ann", "hello");
    await until(() => telegram.shows("ann").length === 1);
    telegram.fail({ method: "editMessageText", how: gone });
    await until(() => telegram.shows("ann").length === 2);
    await until(() => telegram.shows("ann")[1]?.split(" ").length === 100);
  });
});

describe("when the store fails", () => {
  test("nothing is overwritten, the person is told once, and answered when it is back", async () => {
    const { telegram, model, store } = await openWorld();
    telegram.say("ann", "first");
    await until(() => telegram.shows("ann").includes("first"));
    const sql = (await (await openStore(store)).open("history")).store as {
      query(sql: string): Promise<unknown>;
    };
    await sql.query("ALTER TABLE history RENAME TO elsewhere");
    telegram.say("ann", "second");
    await until(() => telegram.shows("ann").some((text) => text.includes("cannot reach my memory")));
    expect(model.requests).toHaveLength(1);
    await sql.query("DROP TABLE IF EXISTS history");
    await sql.query("ALTER TABLE elsewhere RENAME TO history");
    await until(() => telegram.shows("ann").includes("second"));
    expect(said(model.requests[1]!)).toEqual(["first", "first", "second"]);
    expect(telegram.shows("ann").filter((text) => text.includes("memory"))).toHaveLength(1);
  });
});

describe("access", () => {
  test("a user who is not on the list is told their own entry, and costs nothing", async () => {
    const { telegram, model } = await openWorld({ middleware: [allowOnly(new Set(["telegram:1"]))] });
    telegram.say("ann", "let me in");
    await until(() => telegram.shows("ann").some((text) => /telegram:\d+/.test(text)));
    expect(model.requests).toHaveLength(0);
  });

  test("a user who writes too fast is told once, and /reset goes through", async () => {
    const { telegram, model } = await openWorld({
      middleware: [
        limitMessageRate({ pace: createMessageRate({ messagesPerMinute: 2 }), always: new Set(["reset"]) }),
      ],
    });
    for (let n = 0; n < 6; n += 1) telegram.say("ann", `m${n}`);
    telegram.say("ann", "/reset");
    telegram.say("bob", "I am patient");
    await until(() => telegram.shows("bob").length === 1);
    await until(() => telegram.shows("ann").some((text) => text.includes("forgotten")));
    expect(telegram.shows("ann").filter((text) => text.includes("too fast"))).toHaveLength(1);
    expect(model.requests.length).toBeLessThanOrEqual(3);
  });
});

describe("handlers", () => {
  test("what a handler throws is an apology, and a log line", async () => {
    const { telegram, logs } = await openWorld({
      middleware: [
        (turn, next) => {
          if (turn.event.text === "boom") throw new Error("the middleware broke");
          return next();
        },
      ],
    });
    telegram.say("ann", "boom");
    await until(() => telegram.shows("ann").some((text) => text.includes("went wrong")));
    expect(logs()).toContain("the middleware broke");
  });

  test("an unknown command is told", async () => {
    const { telegram } = await openWorld();
    telegram.say("ann", "/dance");
    await until(() => telegram.shows("ann").some((text) => text.includes("/dance")));
  });

  test("/help lists the commands, the bot's own too, in the person's language", async () => {
    const dance = { name: "dance", description: { en: "Dance", zh: "跳舞" }, run: () => "💃" };
    const { telegram } = await openWorld({ commands: [dance] });
    telegram.say("ann", "/help", { locale: "zh-hans" });
    await until(() => telegram.shows("ann").some((text) => /\/dance – 跳舞/.test(text)));
  });

  test("message text is not logged", async () => {
    const { telegram, logs } = await openWorld({ reply: "a very private answer" });
    telegram.say("ann", "a very private question");
    await until(() => telegram.shows("ann").length === 1);
    await until(() => logs().includes('"answered"'));
    expect(logs()).not.toContain("very private");
  });
});
