import { expect, test } from "vitest";
import { en } from "../../src/i18n/en.ts";
import type { Message } from "../../src/model/model.ts";
import { type Evidence, judge } from "./check.ts";
import { answerTo, partsIn, questionOf } from "./script.ts";

const PERSON = 7;
/** The second answer is long. */
const ASKED = [1, 2, 3, 4].map((number) => number + firstLong() - 2);
const [FIRST = 0, LONG = 0, THIRD = 0] = ASKED;
const CUT = `*${en["model.cut"]}*`;
const BUSY = `${en["model.busy"]} (I tried 5 times within 7 s.)`;

test("answers that stand whole and in order, cut into pages, are right", () => {
  const shows = [...ASKED.slice(0, 1).map(answer), ...pagesOf(LONG), ...ASKED.slice(2).map(answer)];
  expect(judge(evidence({ shows }))).toEqual({ whole: 4, apologised: 0, findings: [] });
});

test("an apology or a part with a note is right where the model has failed, and only there", () => {
  const shows = [BUSY, `${answer(LONG).slice(0, 300)}\n\n${CUT}`, ...ASKED.slice(2).map(answer)];
  const prompts = [promptOf({ number: THIRD, before: [questionOf(tag(LONG)), answer(LONG).slice(0, 300)] })];
  const spoiled = new Set([FIRST, LONG]);
  expect(judge(evidence({ shows, prompts, spoiled }))).toEqual({ whole: 2, apologised: 2, findings: [] });
  expect(wrongs({ shows, prompts })).toEqual(["lost", "half"]);
});

test("an apology stands for the answer below a whole one, though the model has failed at both", () => {
  const spoiled = new Set([FIRST, LONG]);
  const apology = [answer(FIRST), BUSY, ...ASKED.slice(2).map(answer)];
  expect(judge(evidence({ shows: apology, spoiled }))).toEqual({ whole: 3, apologised: 1, findings: [] });
  const note = [`${answer(FIRST)}\n\n${CUT}`, ...ASKED.slice(1).map(answer)];
  expect(judge(evidence({ shows: note, spoiled }))).toEqual({ whole: 3, apologised: 1, findings: [] });
});

test.each([
  ["lost", "an answer that is missing", () => ASKED.slice(1).map(answer)],
  ["lost", "the last answer that is missing", () => ASKED.slice(0, -1).map(answer)],
  ["lost", "an apology though the model has not failed", () => [BUSY, ...ASKED.slice(1).map(answer)]],
  ["half", "the end of an answer that is missing", () => withLong(pagesOf(LONG).slice(0, 1))],
  ["half", "the middle of an answer that is missing", () => withLong([0, 2].map((at) => pagesOf(LONG)[at]))],
  ["half", "half a sentence", () => [answer(FIRST).slice(0, -9), ...ASKED.slice(1).map(answer)]],
  [
    "doubled",
    "the beginning of an answer above the whole of it",
    () => [answer(FIRST), answer(LONG).slice(0, 500), ...ASKED.slice(1).map(answer)],
  ],
  ["doubled", "an answer twice", () => [answer(FIRST), ...ASKED.map(answer)]],
  ["doubled", "a page twice", () => withLong([0, 0, 1, 2].map((at) => pagesOf(LONG)[at]))],
  ["reordered", "answers in the wrong order", () => ASKED.toReversed().map(answer)],
  ["reordered", "pages in the wrong order", () => withLong([1, 0, 2].map((at) => pagesOf(LONG)[at]))],
  [
    "leaked",
    "an answer to someone else",
    () => [...ASKED.map(answer), answerTo({ person: PERSON + 1, number: 1 })],
  ],
  ["strange", "words that nobody has said", () => [...ASKED.map(answer), en["error.internal"]]],
  ["strange", "an apology too many", () => [...ASKED.map(answer), BUSY]],
])("%s is seen: %s", (wrong, _, shows) => {
  expect(wrongs({ shows: shows() })).toContain(wrong);
});

test("what is wrong with one answer is not taken for more than it is", () => {
  expect(wrongs({ shows: [answer(FIRST), ...ASKED.map(answer)] })).toEqual(["doubled"]);
  expect(wrongs({ shows: withLong(pagesOf(LONG).slice(0, 1)) })).toEqual(["half"]);
  expect(wrongs({ shows: ASKED.slice(1).map(answer) })).toEqual(["lost"]);
});

test.each([
  ["history", "without the answer before it", { number: LONG, before: [] }],
  ["history", "with another answer than was seen", { number: LONG, before: [questionOf(tag(FIRST)), "no"] }],
  ["history", "with an older answer than the last", { number: THIRD, before: turn(FIRST) }],
  ["history", "with a turn twice", { number: LONG, before: [...turn(FIRST), ...turn(FIRST)] }],
  [
    "leaked",
    "with another person's words",
    { number: LONG, before: [questionOf({ person: 8, number: 1 }), "no"] },
  ],
])("%s is seen: a question asked %s", (wrong, _, prompt) => {
  expect(wrongs({ prompts: [promptOf(prompt)] })).toContain(wrong);
});

test("a question asked with the last turns, or with all of them, is right", () => {
  const prompts = [[], turn(FIRST), turn(LONG), [...turn(FIRST), ...turn(LONG)]].map((before, index) =>
    promptOf({ number: [FIRST, LONG, THIRD, THIRD][index] ?? 0, before }),
  );
  expect(wrongs({ prompts })).toEqual([]);
});

test("overlapping is seen", () => {
  expect(wrongs({ overlapping: [THIRD] })).toEqual(["overlapping"]);
});

function evidence(parts: Partial<Evidence>): Evidence {
  return {
    person: PERSON,
    asked: ASKED,
    shows: ASKED.map(answer),
    prompts: [],
    spoiled: new Set(),
    overlapping: [],
    ...parts,
  };
}

function wrongs(parts: Partial<Evidence>): string[] {
  return judge(evidence(parts)).findings.map(({ wrong }) => wrong);
}

function tag(number: number) {
  return { person: PERSON, number };
}

function answer(number: number): string {
  return answerTo(tag(number));
}

function turn(number: number): string[] {
  return [questionOf(tag(number)), answer(number)];
}

/** A whole answer in three messages. */
function pagesOf(number: number): string[] {
  const paragraphs = answer(number).split("\n\n");
  const third = Math.ceil(paragraphs.length / 3);
  return [0, 1, 2].map((page) => paragraphs.slice(page * third, (page + 1) * third).join("\n\n"));
}

/** A screen with these messages for the long answer. */
function withLong(pages: readonly (string | undefined)[]): string[] {
  return [answer(FIRST), ...pages.map(String), ...ASKED.slice(2).map(answer)];
}

function promptOf({ number, before }: { number: number; before: readonly string[] }): Message[] {
  const past = before.map((content, index): Message => {
    return { role: index % 2 === 0 ? "user" : "assistant", content };
  });
  return [
    { role: "system", content: "You are a test." },
    ...past,
    { role: "user", content: questionOf(tag(number)) },
  ];
}

function firstLong(): number {
  for (let number = 2; ; number += 1) if (partsIn(answer(number)).length >= 30) return number;
}
