import { expect, test } from "vitest";
import { createRecords } from "../../../adapters/web/conversations/records.ts";
import type { RecordStore } from "../../../adapters/web/conversations/record-store.ts";
import { createUserActions, type NewMessage } from "../../../adapters/web/conversations/user-actions.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { openStore } from "../../../src/store/store.ts";
import { openRecordStore } from "../../../src/program/web-chat.ts";

const DOT =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** A user who posts messages to a server that may die; what it has stored stays. */
async function openUser() {
  const stored = await openRecordStore(await openStore("memory:"));
  const received: ChatEvent[] = [];
  let left = Number.POSITIVE_INFINITY;
  const work = async <T>(done: () => Promise<T>): Promise<T> => {
    if (left === 0) throw new Error("killed");
    left -= 1;
    return await done();
  };
  const recordStore: RecordStore = {
    ...stored,
    set: (key, value) => work(() => stored.set(key, value)),
    delete: (key) => work(() => stored.delete(key)),
  };
  const records = createRecords(recordStore);
  const actions = createUserActions({
    records,
    personas: ["pirate"],
    models: [],
    receive: (event) => work(async () => void received.push(event)),
    publish: () => undefined,
  });
  return {
    stored,
    records,
    received,
    post: (message: NewMessage) => actions.post("ann", "one", message),
    /** After this many writes everything fails, until it is called again. */
    dieAfter: (writes: number) => (left = writes),
  };
}

test("a question that is asked again is stored with its images, whichever write the server dies before", async () => {
  let deaths = 0;
  for (let writes = 0; ; writes += 1) {
    const { stored, records, received, post, dieAfter } = await openUser();
    const first = await post({ id: "a", text: "what is this?", images: [DOT] });
    await records.saveAnswer({ user: "ann", thread: "one", turn: first.turn }, [{ ref: "1", html: "A dot" }]);
    await post({ id: "b", text: "and its colour?" });
    received.length = 0;

    dieAfter(writes);
    const again: NewMessage = { id: "c", text: "what is this?", replaces: first.turn, persona: "pirate" };
    const error = await post(again).catch((thrown: unknown) => thrown);
    dieAfter(Number.POSITIVE_INFINITY);
    if (error instanceof Error) {
      expect(error.message).toBe("killed");
      deaths += 1;
      expect(await records.turns("ann", "one")).not.toEqual([]);
      await post(again);
    }
    const turns = await records.turns("ann", "one");
    expect(turns).toMatchObject([{ text: "what is this?", images: 1, done: false }]);
    const key = { user: "ann", thread: "one", turn: turns[0]?.turn ?? "" };
    expect(await records.images(key)).toEqual([DOT]);
    expect(received.at(-1)).toMatchObject({
      id: `web:ann:one:${key.turn}`,
      attachments: [{ kind: "image" }],
      rewinds: Number(first.turn.split("-")[0]),
    });
    expect(received.map(({ command }) => command)).toContain("persona");
    expect(await records.entry("ann", "one")).toMatchObject({ title: "what is this?", at: turns[0]?.at });
    // Nothing of what was replaced is left over.
    for (const kind of ["asked", "said", "images"])
      expect((await stored.keys(`${kind}:ann:one:`)).filter((key) => !key.endsWith("-c"))).toEqual([]);
    if (!(error instanceof Error)) break;
  }
  expect(deaths).toBeGreaterThan(8);
});

test("a question that is posted again later deletes nothing that came after it", async () => {
  const { records, post } = await openUser();
  const first = await post({ id: "a", text: "one" });
  const again: NewMessage = { id: "b", text: "two", replaces: first.turn };
  const second = await post(again);
  const third = await post({ id: "c", text: "three" });
  expect(await post(again)).toEqual(second);
  expect((await records.turns("ann", "one")).map(({ turn }) => turn)).toEqual([second.turn, third.turn]);
});

test("a persona that does not exist is refused before anything is stored", async () => {
  const { records, post } = await openUser();
  await expect(post({ id: "a", text: "hello", persona: "nobody" })).rejects.toThrow(
    "There is no persona nobody",
  );
  expect(await records.turns("ann", "one")).toEqual([]);
});
