import { en } from "../../src/i18n/en.ts";
import type { Message } from "../../src/model/model.ts";
import { answerTo, type Part, partsIn, questionOf, type Tag, tagsIn } from "./script.ts";

/** All that is known of one person's conversation. */
export interface Evidence {
  readonly person: number;
  /** The numbers of the questions in the order in which they were asked. */
  readonly asked: readonly number[];
  /** What the bot has written, from top to bottom. */
  readonly shows: readonly string[];
  /** What the model was sent for this person's questions, in order. */
  readonly prompts: readonly (readonly Message[])[];
  /** The questions at which the model has failed at least once: only they may end in an apology. */
  readonly spoiled: ReadonlySet<number>;
  /** The questions that the model was asked while it still answered another one of this person. */
  readonly overlapping: readonly number[];
}

/** What must not happen; "strange" is text that nobody has said. */
export type Wrong = keyof typeof WRONG;

/** Whether it fails the run: doubles are only counted. */
export const WRONG = {
  lost: true,
  half: true,
  doubled: false,
  reordered: true,
  leaked: true,
  overlapping: true,
  history: true,
  strange: true,
} as const;

/** Something that is wrong with one conversation. */
export interface Finding {
  readonly wrong: Wrong;
  readonly number?: number;
  readonly what: string;
}

/** How one conversation went. */
export interface Verdict {
  /** How many questions have their whole answer. */
  readonly whole: number;
  /** How many have an apology, or a partial answer with a note, because the model failed. */
  readonly apologised: number;
  readonly findings: readonly Finding[];
}

/** What the person sees of one answer. */
interface Outcome {
  /** In one line; empty if there is nothing but an apology. */
  readonly said: string;
  readonly isWhole: boolean;
}

/** Compares what the person sees with what the model says, and what the model was sent with what the person sees. */
export function judge(evidence: Evidence): Verdict {
  const { outcomes, rest } = readScreen(evidence);
  const isRead = outcomes.length === evidence.asked.length && rest === "";
  const screen = isRead ? { outcomes, findings: [] } : diagnose(evidence, outcomes);
  const answered = isRead ? outcomes : screen.outcomes;
  return {
    whole: answered.filter(({ isWhole }) => isWhole).length,
    apologised: answered.filter(({ isWhole }) => !isWhole).length,
    findings: [
      ...screen.findings,
      ...evidence.overlapping.map((number) => ({
        wrong: "overlapping" as const,
        number,
        what: "the model was asked this while it still answered an earlier question",
      })),
      ...checkPrompts(evidence, outcomes),
    ],
  };
}

/** The answers from the top as far as they are what they should be, and what stands below them. */
interface Reading {
  readonly outcomes: readonly Outcome[];
  readonly rest: string;
}

/** Reads as many answers as it can: an apology may belong to the answer above it, or stand for the next one. */
function readScreen(evidence: Evidence, text = flat(evidence.shows.join(" ")), index = 0): Reading {
  const number = evidence.asked[index];
  let best: Reading = { outcomes: [], rest: text };
  if (number === undefined) return best;
  for (const { outcome, rest } of readAnswer(text, evidence, number)) {
    const below = readScreen(evidence, rest, index + 1);
    const reading = { outcomes: [outcome, ...below.outcomes], rest: below.rest };
    if (reading.outcomes.length > best.outcomes.length) best = reading;
    if (index + best.outcomes.length === evidence.asked.length && best.rest === "") break;
  }
  return best;
}

/** The ways to read the beginning of the text as this answer. */
function readAnswer(text: string, { person, spoiled }: Evidence, number: number) {
  const expected = flat(answerTo({ person, number }));
  const said = text.slice(0, commonLength(text, expected)).trimEnd();
  const after = text.slice(said.length);
  const notice = spoiled.has(number) ? NOTICE.exec(after)?.[0] : undefined;
  const ways: { outcome: Outcome; rest: string }[] = [];
  if (said === expected && !/^\S/.test(after))
    ways.push({ outcome: { said, isWhole: true }, rest: after.trimStart() });
  if (notice !== undefined)
    ways.push({ outcome: { said, isWhole: false }, rest: after.slice(notice.length).trimStart() });
  return ways;
}

/** What is wrong with a screen that is not as it should be, sentence by sentence. */
function diagnose(
  evidence: Evidence,
  read: readonly Outcome[],
): { outcomes: Outcome[]; findings: Finding[] } {
  const { person, asked } = evidence;
  const text = flat(evidence.shows.join(" "));
  const sentences = new Set(sentencesIn(text));
  const all = partsIn(text);
  const own = all.filter((part) => part.person === person);
  const answers = asked.map((number) => ({ number, parts: own.filter((part) => part.number === number) }));
  let apologies = [...text.matchAll(NOTICES)].length;
  const outcomes: Outcome[] = [];
  const findings: Finding[] = [
    ...all.filter((part) => part.person !== person).map((part) => leak(part, "the screen")),
    ...misplaced(own, asked),
  ];
  for (const { number, parts } of answers) {
    const seen = new Set(parts.map(({ part }) => part));
    if (parts.length > seen.size)
      findings.push({ wrong: "doubled", number, what: `${parts.length - seen.size} sentences too many` });
    const expected = sentencesIn(answerTo({ person, number }));
    const of = expected.length;
    const whole = expected.filter((sentence) => sentences.has(sentence)).length;
    if (whole === of) outcomes.push({ said: "", isWhole: true });
    else if (evidence.spoiled.has(number) && apologies-- > 0) outcomes.push({ said: "", isWhole: false });
    else if (seen.size === 0) findings.push({ wrong: "lost", number, what: "nothing of the answer" });
    else findings.push({ wrong: "half", number, what: `${whole} of ${of} sentences` });
  }
  const odd = oddity(text, evidence);
  if (odd) findings.push({ wrong: "strange", what: `nobody has said: ${odd}` });
  if (findings.length === 0)
    findings.push({ wrong: "strange", what: `not what it should be from answer ${read.length + 1} on` });
  return { outcomes, findings };
}

