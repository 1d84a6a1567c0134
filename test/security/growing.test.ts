import { expect, test } from "vitest";
import { openSite as openWeb } from "../support/site.ts";

/** The web chat, with people who say hello. */
async function openSite() {
  const { adapter, ask, enter: signIn } = await openWeb();
  const enter = async (name: string) => {
    const cookie = await signIn({ name });
    return {
      say: async (thread: string, id: string) => {
        const body = { id, text: "hello" };
        const answer = await ask(`/api/conversations/${thread}/messages`, { cookie, body });
        return ((await answer.json()) as { turn: string }).turn;
      },
      sees: async (thread: string) => (await ask(`/api/conversations/${thread}`, { cookie })).text(),
    };
  };
  return { adapter, enter };
}

test("a request in the same millisecond and under the same id sees nothing of another's answer", async () => {
  const { adapter, enter } = await openSite();
  const [ann, bob] = [await enter("Ann"), await enter("Bob")];
  // As one who guesses does: the same id, again and again, until the clock says the same for both.
  let turn = "";
  for (let number = 10_000_000; turn === ""; number += 1) {
    const [hers, his] = await Promise.all([
      ann.say(`t${number}`, String(number)),
      bob.say(`t${number}`, String(number)),
    ]);
    if (hers === his) turn = hers;
  }
  const thread = `t${turn.slice(16)}`;
  const to = { user: "Ann", thread, turn };
  const ref = `web:Ann:${thread}:${turn}#0`;
  await adapter.send(to, { html: "<p>what only Ann may read</p>" }, ref);
  expect(await ann.sees(thread)).toContain("what only Ann may read");
  expect(await bob.sees(thread)).not.toContain("what only Ann may read");

  // What he does to his own turn of that name does nothing to hers.
  await adapter.finish?.({ user: "Bob", thread, turn }, []);
  expect(await ann.sees(thread)).toContain("what only Ann may read");
  expect(adapter.recovery?.isVisible?.(ref)).toBe(true);
  expect(adapter.recovery?.isVisible?.(`web:Bob:${thread}:${turn}#0`)).toBe(false);
});

test("two of a person's conversations have growing answers of their own, whatever the turns are called", async () => {
  const { adapter, enter } = await openSite();
  const ann = await enter("Ann");
  const turn = await ann.say("one", "message-1");
  await adapter.send({ user: "Ann", thread: "two", turn }, { html: "said in two" }, "web:Ann:two:x#0");
  expect(await ann.sees("one")).not.toContain("said in two");
});

test("a message whose id ends like an earlier one's is another message", async () => {
  const { enter } = await openSite();
  const ann = await enter("Ann");
  const first = await ann.say("c", "one-12345678");
  const second = await ann.say("c", "12345678");
  expect(await ann.say("c", "one-12345678")).toBe(first);
  const { turns } = JSON.parse(await ann.sees("c")) as { turns: { turn: string }[] };
  expect(turns.map(({ turn }) => turn)).toEqual([first, second]);
});
