import { expect, test } from "vitest";
import { runProgram } from "./support/program.ts";
import { flat, type Surroundings, surroundings } from "./support/surroundings.ts";
import { until } from "../src/testing/until.ts";

interface Chats {
  say(person: string, text: string): unknown;
  /** The messages of the bot that the person sees. */
  shows(person: string): readonly string[];
}

interface Platform {
  readonly chats: (around: Surroundings) => Chats;
  readonly env: (around: Surroundings) => Record<string, string>;
}

const PLATFORMS: Readonly<Record<string, Platform>> = {
  Telegram: { chats: ({ telegram }) => telegram, env: ({ onTelegram }) => onTelegram },
  "Discord DM": { chats: ({ discord }) => discord, env: ({ onDiscord }) => onDiscord },
};

const PEOPLE = Array.from({ length: 40 }, (_, n) => `person${n}`);
/** Who writes while the program is down: some wait for an answer already, the others are new. */
const MEANWHILE = [...PEOPLE.slice(0, 5), "new0", "new1", "new2", "new3", "new4"];
const EVERYONE = new Set([...PEOPLE, ...MEANWHILE]);

/** Two messages on Telegram, four on Discord. */
function answerTo(question: string): string {
  return `${question}: ${"the answer goes on and on ".repeat(240)}END`;
}

test.each(Object.entries(PLATFORMS))(
  "kill -9 in the middle of 40 answers, 10 messages while it is down: nothing is lost, halved or doubled, on %s",
  async (_, platform) => {
    let delayMs = 500;
    const around = await surroundings({
      reply: ({ messages }) => {
        const question = messages.at(-1)?.content ?? "";
        return question.startsWith("last")
          ? `${question}: short`
          : { text: answerTo(question), pieces: 40, delayMs };
      },
    });
    const chats = platform.chats(around);
    const first = runProgram(["start"], platform.env(around));
    await first.ready();
    for (const person of PEOPLE) chats.say(person, `question of ${person}`);
    const seeing = () => PEOPLE.filter((person) => flat(chats.shows(person)).length > 0).length;
    await until(() => around.service.requests.length === PEOPLE.length && seeing() >= 30, "growing answers");
    first.signal("SIGKILL");
    await first.exited;
    expect(PEOPLE.filter((person) => flat(chats.shows(person)).endsWith("END"))).toEqual([]);
    for (const person of MEANWHILE) chats.say(person, `word of ${person} meanwhile`);

    delayMs = 5;
    const second = runProgram(["start"], platform.env(around));
    await second.ready();
    for (const person of EVERYONE) {
      const expected = flat(questionsOf(person).map(answerTo));
      await until(
        () => flat(chats.shows(person)) === expected,
        () => `the whole answers of ${person}; they are: ${excerpt(chats, person)}`,
        60_000,
      );
    }
    for (const person of EVERYONE) chats.say(person, `last of ${person}`);
    for (const person of EVERYONE) {
      const expected = flat([...questionsOf(person).map(answerTo), `last of ${person}: short`]);
      await until(() => flat(chats.shows(person)) === expected, `the last answer of ${person}`, 60_000);
      const request = around.service.requests.find(
        ({ messages }) => messages.at(-1)?.content === `last of ${person}`,
      );
      expect(request?.messages.slice(1).map(({ content }) => content)).toEqual([
        ...questionsOf(person).flatMap((question) => [question, answerTo(question)]),
        `last of ${person}`,
      ]);
    }
  },
  180_000,
);

function questionsOf(person: string): string[] {
  return [
    ...(PEOPLE.includes(person) ? [`question of ${person}`] : []),
    ...(MEANWHILE.includes(person) ? [`word of ${person} meanwhile`] : []),
  ];
}

function excerpt(chats: Chats, person: string): string {
  return JSON.stringify(
    chats.shows(person).map((message) => `${message.slice(0, 40)} … ${message.slice(-40)}`),
  );
}
