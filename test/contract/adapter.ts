import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Adapter } from "../../src/adapter.ts";
import type { ChatEvent } from "../../src/event.ts";
import { parseMarkdown } from "../../src/text/parse/markdown.ts";
import { until } from "../support/until.ts";

/** An adapter and the platform that it talks to. */
export interface AdapterHouse {
  readonly adapter: Adapter;
  /** Ann says something in her direct chat. */
  say(text: string): void;
  /** The bot's texts that Ann sees in it. */
  shows(): string[];
  close(): Promise<void>;
}

/** The contract that every adapter keeps. */
export function describeAdapter(name: string, build: () => Promise<AdapterHouse>): void {
  describe(`adapter: ${name}`, () => {
    const events: ChatEvent[] = [];
    let house: AdapterHouse;
    let adapter: Adapter;
    const body = (markdown: string) => adapter.dialect.print(parseMarkdown(markdown));

    beforeAll(async () => {
      house = await build();
      adapter = house.adapter;
      await adapter.start(async (event) => void events.push(event), []);
    });
    afterAll(async () => {
      await adapter.stop();
      await house.close();
    });

    test("turns what is said into an event that is plain data", async () => {
      house.say("hello there");
      const event = await until(() => events.find(({ text }) => text === "hello there"));
      expect(JSON.parse(JSON.stringify(event))).toEqual(event);
      expect(event).toMatchObject({ platform: adapter.name, chat: { kind: "direct" } });
      expect(event.command).toBeUndefined();
      expect(event.id).toMatch(new RegExp(`^${adapter.name}:`));
      expect(Math.abs(event.at - Date.now())).toBeLessThan(60_000);
    });

    test("tells commands from text", async () => {
      house.say("/reset");
      house.say("/ask why is rain");
      await until(() => events.find(({ command }) => command === "reset"));
      expect(await until(() => events.find(({ command }) => command === "ask"))).toMatchObject({
        text: "why is rain",
      });
    });

    test("every event has its own id", () => {
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    });

    test("sends, and returns a reference of its own for each message", async () => {
      const { to } = await until(() => events[0]);
      const refs = [
        await adapter.send(to, body("first"), "k#0"),
        await adapter.send(to, body("second"), "k#1"),
      ];
      expect(new Set(refs).size).toBe(2);
      await until(() => house.shows().some((text) => text.includes("second")));
    });

    test("edits, where it can; the same again is no error", async () => {
      const { to } = await until(() => events[0]);
      if (!adapter.edit) return expect(adapter.edit).toBeUndefined();
      const ref = await adapter.send(to, body("draft"), "e#0");
      await adapter.edit(to, ref, body("final"));
      await adapter.edit(to, ref, body("final"));
      await until(() => house.shows().some((text) => text.includes("final")));
      expect(house.shows().join()).not.toContain("draft");
    });

    test("removes, where it can; what is gone already is no error", async () => {
      const { to } = await until(() => events[0]);
      if (!adapter.remove) return expect(adapter.remove).toBeUndefined();
      const ref = await adapter.send(to, body("mistake"), "r#0");
      await adapter.remove(to, ref);
      await adapter.remove(to, ref);
      expect(house.shows().join()).not.toContain("mistake");
    });

    test("its dialect takes nothing, and something of everything", () => {
      expect(adapter.dialect.fits(adapter.dialect.print([]))).toBe(true);
      const all =
        "# h\n\ntext **b** *i* `c` [l](https://x.y)\n\n- a\n  1. b\n\n> q\n\n```js\nc\n```\n\n|a|b|\n|-|-|\n|c|d|\n\n---";
      for (const block of parseMarkdown(all))
        expect(adapter.dialect.fits(adapter.dialect.print([block]))).toBe(true);
    });

    test("stops, twice if need be, and can send nevertheless", async () => {
      const { to } = await until(() => events[0]);
      await adapter.stop();
      await adapter.stop();
      await adapter.send(to, body("after the end"), "s#0");
      await until(() => house.shows().some((text) => text.includes("after the end")));
    });
  });
}
