import { expect, test } from "vitest";
import { logLines, runProgram } from "../../support/program.ts";
import { surroundings } from "../../support/surroundings.ts";
import { until } from "../../../src/testing/until.ts";

test("the program answers by callback, and logs no secret and no session", async () => {
  const { dingtalk, onDingtalk } = await surroundings({ reply: () => "fine, thank you" });
  const program = runProgram(["start"], { ...onDingtalk, DINGTALK_MODE: "callback", LOG_LEVEL: "trace" });
  await program.ready();
  const url = String(logLines(program.output()).find(({ url: at }) => at)?.["url"]);
  const { statuses } = dingtalk.callBack(`${url}/webhooks/dingtalk`);
  dingtalk.say("ann", "how are you?");
  await until(() => dingtalk.shows("ann").length === 1);
  dingtalk.fail({ call: "webhook", how: "reset" });
  dingtalk.say("bob", "and you?", { chat: "team" });
  await until(() => dingtalk.shows("team").length === 1);
  expect([dingtalk.shows("ann"), dingtalk.shows("team")]).toEqual([["fine, thank you"], ["fine, thank you"]]);
  expect(statuses).toEqual([200, 200]);
  const said = program.output() + program.errors();
  expect(said).toContain("did not answer the request to send a message by the session webhook");
  expect(said).not.toContain(dingtalk.clientSecret);
  expect(said).not.toMatch(/session=|sendBySession|accessToken/);
});

test("refused credentials end the program with 2, and say what to do", async () => {
  const { onDingtalk } = await surroundings();
  const secret = "wrong-secret-of-somebody";
  const program = runProgram(["start"], { ...onDingtalk, DINGTALK_CLIENT_SECRET: secret });
  expect(await program.exited).toBe(2);
  expect(program.errors()).toMatch(/DINGTALK_CLIENT_ID and DINGTALK_CLIENT_SECRET/);
  expect(program.output() + program.errors()).not.toContain(secret);
});
