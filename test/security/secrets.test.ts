import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadSettings, secretsOf } from "../../config/settings.ts";
import { describeError } from "../../src/errors.ts";
import { createRoute } from "../../src/proxy/route.ts";
import { scrub } from "../../src/sanitize/secrets.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { captureLog } from "../support/log.ts";
import { runProgram } from "../support/program.ts";
import { runs } from "../support/runs.ts";
import { fill, storedWith } from "../support/stored.ts";

/** Of any characters: long enough that nothing else holds it by chance. */
const password = fc
  .string({ unit: "grapheme", minLength: 8, maxLength: 24 })
  .filter((text) => text.trim() === text && !/\0/.test(text) && new Set(text).size > 5);

/** As people write it into a URL: encoded as it should be, as little as possible, or not at all. */
const written = fc
  .tuple(password, fc.constantFrom(encodeURIComponent, encodeURI, String))
  .map(([meant, encode]) => ({
    meant,
    given: encode(meant),
  }));

/** All forms in which somebody could use it. */
function formsOf({ meant, given }: { meant: string; given: string }): string[] {
  const url = new URL("http://ann@host");
  url.password = meant;
  return [meant, given, encodeURIComponent(meant), url.password];
}

test("a password never appears in the log, in whatever form it is quoted", () => {
  const settings = fc.tuple(
    fc.constantFrom("STORE_URL", "HTTPS_PROXY", "ALL_PROXY", "TELEGRAM_API_ROOT"),
    fc.constantFrom("postgres://ann:", "http://ann:", "socks5://ann:"),
  );
  fc.assert(
    fc.property(written, settings, (secret, [name, begin]) => {
      const url = `${begin}${secret.given}@db.example:5432/colloquy`;
      let secrets: string[];
      try {
        secrets = secretsOf(loadSettings({ [name]: url }));
      } catch (error) {
        for (const form of formsOf(secret)) expect(describeError(error)).not.toContain(form);
        return;
      }
      const { log, lines } = captureLog(secrets);
      for (const form of formsOf(secret)) {
        const cause = Object.assign(new Error(`no ${form}`), { input: url, options: { password: form } });
        log.error(
          { err: new Error(`cannot use ${begin}${form}@db`, { cause }), url, form },
          `${form} is wrong`,
        );
        log.warn(`answered ${JSON.stringify({ error: form })}`);
      }
      for (const line of lines().trim().split("\n"))
        for (const form of formsOf(secret)) {
          expect(line).not.toContain(form);
          expect(line).not.toContain(JSON.stringify(form).slice(1, -1));
          expect(JSON.stringify(JSON.parse(line))).not.toContain(JSON.stringify(form).slice(1, -1));
        }
    }),
    { numRuns: runs(60) },
  );
});

test("a password that nobody knows of is taken out of a URL all the same, and nothing else", () => {
  const text = (user: string, secret: string) =>
    `connect postgres://${user}:${secret}@db:5432/x failed; see https://a.example/@b`;
  fc.assert(
    fc.property(fc.stringMatching(/^[\w.!%+-]{1,20}$/), fc.stringMatching(/^\w{0,8}$/), (secret, user) => {
      expect(scrub(text(user, secret), [])).toBe(text(user, "[secret]"));
      const query = (value: string) => `https://oapi.example/robot/send?access_token=${value}&x=1`;
      expect(scrub(query(secret), [])).toBe(query("[secret]"));
    }),
    { numRuns: runs(30) },
  );
  for (const innocent of [
    "http://127.0.0.1:8080/a@b",
    "ann@host:x",
    "a:b@c",
    "https://x.example/?page=2",
    "key=1",
  ])
    expect(scrub(innocent, [])).toBe(innocent);
});

test("what is scrubbed costs no time, however long it is", () => {
  const long = `${"a".repeat(500_000)}${"://".repeat(50_000)}${"?key".repeat(50_000)}`;
  const before = performance.now();
  expect(scrub(long, ["some-secret"])).toBe(long);
  expect(performance.now() - before).toBeLessThan(3000);
});

