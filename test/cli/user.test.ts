import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/port.ts";
import { runProgram } from "../support/program.ts";

test("a personal link is made while the program runs, signs in, and can be taken away", async () => {
  const port = String(await freePort());
  const env = { STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`, HTTP_PORT: port };
  await runProgram(["start"], env).ready();
  const colloquy = async (...words: string[]) => {
    const program = runProgram(words, env);
    return { code: await program.exited, output: program.output(), errors: program.errors() };
  };
  const enter = (key: string) =>
    fetch(`http://127.0.0.1:${port}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key }),
    });

  expect(await colloquy("user", "list")).toMatchObject({ code: 0, output: "" });
  const added = await colloquy("user", "add", "Ann");
  expect(added).toMatchObject({
    code: 0,
    output: expect.stringMatching(`^http://127.0.0.1:${port}/#key=[\\w-]+\n$`),
  });
  const key = added.output.split("=")[1]?.trim() ?? "";
  expect((await enter(key)).status).toBe(200);
  expect((await colloquy("user", "list")).output).toMatch(
    /^[0-9a-f]{8}\tAnn\tlink\tmade 20[\d-]+T[\d:]+Z\tused 20[\d-]+T[\d:]+Z\n$/,
  );
  expect((await colloquy("user", "remove", "Ann")).code).toBe(0);
  expect((await enter(key)).status).toBe(403);
  expect(await colloquy("user", "remove", "Ann")).toMatchObject({
    code: 2,
    errors: expect.stringContaining("no user Ann"),
  });
  expect((await colloquy("user", "add", " ")).code).toBe(2);
});
