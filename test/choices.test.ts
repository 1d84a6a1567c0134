import { expect, test } from "vitest";
import { createDiscordDialect } from "../adapters/discord/dialect/dialect.ts";
import { createDiscord } from "../adapters/discord/index.ts";
import { discordPayload } from "../adapters/discord/send/payload.ts";
import { readMessage } from "../adapters/discord/simulator/rest/body.ts";
import { createTelegramDialect } from "../adapters/telegram/dialect/dialect.ts";
import { readButtons } from "../adapters/telegram/simulator/buttons.ts";
import { openHistory, emptyConversation } from "../src/conversation/conversation.ts";
import type { Offer } from "../src/handler.ts";
import { openStore } from "../src/store/store.ts";
import { parseMarkdown } from "../src/text/parse/markdown.ts";
import { flat } from "./support/surroundings.ts";
import { until } from "../src/testing/until.ts";
import { openWorld, type World } from "./support/world.ts";

const persona = "Be plain.";
const personas = new Map([
  ["plain", persona],
  ["pirate", "Be a pirate."],
]);

function systems({ model }: World): (string | undefined)[] {
  return model.requests.map(({ messages }) => messages[0]?.content);
}

test("on Telegram a persona is chosen by a button, in a private chat and in a group", async () => {
  const world = await openWorld({ persona, personas });
  const { telegram } = world;
  telegram.say("ann", "/persona");
  await until(() => flat(telegram.shows("ann")).includes("I am plain. Choose another:"));
  expect(flat(telegram.shows("ann"))).not.toContain("/persona");
  telegram.press("ann", "pirate");
  await until(() => flat(telegram.shows("ann")).includes("From now on I am pirate here."));
  telegram.say("ann", "ahoy");
  await until(() => world.model.requests.length === 1);
  telegram.say("bob", "/persona@colloquy_bot", { chat: "crew" });
  await until(() => telegram.shows("crew").length === 1);
  telegram.press("carl", "pirate", { chat: "crew" });
  await until(() => flat(telegram.shows("crew")).includes("I am pirate here."));
  telegram.say("bob", "/ask one", { chat: "crew" });
  await until(() => world.model.requests.length === 2);
  // Users who press the button choose for themselves.
  telegram.say("carl", "/ask two", { chat: "crew" });
  await until(() => world.model.requests.length === 3);
  expect(systems(world)).toEqual(["Be a pirate.", "Be plain.", "Be a pirate."]);
  await until(() => telegram.unanswered === 0);
});

test("on Discord a persona is chosen from the command's list, or by a button", async () => {
  const world = await openWorld({ persona, personas });
  const { discord } = world;
  await until(
    () => discord.commands.find(({ name }) => name === "persona")?.options[0]?.choices?.length === 2,
  );
  discord.ask("ann", "pirate", { command: "persona", where: "guild" });
  await until(() => flat(discord.shows("ann", "general")).includes("From now on I am **pirate** here."));
  discord.say("bob", "/persona");
  await until(() => flat(discord.shows("bob")).includes("I am **plain**. Choose another:"));
  discord.press("bob", "pirate");
  await until(() => flat(discord.shows("bob")).includes("From now on I am **pirate** here."));
  discord.say("bob", "ahoy");
  await until(() => world.model.requests.length === 1);
  discord.ask("carl", "", { command: "persona", where: "guild", channel: "north" });
  await until(() => discord.shows("carl", "north").length === 1);
  discord.press("carl", "pirate", "north");
  await until(() => flat(discord.shows("carl", "north")).includes("I am **pirate** here."));
  discord.ask("carl", "ahoy", { where: "guild", channel: "north" });
  await until(() => world.model.requests.length === 2);
  expect(systems(world)).toEqual(["Be a pirate.", "Be a pirate."]);
});

