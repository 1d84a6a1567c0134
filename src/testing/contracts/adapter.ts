import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Adapter } from "../../adapter.ts";
import type { ChatEvent } from "../../event.ts";
import { parseMarkdown } from "../../text/parse/markdown.ts";
import { until } from "../until.ts";

/** An adapter, and the simulated platform that it is connected to. */
export interface AdapterUnderTest {
  readonly adapter: Adapter;
  /** The user Ann writes in her direct chat with the bot. */
  say(text: string): void;
  /** The texts of the bot that Ann sees there, oldest first. */
  shows(): string[];
  close(): Promise<void>;
}

/** A little of everything that Markdown has. */
const EVERYTHING =
  "# h\n\ntext **b** *i* `c` [l](https://x.y)\n\n- a\n  1. b\n\n> q\n\n```js\nc\n```\n\n|a|b|\n|-|-|\n|c|d|\n\n---";

/**
 * Declares the tests that every adapter must pass. A test of a capability that the adapter does not have passes.
 *
 * @example describeAdapter("my platform", async () => ({ adapter, say, shows, close }));
 */
export function describeAdapter(name: string, build: () => Promise<AdapterUnderTest>): void {
  describe(`adapter: ${name}`, () => {
    const events: ChatEvent[] = [];
    let subject: AdapterUnderTest;
    let adapter: Adapter;
    const body = (markdown: string) => adapter.dialect.print(parseMarkdown(markdown));
    const address = async () => (await until(() => events[0])).to;

    beforeAll(async () => {
      subject = await build();
      adapter = subject.adapter;
      await adapter.start(async (event) => void events.push(event), []);
    });
    afterAll(async () => {
      await adapter.stop();
      await subject.close();
    });

    test("turns a message into an event that is plain data", async () => {
      subject.say("hello there");
      const event = await until(() => events.find(({ text }) => text === "hello there"));
      expect(JSON.parse(JSON.stringify(event))).toEqual(event);
      expect(event).toMatchObject({ platform: adapter.name, chat: { kind: "direct" } });
      expect(event.command).toBeUndefined();
      expect(event.id).toMatch(new RegExp(`^${adapter.name}:`));
      expect(Math.abs(event.at - Date.now())).toBeLessThan(60_000);
    });

    test("recognises commands", async () => {
      subject.say("/reset");
      subject.say("/ask why is rain");
      await until(() => events.find(({ command }) => command === "reset"));
      const ask = await until(() => events.find(({ command }) => command === "ask"));
      expect(ask).toMatchObject({ text: "why is rain" });
    });

    test("gives every event its own id", () => {
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    });

    test("sends messages, and returns a reference for each", async () => {
      const to = await address();
      const refs = [
        await adapter.send(to, body("first"), "k#0"),
        await adapter.send(to, body("second"), "k#1"),
      ];
      expect(new Set(refs).size).toBe(2);
      await until(() => subject.shows().some((text) => text.includes("second")));
    });

    test("edit: replaces a message; the same again is no error", async () => {
      const to = await address();
      if (!adapter.edit) return;
      const ref = await adapter.send(to, body("draft"), "e#0");
      await adapter.edit(to, ref, body("final"));
      await adapter.edit(to, ref, body("final"));
      await until(() => subject.shows().some((text) => text.includes("final")));
      expect(subject.shows().join()).not.toContain("draft");
    });

    test("remove: deletes a message; one that is gone is no error", async () => {
      const to = await address();
      if (!adapter.remove) return;
      const ref = await adapter.send(to, body("mistake"), "r#0");
      await adapter.remove(to, ref);
      await adapter.remove(to, ref);
      expect(subject.shows().join()).not.toContain("mistake");
    });

    test("recovery: finds a message whose reference was lost, and makes it show the new text", async () => {
      const to = await address();
      const { recovery } = adapter;
      if (!recovery?.find) return;
      const before = await adapter.send(to, body("before"), "f#0");
      const lost = await adapter.send(to, body("half"), "f#1");
      expect(await recovery.find(to, body("whole"), [before], "f#1")).toBe(lost);
      await until(() => subject.shows().some((text) => text.includes("whole")));
      expect(subject.shows().join()).not.toContain("half");
    });

    test("files: sends a file, and says how many pages go before it", async () => {
      const to = await address();
      const { files } = adapter;
      if (!files?.send) return;
      expect(files.maxPages?.(to) ?? 1).toBeGreaterThan(0);
      const ref = await files.send(
        to,
        { name: "answer.md", content: "all of it", note: "the whole answer" },
        "x#0",
      );
      expect(ref).not.toBe("");
    });

    test("http: refuses a request that is not the platform's", async () => {
      if (!adapter.http) return;
      const request = new Request("http://localhost/no-such-path", { method: "POST", body: "[" });
      const { status } = await adapter.http.fetch(request);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    });

    test("cluster: partitions have names, and the high-water mark only rises", async () => {
      const { cluster } = adapter;
      const names = (await cluster?.partitions?.()) ?? [];
      expect(new Set(names).size).toBe(names.length);
      for (const one of names) expect(one).not.toBe("");
      const mark = cluster?.highWaterMark?.get();
      if (mark === undefined) return;
      cluster?.highWaterMark?.raise("0");
      expect(cluster?.highWaterMark?.get()).toBe(mark);
    });

    test("dialect: prints an empty page, and every kind of block, within the limits", () => {
      expect(adapter.dialect.fits(adapter.dialect.print([]))).toBe(true);
      for (const block of parseMarkdown(EVERYTHING))
        expect(adapter.dialect.fits(adapter.dialect.print([block]))).toBe(true);
    });

    test("stop: may be called twice, and sending still works", async () => {
      const to = await address();
      await adapter.stop();
      await adapter.stop();
      await adapter.send(to, body("after the end"), "s#0");
      await until(() => subject.shows().some((text) => text.includes("after the end")));
    });
  });
}
