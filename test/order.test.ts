import { expect, test } from "vitest";
import type { SimulatedRequest } from "../src/testing/openai.ts";
import { runProgram } from "./support/program.ts";
import { surroundings } from "./support/surroundings.ts";
import { until } from "../src/testing/until.ts";

const PEOPLE = Array.from({ length: 20 }, (_, n) => `person${n}`);
const NUMBERS = [1, 2, 3, 4, 5];
const PLATFORMS = ["Telegram", "Discord"] as const;

const answerTo = (question: string) => `you said ${question}, and here is the answer to it`;

test("five messages at once from each of 20 people on each platform: in order, one at a time, none is lost", async () => {
  /** Requests that came while another one of the same conversation was being answered. */
  const overlapping: string[] = [];
  const { telegram, discord, service, onTelegram, onDiscord } = await surroundings({
    reply: (request) => {
      const question = questionOf(request);
      const before = service.requests.filter(
        (other) => other !== request && sameConversation(other, request),
      );
      if (before.some(({ ended }) => !ended)) overlapping.push(question);
      return { text: answerTo(question), pieces: 8, delayMs: 20 };
    },
  });
  const program = runProgram(["start"], { ...onTelegram, ...onDiscord });
  await program.ready();
  const chats = { Telegram: telegram, Discord: discord };
  for (const person of PEOPLE) {
    for (const number of NUMBERS) {
      for (const platform of PLATFORMS)
        chats[platform].say(person, questionFor({ platform, person, number }));
    }
  }
  for (const platform of PLATFORMS) {
    for (const person of PEOPLE) {
      const questions = NUMBERS.map((number) => questionFor({ platform, person, number }));
      await until(
        () => chats[platform].shows(person).at(-1) === answerTo(questions.at(-1) ?? ""),
        `the last answer to ${person} on ${platform}; there is: ${chats[platform].shows(person).join(" | ")}`,
        60_000,
      );
      expect(chats[platform].shows(person)).toEqual(questions.map(answerTo));
      const asked = service.requests.filter((request) => conversationOf(request) === `${platform} ${person}`);
      // Each follow-up is asked with all that was said before it, the last answer included.
      expect(asked.map(({ messages }) => messages.slice(1).map(({ content }) => content))).toEqual(
        questions.map((question, index) => [
          ...questions.slice(0, index).flatMap((earlier) => [earlier, answerTo(earlier)]),
          question,
        ]),
      );
    }
  }
  expect(overlapping).toEqual([]);
  // Without which nothing would be shown by there being no overlap.
  expect(service.mostAtOnce).toBeGreaterThan(1);
}, 120_000);

function questionFor({
  platform,
  person,
  number,
}: {
  platform: string;
  person: string;
  number: number;
}): string {
  return `${platform} ${person} ${number}`;
}

function questionOf({ messages }: SimulatedRequest): string {
  return messages.at(-1)?.content ?? "";
}

/** The words of a question before its number. */
function conversationOf(request: SimulatedRequest): string {
  return questionOf(request).split(" ").slice(0, 2).join(" ");
}

function sameConversation(one: SimulatedRequest, other: SimulatedRequest): boolean {
  return conversationOf(one) === conversationOf(other);
}
