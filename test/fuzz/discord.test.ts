import fc from "fast-check";
import { expect, test } from "vitest";
import { toInteractionEvent, toMessageEvent } from "../../adapters/discord/receive/events.ts";
import { until } from "../../src/testing/until.ts";
import { openWorld } from "../support/world.ts";
import { mostly, odd, SEED, some } from "./odd.ts";

/** Longer than a number can hold exactly, as all real ones. */
const snowflake = fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }).map(String);
const author = some(
  { username: mostly(fc.string({ unit: "binary" })), global_name: odd, bot: mostly(fc.constant(false)) },
  { id: mostly(snowflake) },
);
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("/ask why", "/__proto__", "/constructor x", "\0", "@everyone"),
);
const message = some(
  {
    content: mostly(text),
    flags: odd,
    attachments: mostly(fc.array(mostly(some({ content_type: odd })), { maxLength: 3 })),
    sticker_items: odd,
    channel_type: mostly(fc.constant(1)),
  },
  { id: mostly(snowflake), channel_id: mostly(snowflake), type: fc.constant(0), author: mostly(author) },
);
const interaction = some(
  {
    context: odd,
    locale: mostly(fc.constantFrom("en-US", "constructor", "__proto__", "zh-CN")),
    guild_id: odd,
    user: mostly(author),
    member: mostly(some({ user: mostly(author) })),
    attachment_size_limit: odd,
    authorizing_integration_owners: odd,
  },
  {
    id: mostly(snowflake),
    application_id: mostly(snowflake),
    channel_id: mostly(snowflake),
    type: mostly(fc.constant(2)),
    token: mostly(fc.constant("token")),
    data: mostly(
      some(
        { options: mostly(fc.array(mostly(some({ value: mostly(text) })), { maxLength: 2 })), type: odd },
        { name: mostly(fc.constantFrom("ask", "help", "__proto__", "constructor", "ASK")) },
      ),
    ),
  },
);
const dispatch = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant("MESSAGE_CREATE"), mostly(message)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("INTERACTION_CREATE"), mostly(interaction)) },
  fc.tuple(fc.constantFrom("MESSAGE_UPDATE", "GUILD_CREATE", "RESUMED", "__proto__", ""), odd),
);

test("odd dispatches stop nobody: the next message and the next command are answered", async () => {
  const { discord, logs } = await openWorld();
  await until(() => discord.commands.length > 0);
  for (const [type, payload] of fc.sample(dispatch, { numRuns: 300, seed: SEED })) {
    // Not every JSON value is an object: the gateway sends what it is given.
    discord.emit(type, JSON.parse(JSON.stringify(payload)) as object);
  }
  discord.say("zoe", "still there?");
  discord.ask("zoe", "and now?");
  await until(() => ["still there?", "and now?"].every((text) => discord.shows("zoe").includes(text)));
  // What was answered to people whom Discord does not know is over soon too.
  expect(discord.screen("zoe").some(({ state }) => state !== undefined)).toBe(false);
  expect(logs()).not.toMatch(/a handler failed|given up|TypeError|RangeError/);
  expect(discord.sessions()).toMatchObject({ identified: 1, resumed: 0 });
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test("ids stay the strings that they are; one that came as a number is refused, as it may be rounded", () => {
  fc.assert(
    fc.property(snowflake, snowflake, snowflake, (id, channel, user) => {
      const said = toMessageEvent({ id, channel_id: channel, type: 0, author: { id: user }, content: "hi" });
      expect(said).toMatchObject({ id: `discord:${id}`, user: { id: user }, chat: { id: channel } });
      expect(said?.to).toEqual({ channel, question: id });
      const command = { id, application_id: "1", type: 2, token: "t", data: { name: "ask" } };
      const asked = toInteractionEvent({ ...command, channel_id: channel, user: { id: user } });
      expect(asked?.event).toMatchObject({
        id: `discord:${id}`,
        user: { id: user },
        to: { channel, user, id },
      });
      for (const rounded of [
        { id: Number(id) },
        { channel_id: Number(channel) },
        { author: { id: Number(user) } },
      ]) {
        const message = { id, channel_id: channel, type: 0, author: { id: user }, content: "hi", ...rounded };
        expect(toMessageEvent(message)).toBeUndefined();
      }
    }),
    { seed: SEED },
  );
});

test("an event is plain data, whatever it was made of", () => {
  let events = 0;
  fc.assert(
    fc.property(fc.oneof(message, interaction), (payload) => {
      const raw: unknown = JSON.parse(JSON.stringify(payload));
      for (const event of [toMessageEvent(raw), toInteractionEvent(raw)?.event]) {
        if (!event) continue;
        events += 1;
        expect(JSON.parse(JSON.stringify(event))).toEqual(event);
        expect(Number.isSafeInteger(event.at)).toBe(true);
      }
    }),
    { numRuns: 300, seed: SEED },
  );
  expect(events).toBeGreaterThan(30);
});
