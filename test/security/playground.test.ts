import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { spawnProgram } from "../../src/playground/children.ts";
import { address } from "../playground/open.ts";
import { temporaryFolder } from "../support/folder.ts";
import { fetchAt } from "../support/local.ts";
import { runProgram } from "../support/program.ts";
import { until } from "../../src/testing/until.ts";

test("nobody at the page writes a file of the operator's", async () => {
  const program = runProgram(["playground"], { LANG: "en_US.UTF-8" });
  const link = await address(program);
  const folder = temporaryFolder();
  const persona = join(folder, "assistant.md");
  const seen = await watch(link);
  const say = async (words: string) => {
    const wish = { do: "say", window: "terminal", person: "Ann", text: words };
    const headers = { origin: new URL(link).origin };
    const said = await fetchAt(link, "/wish", { method: "POST", headers, body: JSON.stringify({ wish }) });
    expect(said.status).toBe(200);
  };
  await say("What is 12*3?");
  await until(
    () => seen().includes("12*3 = 36"),
    () => `an answer in: ${seen()}`,
  );
  await say(`/save ${persona}`);
  await say(`/export ${persona}`);
  await say("What is 7*6?");
  await until(
    () => seen().includes("7*6 = 42"),
    () => `the next answer in: ${seen().slice(-3000)}`,
  );
  expect(existsSync(persona)).toBe(false);
});

test("what the playground starts can reach no file but its own", async () => {
  const outside = temporaryFolder();
  const secret = join(outside, "user_messages.json");
  writeFileSync(secret, '{"ann": [{"role": "user", "content": "a secret"}]}');
  const inside = temporaryFolder();
  const ran = async (...words: string[]) => {
    const env = { PATH: process.env["PATH"] ?? "", STORE_URL: `sqlite:${join(inside, "store.sqlite")}` };
    const child = spawnProgram("cli.js", words, { folder: inside, env, onStage: () => undefined });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [errors, code] = await Promise.all([
      child.stderr ? text(child.stderr) : "",
      new Promise((resolve) => child.once("close", resolve)),
    ]);
    return { errors, code };
  };
  const own = join(inside, "user_messages.json");
  writeFileSync(own, readFileSync(secret));
  expect(await ran("import", own)).toMatchObject({ code: 0 });
  expect((await ran("import", secret, "--replace")).code).not.toBe(0);
  expect((await ran("export", join(outside, "out.md"))).code).not.toBe(0);
  expect(existsSync(join(outside, "out.md"))).toBe(false);
});

/** Everything that the page is told from now on. */
async function watch(link: string): Promise<() => string> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const stream = await fetchAt(link, "/events", { signal: over.signal });
  let told = "";
  void (async () => {
    for await (const chunk of stream.body ?? []) told += Buffer.from(chunk).toString();
  })().catch(() => undefined);
  return () => told;
}
