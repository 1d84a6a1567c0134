import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { type FileMessage, readUserMessages, writeUserMessages } from "../../src/exchange/user-messages.ts";
import { temporaryFolder } from "../support/folder.ts";

function fileWith(content: string | Buffer): string {
  const path = join(temporaryFolder(), "user_messages.json");
  writeFileSync(path, content);
  return path;
}

test("an export can be imported again, whatever the messages and names are", async () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "\n", '"', "\\", "字", "😀", "\u0000", "\uD83D", "{", "`"),
  });
  const plain = { noNullPrototype: true };
  const said = fc.record(
    { role: fc.constantFrom("user" as const, "assistant" as const), content: text },
    plain,
  );
  const told = fc.record({ role: fc.constant("system" as const), content: text }, plain);
  const name = fc
    .oneof(text, fc.constantFrom("__proto__", "constructor", "a b"))
    .filter((user) => user.trim() !== "");
  const messages: fc.Arbitrary<FileMessage[]> = fc
    .tuple(fc.option(told, { nil: undefined }), fc.array(said))
    .map(([first, rest]) => [...(first ? [first] : []), ...rest]);
  const path = join(temporaryFolder(), "all.json");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, messages)), async (users) => {
      const all = new Map(users);
      await writeUserMessages(path, all);
      // Names that are numbers come first, whatever the order was.
      expect(await readUserMessages(path)).toEqual(all);
    }),
    { numRuns: 60 },
  );
});

test("what the article's program writes is read: escapes, a mark in front, and the empty file it begins with", async () => {
  const ann = [{ role: "user", content: "1+1=几" }];
  expect(await readUserMessages(fileWith('{"ann": [{"role": "user", "content": "1+1=\\u51e0"}]}'))).toEqual(
    new Map([["ann", ann]]),
  );
  expect(await readUserMessages(fileWith('\uFEFF{"ann": []}'))).toEqual(new Map([["ann", []]]));
  expect(await readUserMessages(fileWith(""))).toEqual(new Map());
});

describe("told with its place is", () => {
  test.each([
    ['{"ann": [{"role": "user", "content": "secret words', /is incomplete.*Nothing was changed/],
    ['{"ann": [}', /is not valid JSON \(line 1, column 10\)/],
    ["[]", /must be an object of users/],
    ['"ann"', /must be an object of users/],
    ['{"ann": [], "b\\u006fb": [], "bob": []}', /it contains the user "bob" twice/],
    ['{"ann": {}}', /user "ann" must have a list of messages/],
    ['{" ": []}', /a user has an empty name/],
    ['{"ann": [{"role": "user"}]}', /user "ann", message 1 must be \{"role": …, "content": …\}/],
    ['{"ann": [null]}', /user "ann", message 1 must be/],
    ['{"ann": [{"role": "user", "content": ["secret"]}]}', /user "ann", message 1 must be/],
    [
      '{"ann": [{"role": "tool", "content": "x"}]}',
      /message 1 has the role "tool"; it must be one of system, user, assistant/,
    ],
    [
      '{"ann": [{"role": "user", "content": "x"}, {"role": "system", "content": "x"}]}',
      /message 2 has the role "system", which only the first/,
    ],
  ])("%s", async (content, message) => {
    const read = readUserMessages(fileWith(content));
    await expect(read).rejects.toThrow(ConfigError);
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.not.toThrow(/secret/);
  });

  test("a file that is not there, a folder, and one that is too large", async () => {
    const folder = temporaryFolder();
    await expect(readUserMessages(join(folder, "none.json"))).rejects.toThrow(
      /There is no file .*none\.json/,
    );
    await expect(readUserMessages(folder)).rejects.toThrow(/cannot be read/);
    const path = fileWith("");
    // Without its bytes on the disk.
    truncateSync(path, 300 * 1024 * 1024);
    await expect(readUserMessages(path)).rejects.toThrow(/has 300 MB, but a file may have at most 256 MB/);
  });
});

test("a hundred megabytes are read", async () => {
  const message = { role: "user", content: "字".repeat(33_000) };
  const all = Object.fromEntries(Array.from({ length: 1000 }, (_, user) => [`user ${user}`, [message]]));
  const path = fileWith(JSON.stringify(all));
  expect(readFileSync(path).length).toBeGreaterThan(99_000_000);
  const read = await readUserMessages(path);
  expect(read.size).toBe(1000);
  expect(read.get("user 999")).toEqual([message]);
});
