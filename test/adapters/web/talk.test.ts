import { expect, test } from "vitest";
import { createRecords } from "../../../adapters/web/conversations/records.ts";
import type { Shelf } from "../../../adapters/web/conversations/shelf.ts";
import { createTalk, type Said } from "../../../adapters/web/conversations/talk.ts";
import type { ChatEvent } from "../../../src/event.ts";
import { openStore } from "../../../src/store/store.ts";
import { openShelf } from "../../../src/program/web-chat.ts";

const DOT =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Someone who speaks to a server that may die; what was taken in stays. */
async function openTalk() {
  const kept = await openShelf(await openStore("memory:"));
  const received: ChatEvent[] = [];
  let left = Number.POSITIVE_INFINITY;
  const work = async <T>(done: () => Promise<T>): Promise<T> => {
    if (left === 0) throw new Error("killed");
    left -= 1;
    return await done();
  };
  const shelf: Shelf = {
    ...kept,
    set: (key, value) => work(() => kept.set(key, value)),
    delete: (key) => work(() => kept.delete(key)),
  };
  const records = createRecords(shelf);
  const talk = createTalk({
    records,
    personas: ["pirate"],
    models: [],
    receive: (event) => work(async () => void received.push(event)),
    publish: () => undefined,
  });
  return {
    kept,
    records,
    received,
    say: (said: Said) => talk.say("ann", "one", said),
    /** After so many writes nothing goes any more, until it is called again. */
    dieAfter: (writes: number) => (left = writes),
  };
}

test("a question that is asked again is there with its images, whichever write the server dies before", async () => {
  let deaths = 0;
  for (let writes = 0; ; writes += 1) {
    const { kept, records, received, say, dieAfter } = await openTalk();
    const first = await say({ id: "a", text: "what is this?", images: [DOT] });
    await records.saveAnswer({ user: "ann", thread: "one", turn: first.turn }, [{ ref: "1", html: "A dot" }]);
    await say({ id: "b", text: "and its colour?" });
    received.length = 0;

    dieAfter(writes);
    const again: Said = { id: "c", text: "what is this?", replaces: first.turn, persona: "pirate" };
    const error = await say(again).catch((thrown: unknown) => thrown);
    dieAfter(Number.POSITIVE_INFINITY);
    if (error instanceof Error) {
      expect(error.message).toBe("killed");
      deaths += 1;
      expect(await records.turns("ann", "one")).not.toEqual([]);
      await say(again);
    }
    const turns = await records.turns("ann", "one");
    expect(turns).toMatchObject([{ text: "what is this?", images: 1, done: false }]);
    const place = { user: "ann", thread: "one", turn: turns[0]?.turn ?? "" };
    expect(await records.images(place)).toEqual([DOT]);
    expect(received.at(-1)).toMatchObject({
      id: `web:ann:one:${place.turn}`,
      attachments: [{ kind: "image" }],
      rewinds: Number(first.turn.split("-")[0]),
    });
    expect(received.map(({ command }) => command)).toContain("persona");
    expect(await records.entry("ann", "one")).toMatchObject({ title: "what is this?", at: turns[0]?.at });
    // Nothing of what was replaced is left over.
    for (const kind of ["asked", "said", "images"])
      expect((await kept.keys(`${kind}:ann:one:`)).filter((key) => !key.endsWith("-c"))).toEqual([]);
    if (!(error instanceof Error)) break;
  }
  expect(deaths).toBeGreaterThan(8);
});

test("said again later, a question takes nothing away of what came after it", async () => {
  const { records, say } = await openTalk();
  const first = await say({ id: "a", text: "one" });
  const again: Said = { id: "b", text: "two", replaces: first.turn };
  const second = await say(again);
  const third = await say({ id: "c", text: "three" });
  expect(await say(again)).toEqual(second);
  expect((await records.turns("ann", "one")).map(({ turn }) => turn)).toEqual([second.turn, third.turn]);
});

test("a choice that there is not is refused before anything is kept", async () => {
  const { records, say } = await openTalk();
  await expect(say({ id: "a", text: "hello", persona: "nobody" })).rejects.toThrow(
    "There is no persona nobody",
  );
  expect(await records.turns("ann", "one")).toEqual([]);
});