/** Sentences that stand for the first time above one that belongs before them. */
function misplaced(parts: readonly Part[], asked: readonly number[]): Finding[] {
  const seen = new Set<number>();
  const findings: Finding[] = [];
  let furthest = -1;
  for (const { number, part } of parts) {
    const place = asked.indexOf(number) * 10_000 + part;
    if (!seen.has(place) && place < furthest)
      findings.push({
        wrong: "reordered",
        number,
        what: `sentence ${part} stands below what comes after it`,
      });
    seen.add(place);
    furthest = Math.max(furthest, place);
  }
  return findings.slice(0, 1);
}

/** What is left when all that the model may have said, and all apologies, are taken away. */
function oddity(text: string, { person, asked }: Evidence): string {
  const sentences = new Set(asked.flatMap((number) => sentencesIn(answerTo({ person, number }))));
  return sentencesIn(text)
    .filter((sentence) => !sentences.has(sentence))
    .map((sentence) => sentence.replace(TAGGED, ""))
    .join(" ")
    .trim()
    .slice(0, 200);
}

/** Half a sentence is reported as such. */
const TAGGED = /^p\d+q\d*(s\d*)?(o?f?)?\d*( [a-z]+)*\.?$/;

/** Sentences by their tags, and everything between them. */
function sentencesIn(text: string): string[] {
  return flat(text)
    .replace(NOTICES, " ")
    .split(/ (?=p\d+q\d+s)|(?<=\.) /)
    .map((sentence) => sentence.trim());
}

function checkPrompts({ person, asked, prompts }: Evidence, outcomes: readonly Outcome[]): Finding[] {
  const findings: Finding[] = [];
  for (const prompt of prompts) {
    const said = prompt.filter(({ role }) => role !== "system");
    const stranger = said.flatMap(({ content }) => tagsIn(content)).find((tag) => tag.person !== person);
    if (stranger) findings.push(leak(stranger, "a prompt"));
    const [number] = tagsIn(said.at(-1)?.content ?? "").map((tag) => tag.number);
    const index = asked.indexOf(number ?? -1);
    // Of what comes after an answer that cannot be read it is not known what it should be.
    if (number === undefined || index < 0 || index > outcomes.length) continue;
    const before = outcomes
      .slice(0, index)
      .flatMap(({ said }, at) => (said ? [questionOf({ person, number: asked[at] ?? 0 }), said] : []));
    const got = said.slice(0, -1).map(({ content }) => flat(content));
    const isSuffix = JSON.stringify(before.slice(before.length - got.length)) === JSON.stringify(got);
    if (!isSuffix || (before.length > 0 && got.length < 2))
      findings.push({ wrong: "history", number, what: `asked with: ${brief(got)}; seen: ${brief(before)}` });
  }
  return findings;
}

function brief(texts: readonly string[]): string {
  return texts
    .slice(-4)
    .map((text) => (text.length > 70 ? `${text.slice(0, 40)} … ${text.slice(-25)}` : text))
    .join(" | ");
}

function leak({ person, number }: { person: number; number: number }, where: string): Finding {
  return { wrong: "leaked", what: `in ${where} stand words of question ${number} of person ${person}` };
}

/** A text in one line, without the marks of emphasis that platforms show or keep. */
function flat(text: string): string {
  return text
    .replace(/[\\*_]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** What is said where the model has failed. */
const NOTICE = new RegExp(`^ ?${noticeSource()}`);
const NOTICES = new RegExp(noticeSource(), "g");

function noticeSource(): string {
  const { "model.tried": tried, ...texts } = en;
  const sources = Object.entries(texts).flatMap(([name, text]) =>
    name.startsWith("model.") && typeof text === "string" ? [sourceOf(text)] : [],
  );
  return `(?:${sources.join("|")})(?: ${sourceOf(tried)})?`;
}

/** A regular expression for a text with `{names}` of numbers. */
function sourceOf(text: string): string {
  return flat(text)
    .replace(/[.()?]/g, "\\$&")
    .replace(/\{\w+\}/g, "\\d+");
}

function commonLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

/** Whether the end of a screen is that of this answer, or of an apology in its place. */
export function endsWith(tail: readonly string[], tag: Tag, spoiled: ReadonlySet<number>): boolean {
  const text = flat(tail.join(" "));
  if (text.includes(sentencesIn(answerTo(tag)).at(-1) ?? "")) return true;
  return spoiled.has(tag.number) && new RegExp(`${NOTICES.source}$`).test(text);
}
