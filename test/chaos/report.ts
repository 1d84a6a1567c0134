import { type Evidence, judge, type Verdict, WRONG, type Wrong } from "./check.ts";
import type { Person } from "./people.ts";
import { answerTo, questionOf } from "./script.ts";

/** A conversation and how it went. */
export interface Judged {
  readonly person: Person;
  readonly evidence: Evidence;
  readonly verdict: Verdict;
}

const WRONGS = Object.keys(WRONG) as Wrong[];

/** How many bad conversations are printed. */
const MAX_PRINTED = 5;

/** Judges all of them. */
export function judgeAll(people: readonly Person[], evidence: readonly Evidence[]): Judged[] {
  return people.flatMap((person, index) => {
    const own = evidence[index];
    return own ? [{ person, evidence: own, verdict: judge(own) }] : [];
  });
}

/** How many answers are missing or incomplete. */
export function openIn(judged: readonly Judged[]): number {
  return countOf(judged, "lost") + countOf(judged, "half");
}

/** Whether something has happened that must not. */
export function isBad(judged: readonly Judged[]): boolean {
  return WRONGS.some((wrong) => WRONG[wrong] && countOf(judged, wrong) > 0);
}

/** Platform by platform. */
export function tableOf(judged: readonly Judged[]): string[] {
  const heads = ["asked", "whole", "apologised", ...WRONGS];
  const rows = ["Telegram", "Discord", ""].map((platform) => {
    const some = judged.filter(({ person }) => !platform || person.platform === platform);
    const sum = (count: (one: Judged) => number) => some.reduce((total, one) => total + count(one), 0);
    return [
      platform || "all",
      sum(({ person }) => person.asked.length),
      sum(({ verdict }) => verdict.whole),
      sum(({ verdict }) => verdict.apologised),
      ...WRONGS.map((wrong) => countOf(some, wrong)),
    ];
  });
  return [["", ...heads], ...rows].map((cells) => cells.map((cell) => String(cell).padStart(12)).join(""));
}

/** The first bad conversations: what was asked, what was found, and what the screen shows there. */
export function bad(judged: readonly Judged[]): string[] {
  return judged
    .filter(({ verdict }) => verdict.findings.length > 0)
    .slice(0, MAX_PRINTED)
    .flatMap(({ person, evidence, verdict }) => [
      "",
      `${person.name} on ${person.platform}:`,
      ...verdict.findings.slice(0, 6).flatMap(({ wrong, number, what }) => {
        const question = person.asked.find((one) => one.number === number);
        if (!question) return [`  ${wrong}: ${what}`];
        const { id, at } = question;
        const text = questionOf({ person: person.person, number: question.number });
        return [
          `  ${wrong}: ${what}`,
          `    asked at ${new Date(at).toISOString()} (${id}): ${text}`,
          `    the model says: ${excerpt(answerTo({ person: person.person, number: question.number }))}`,
          "    the screen shows:",
          ...around(evidence.shows, `p${person.person}q${question.number}s`).map((line) => `      ${line}`),
        ];
      }),
    ]);
}

/** The messages with this tag, and those beside them; the last ones if none has it. */
function around(shows: readonly string[], tag: string): string[] {
  const found = shows.flatMap((text, index) => (text.includes(tag) ? [index] : []));
  const [first = shows.length - 3, last = shows.length] = [found[0], found.at(-1)];
  return shows.slice(Math.max(0, first - 1), last + 2).map(excerpt);
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 150 ? `${line.slice(0, 80)} … ${line.slice(-60)}` : line;
}

function countOf(judged: readonly Judged[], wrong: Wrong): number {
  return judged.reduce(
    (sum, { verdict }) => sum + verdict.findings.filter((one) => one.wrong === wrong).length,
    0,
  );
}
