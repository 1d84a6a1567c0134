import { expect, test } from "vitest";
import { logLines, runProgram } from "./support/program.ts";
import { surroundings } from "./support/surroundings.ts";
import { until } from "../src/testing/until.ts";

const PEOPLE = Array.from({ length: 10 }, (_, n) => `person${n}`);

test.each([1, 2])(
  "after %i signals in the middle of answers nothing is lost, not even what is said while it ends",
  async (signals) => {
    let delayMs = 300;
    const { telegram, onTelegram } = await surroundings({
      reply: () => ({ text: `${"word by word ".repeat(60)}END`, pieces: 60, delayMs }),
    });
    const first = runProgram(["start"], onTelegram);
    await first.ready();
    for (const person of PEOPLE) telegram.say(person, "hello");
    await until(() => PEOPLE.every((person) => telegram.shows(person).length > 0));
    first.signal("SIGTERM");
    await until(() => /"stopping"/.test(first.output()));
    telegram.say("late", "am I too late?");
    if (signals === 2) await leaveAtOnce(first);
    else expect(await first.exited).toBe(0);
    expect(PEOPLE.filter((person) => telegram.shows(person).join().endsWith("END"))).toEqual([]);
    delayMs = 2;
    await runProgram(["start"], onTelegram).ready();
    const everyone = [...PEOPLE, "late"];
    await until(
      () => everyone.every((person) => telegram.shows(person).join().endsWith("END")),
      () => JSON.stringify(everyone.map((person) => telegram.shows(person))),
      60_000,
    );
    for (const person of everyone) expect([person, telegram.shows(person).length]).toEqual([person, 1]);
  },
  120_000,
);

test("started after a week it apologises to each once, and answers what is new", async () => {
  const { telegram, service, onTelegram } = await surroundings();
  const first = runProgram(["start"], onTelegram);
  await first.ready();
  telegram.say("ann", "hello");
  await until(() => telegram.shows("ann").length === 1);
  first.signal("SIGTERM");
  expect(await first.exited).toBe(0);
  for (let n = 0; n < 30; n += 1) {
    const person = n % 2 ? "ann" : "bob";
    telegram.update({ message: oldMessage(telegram.userId(person), telegram.chatId(person), n) });
  }
  const second = runProgram(["start"], onTelegram);
  await second.ready();
  telegram.say("ann", "and now?");
  await until(() => telegram.shows("ann").includes("and now?"));
  await until(() => logLines(second.output()).filter(({ msg }) => msg === "answered").length === 31);
  expect(telegram.shows("ann")).toEqual(["hello", expect.stringContaining("I was away"), "and now?"]);
  expect(telegram.shows("bob")).toEqual([expect.stringContaining("I was away")]);
  expect(service.requests).toHaveLength(2);
});

/** The second signal counts as a second wish only after a moment: one wish may come twice. */
async function leaveAtOnce(program: ReturnType<typeof runProgram>): Promise<void> {
  let code: number | string | undefined;
  void program.exited.then((exited) => (code = exited));
  await until(() => {
    if (code === undefined) program.signal("SIGTERM");
    return code !== undefined;
  });
  expect(code).toBe(1);
}

function oldMessage(user: number, chat: number, n: number): object {
  const date = Math.floor(Date.now() / 1000) - 7 * 86_400 + n;
  const from = { id: user, is_bot: false, first_name: "A", language_code: "en" };
  return { message_id: 5000 + n, date, text: `question ${n}`, from, chat: { id: chat, type: "private" } };
}