test("addresses that make no sense are told without what they hold", async () => {
  const wrong = (secret: string) => [
    `mysql://ann:${secret}@db/x`,
    `mysql:ann:${secret}@db`,
    `postgres://ann:${secret}@`,
    `postgres://ann:${secret}@db`,
    `postgres://ann:${secret}@db:99999/x`,
    `postgres:///?password=${secret}`,
    `redis://db?password=${secret}`,
  ];
  await fc.assert(
    fc.asyncProperty(written, async (secret) => {
      for (const url of wrong(secret.given)) {
        const error = await openStore(url).catch((reason: unknown) => reason);
        const said = [describeError(error)];
        for (const name of ["OPENAI_BASE_URL", "WEB_URL", "DISCORD_API_ROOT"])
          try {
            loadSettings({ [name]: url });
          } catch (refused) {
            said.push(describeError(refused));
          }
        try {
          createRoute({ HTTPS_PROXY: url });
        } catch (refused) {
          said.push(describeError(refused));
        }
        expect(said.length).toBeGreaterThan(1);
        for (const form of formsOf(secret)) expect(said.join("\n")).not.toContain(form);
      }
    }),
    { numRuns: runs(12) },
  );
});

describe("the program", () => {
  const PASSWORD = "ge%20he/im:99";
  const forms = /he.?\/?im|geheim/;

  test("tells no password of a store or proxy that it cannot reach", async () => {
    const cases: readonly (readonly [Record<string, string>, readonly string[]])[] = [
      [{ STORE_URL: `postgres://ann:${PASSWORD}@127.0.0.1:1/db` }, ["usage"]],
      [{ HTTPS_PROXY: `http://ann:ge%20heim99@127.0.0.1:1`, OPENAI_API_KEY: "k" }, ["ask", "hello"]],
      [{ HTTPS_PROXY: `http://ann:${PASSWORD}@127.0.0.1:1`, OPENAI_API_KEY: "k" }, ["ask", "hello"]],
    ];
    await Promise.all(
      cases.map(async ([env, words]) => {
        const program = runProgram(words, { ...env, LOG_LEVEL: "trace" });
        program.endInput();
        expect([1, 2]).toContain(await program.exited);
        expect(program.errors().length).toBeGreaterThan(30);
        expect(program.output() + program.errors()).not.toMatch(forms);
      }),
    );
  });
});

describe("colloquy migrate", () => {
  test("takes the names of settings, so that no list of processes shows a password", async () => {
    const folder = temporaryFolder();
    const [from, to] = [join(folder, "from.sqlite"), join(folder, "to.sqlite")];
    await fill(`sqlite:${from}`, storedWith({ history: [["paper:ann", { version: 2, revision: 7 }]] }));
    const program = runProgram(
      ["migrate", "STORE_URL", "NEW_STORE"],
      { STORE_URL: `sqlite:${from}` },
      `NEW_STORE=sqlite:${to}\n`,
    );
    expect(await program.exited, program.errors()).toBe(0);
    expect(program.output()).toContain("1 conversation");
    expect(readFileSync(to).length).toBeGreaterThan(0);
  });

  test("refuses a URL with a password, and says what to do instead", async () => {
    const urls = [
      "postgres://ann:geheim99@127.0.0.1:1/db",
      "postgres://127.0.0.1:1/db?user=ann&password=geheim99",
    ];
    const all = [
      ["FROM", urls[0], "sqlite:x.sqlite"],
      ["TO", "sqlite:x.sqlite", urls[1]],
    ];
    await Promise.all(
      all.map(async ([which, from = "", to = ""]) => {
        const program = runProgram(["migrate", from, to]);
        expect(await program.exited).toBe(2);
        expect(program.errors()).toMatch(
          new RegExp(`^colloquy: ${which} contains a password.*colloquy migrate STORE_URL NEW_STORE_URL\n$`),
        );
        expect(program.errors()).not.toContain("geheim99");
      }),
    );
    const missing = runProgram(["migrate", "STORE_URL", "NEW_STORE_URL"]);
    expect(await missing.exited).toBe(2);
    expect(missing.errors()).toMatch(/TO names the setting NEW_STORE_URL, and neither/);
  });
});
