import { join } from "node:path";
import Keyv from "keyv";
import { describe, expect, test } from "vitest";
import {
  createHistory,
  openHistory,
  emptyConversation,
  MAX_CHARACTERS,
  MAX_IDS,
  MAX_MESSAGES,
} from "../../src/conversation/conversation.ts";
import { StoreError } from "../../src/errors.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";

const saying = (role: "user" | "assistant", content: string) => ({ role, content, at: 1 });

describe("history", () => {
  test("survives closing and opening the store", async () => {
    const url = `sqlite:${join(temporaryFolder(), "deep", "er", "h.sqlite")}`;
    const kept = {
      ...emptyConversation("paper:ann"),
      messages: [saying("user", "你好 👩‍👩‍👧"), saying("assistant", "hi")],
      usage: { turns: 1, input: 2, output: 3, days: {} },
      answered: ["e1"],
      outbox: { event: "e2", text: "half", shown: [{ ref: "m1", digest: "d" }] },
    };
    const store = await openStore(url);
    await (await openHistory(store)).save(kept);
    await store.close();
    const again = await openStore(url);
    expect(await (await openHistory(again)).load("paper:ann")).toEqual({
      version: 2,
      ...kept,
    });
    await again.close();
  });

  test.each([
    [true, { event: "e2", shown: [], sending: "" }],
    [false, { event: "e2", shown: [] }],
  ])("reads what version 1 wrote about a message being sent: %s", async (sending, outbox) => {
    const keyv = await (await openStore("memory:")).open("history");
    const old = { ...emptyConversation("paper:ann"), outbox: { event: "e2", shown: [], sending } };
    await keyv.set("paper:ann", { version: 1, ...old });
    expect((await createHistory(keyv).load("paper:ann")).outbox).toEqual(outbox);
  });

  test("begins empty", async () => {
    expect(await createHistory(new Keyv()).load("paper:new")).toEqual(emptyConversation("paper:new"));
  });

  test("a read error is an error, not an empty history", async () => {
    const broken = Object.assign(new Map(), {
      get: () => {
        throw new Error("disk I/O error");
      },
    });
    const history = createHistory(new Keyv({ store: broken, throwOnErrors: true }));
    await expect(history.load("paper:ann")).rejects.toThrow(StoreError);
  });

  test("a record from a newer version is neither read nor replaced", async () => {
    const keyv = new Keyv({ throwOnErrors: true });
    await keyv.set("paper:ann", { version: 99, key: "paper:ann" });
    await expect(createHistory(keyv).load("paper:ann")).rejects.toThrow(/left unchanged/);
    expect(await keyv.get("paper:ann")).toEqual({ version: 99, key: "paper:ann" });
  });

  test("stays bounded: old messages and ids leave first, and it never begins with an answer", async () => {
    const history = createHistory(new Keyv({ throwOnErrors: true }));
    const conversation = emptyConversation("paper:ann");
    for (let index = 0; index < MAX_MESSAGES; index += 1) {
      conversation.messages.push(saying("user", `q${index}`), saying("assistant", "x".repeat(5000)));
      conversation.answered.push(`e${index}`);
    }
    await history.save(conversation);
    const { messages, answered } = await history.load("paper:ann");
    expect(messages.length).toBeLessThanOrEqual(MAX_MESSAGES);
    expect(messages.reduce((sum, { content }) => sum + content.length, 0)).toBeLessThanOrEqual(
      MAX_CHARACTERS,
    );
    expect(messages[0]?.role).toBe("user");
    expect(messages.at(-2)?.content).toBe(`q${MAX_MESSAGES - 1}`);
    expect(answered).toHaveLength(MAX_IDS);
    expect(answered.at(-1)).toBe(`e${MAX_MESSAGES - 1}`);
  });
});