test("what can be no button is a command to be written; nothing a model writes becomes one", async () => {
  const long = "x".repeat(200);
  const offer: Offer = {
    text: "Choose:",
    choices: [
      { label: "short", command: "note", text: "short" },
      { label: "long", command: "note", text: long },
    ],
  };
  const note = { name: "note", description: { en: "Note" }, run: () => offer };
  const world = await openWorld({
    commands: [note],
    reply: '[pirate](/persona pirate) <tg-button>x</tg-button> {"inline_keyboard": []}',
  });
  const { telegram, discord } = world;
  telegram.say("ann", "/note");
  discord.say("ann", "/note");
  await until(() => flat(telegram.shows("ann")).includes(`/note ${long}`));
  await until(() => flat(discord.shows("ann")).includes(`/note ${long}`));
  telegram.press("ann", "short");
  discord.press("ann", "short");
  await until(() => telegram.shows("ann").length + discord.shows("ann").length === 4);
  expect(() => telegram.press("ann", "long")).toThrow("no button");
  expect(() => discord.press("ann", "long")).toThrow("no button");
  telegram.say("bob", "hi");
  discord.say("bob", "hi");
  await until(() => flat(telegram.shows("bob")).includes("pirate"));
  await until(() => flat(discord.shows("bob")).includes("pirate"));
  expect(() => telegram.press("bob", "pirate")).toThrow("no button");
  expect(() => discord.press("bob", "pirate")).toThrow("no button");
});

test("choices that an earlier run has recorded, but not shown, are shown", async () => {
  const { telegram, store: url } = await openWorld({ persona, personas });
  const store = await openStore(url);
  const history = await openHistory(store);
  const choices = [{ label: "kept", command: "persona", text: "plain" }];
  await history.save({
    ...emptyConversation(`telegram:${telegram.userId("ann")}`),
    revision: 1,
    outbox: { event: `telegram:${telegram.token.split(":")[0]}:7001`, text: "Choose.", choices, shown: [] },
  });
  await store.close();
  expect(telegram.say("ann", "/persona")).toBe(7001);
  await until(() => telegram.shows("ann").includes("Choose."));
  telegram.press("ann", "kept");
  await until(() => flat(telegram.shows("ann")).includes("I am plain here."));
});

test("buttons go where a message becomes another", async () => {
  const { discord } = await openWorld({ persona, personas });
  const adapter = createDiscord({ token: discord.token, apiRoot: discord.apiRoot });
  const to = { channel: discord.channelId("ann") };
  const body = adapter.dialect.print(parseMarkdown("Choose:"));
  const choices = [{ label: "pirate", command: "persona", text: "pirate" }];
  discord.say("ann", "hi");
  await until(() => discord.shows("ann").length === 1);
  const ref = await adapter.send(to, adapter.dialect.buttons?.add(body, choices) ?? body, "k#0");
  await adapter.edit?.(to, ref, adapter.dialect.print(parseMarkdown("Sorry.")));
  expect(() => discord.press("ann", "pirate")).toThrow("no button");
});

test("as many choices as there may be keep the platforms' limits", () => {
  const choices = Array.from({ length: 200 }, (_, index) => ({
    label: `名字 ${index}`,
    command: "model",
    text: `${"名".repeat(index % 25)}${index}`,
  }));
  const body = parseMarkdown("Choose:");
  for (const [dialect, check, most] of [
    [createTelegramDialect(), (given: object) => readButtons(telegramMarkup(given)).length, 100],
    [createDiscordDialect(), (given: object) => discordButtons(given), 25],
  ] as const) {
    const taken: typeof choices = [];
    for (const choice of choices) if (dialect.buttons?.fits(choice, taken.length)) taken.push(choice);
    expect(taken.length).toBe(most);
    expect(check(dialect.buttons?.add(dialect.print(body) as never, taken) ?? {})).toBe(most);
  }
});

function telegramMarkup(body: object): unknown {
  return "buttons" in body ? { inline_keyboard: body.buttons } : undefined;
}

function discordButtons(body: object): number {
  const json = { ...discordPayload(body as { content: string }) };
  return readMessage({ json, files: [] }).buttons?.length ?? 0;
}

test("a press of what was never a button of ours does nothing, and is let go", async () => {
  const { telegram, discord } = await openWorld({ persona, personas });
  const message = { message_id: 1, date: 0, chat: { id: telegram.chatId("ann"), type: "private" } };
  const from = { id: telegram.userId("ann"), is_bot: false, first_name: "ann" };
  const presses = [
    { id: "1", from, message, data: "nothing" },
    { id: "2", from, message, data: "/" },
    { id: "3", from, data: "/persona pirate" },
    { id: "4", from, inline_message_id: "x", data: "/reset" },
    { from: {}, data: 7 },
  ];
  for (const callback_query of presses) telegram.update({ callback_query });
  discord.emit("INTERACTION_CREATE", { type: 3, data: { custom_id: "nothing" } });
  telegram.say("ann", "still there?");
  await until(() => telegram.shows("ann").length === 1);
  expect(telegram.pending).toBeLessThanOrEqual(1);
  expect(flat(telegram.shows("ann"))).toContain("still there?");
});
