import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { closeBrowser, findBarriers, hasBrowser, openPage } from "../support/browser.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/port.ts";
import { runProgram } from "../support/program.ts";
import { eventsIn, openSite } from "../support/site.ts";
import { until } from "../../src/testing/until.ts";

/** Runs the command line beside a program that serves this store. */
async function openProgram() {
  const port = String(await freePort());
  const env = { STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`, HTTP_PORT: port };
  await runProgram(["start"], env).ready();
  return {
    url: `http://127.0.0.1:${port}`,
    colloquy: async (...words: string[]) => {
      const program = runProgram(words, env);
      return { code: await program.exited, output: program.output(), errors: program.errors() };
    },
  };
}

test("of many who open a single-use link at once one is let in, and nobody later", async () => {
  const site = await openSite();
  const key = await site.accounts.add("Ann", "link", { once: true });
  const all = await Promise.all(Array.from({ length: 30 }, () => site.tries({ key })));
  const [winner, ...more] = all.filter(({ status }) => status === 200);
  expect(more).toEqual([]);
  const cookie = winner?.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await site.tries({ key })).status).not.toBe(200);
  // Whoever has used it may open it again where they are signed in: nothing comes of it.
  const again = await site.tries({ key }, cookie);
  expect([again.status, again.headers.get("set-cookie")]).toEqual([200, null]);
  expect((await site.ask("/api/me", { cookie })).status).toBe(200);
});

test("looking at a single-use link, as programs that show previews do, does not use it up", async () => {
  const site = await openSite();
  const key = await site.accounts.add("Ann", "link", { once: true });
  for (const method of ["HEAD", "GET"])
    for (const path of [`/#key=${key}`, `/?key=${key}`, "/api/session"]) await site.ask(path, { method });
  expect((await site.tries({ key })).status).toBe(200);
});

test("a link or key that has expired lets nobody in; who came in before stays", async () => {
  const site = await openSite();
  const expires = Date.now() + 60_000;
  const key = await site.accounts.add("Ann", "link", { expires });
  const api = await site.accounts.add("Ann", "api", { expires });
  const cookie = await site.enter({ key });
  const models = () => site.ask("/v1/models", { headers: { authorization: `Bearer ${api}` } });
  expect((await models()).status).toBe(200);
  for (const pass of [...(await site.recordStore.keys("link:")), ...(await site.recordStore.keys("api:"))])
    await site.recordStore.set(pass, {
      ...((await site.recordStore.get(pass)) as object),
      expires: Date.now(),
    });
  expect((await site.tries({ key })).status).toBe(403);
  expect((await models()).status).toBe(401);
  expect((await site.ask("/api/me", { cookie })).status).toBe(200);
});

test("one link is revoked, with the sessions that it has begun, and no other", async () => {
  const site = await openSite();
  const [phone, desk] = [await site.accounts.add("Ann", "link"), await site.accounts.add("Ann", "link")];
  const [onPhone, onDesk] = [await site.enter({ key: phone }), await site.enter({ key: desk })];
  const lost = await site.accounts.find(phone, "link");
  const page = await site.listen(onPhone);
  await until(() => page.text().includes("event: hello"));
  expect(await site.accounts.revoke("no-such-id")).toBeUndefined();
  expect(await site.accounts.revoke(lost?.id ?? "")).toMatchObject({ user: "Ann", kind: "link" });
  await until(() => page.over(), "the end of the stream");
  expect((await site.ask("/api/me", { cookie: onPhone })).status).toBe(401);
  expect((await site.tries({ key: phone })).status).toBe(403);
  expect((await site.ask("/api/me", { cookie: onDesk })).status).toBe(200);
  expect((await site.tries({ key: desk })).status).toBe(200);
});

test("another person's link changes nothing before one has agreed", async () => {
  const site = await openSite();
  const [anns, bobs] = [
    await site.accounts.add("Ann", "link"),
    await site.accounts.add("Bob", "link", { once: true }),
  ];
  const ann = await site.enter({ key: anns });
  const page = await site.listen(ann);
  const asked = await site.tries({ key: bobs }, ann);
  expect([asked.status, asked.headers.get("set-cookie")]).toEqual([409, null]);
  expect(await asked.json()).toMatchObject({ user: "Ann", other: "Bob", error: expect.any(String) });
  expect(await (await site.ask("/api/session", { cookie: ann })).json()).toEqual({ user: "Ann" });
  const bob = await site.enter({ key: bobs, switch: true }, ann);
  expect(await (await site.ask("/api/session", { cookie: bob })).json()).toEqual({ user: "Bob" });
  // What she had open is not hers any more.
  expect((await site.ask("/api/me", { cookie: ann })).status).toBe(401);
  await until(() => page.over(), "the end of her stream");
});

test("the command line makes links that expire or are good once, lists them and takes one away", async () => {
  const { url, colloquy } = await openProgram();
  const [{ output: link }, { output: key }] = await Promise.all([
    colloquy("user", "add", "Ann", "--once", "--expires", "7d"),
    colloquy("user", "add", "Ann", "--api", "--expires", "12h"),
  ]);
  const enter = () =>
    fetch(`${url}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key: link.trim().split("=")[1] }),
    });
  const models = () => fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key.trim()}` } });
  const cookie = (await enter()).headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await enter()).status).toBe(403);

  const lines = (await colloquy("user", "list")).output.trim().split("\n");
  const time = "20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\dZ";
  const line = (kind: string, used: string) =>
    lines.find((one) => new RegExp(`\tAnn\t${kind}\tmade ${time}\texpires ${time}\t${used}$`).test(one));
  const [linkId = "", keyId = ""] = [line("link", `used up ${time}`), line("key", "used never")].map(
    (one) => one?.split("\t")[0],
  );

  const revoked = await colloquy("user", "revoke", linkId);
  expect(revoked, lines.join("\n")).toMatchObject({ code: 0, output: "" });
  expect(eventsIn(revoked.errors)).toMatchObject([{ event: "key-revoked", user: "Ann", id: linkId }]);
  expect((await fetch(`${url}/api/me`, { headers: { cookie } })).status).toBe(401);
  expect((await models()).status).toBe(200);
  expect((await colloquy("user", "revoke", keyId)).errors).toContain("colloquy user reopen");
  expect((await models()).status).toBe(401);
  const [list, unknown, ...wrong] = await Promise.all([
    colloquy("user", "list"),
    colloquy("user", "revoke", linkId),
    ...["0d", "7"].map((expires) => colloquy("user", "add", "Ann", "--expires", expires)),
  ]);
  expect(list.errors).toContain("No one can sign in");
  for (const { code } of [unknown, ...wrong]) expect(code).toBe(2);
});

describe.skipIf(!hasBrowser)("in a browser", () => {
  afterAll(closeBrowser);

  /** Ann's browser, in which she is signed in. */
  async function openAnn() {
    const site = await openSite();
    const opened = await openPage();
    const { page } = opened;
    await page.goto(`${site.url}/#key=${await site.accounts.add("Ann", "link")}`);
    await page.waitForSelector("#message");
    const who = () => page.locator(".account .name").textContent();
    expect(await who()).toBe("Ann");
    return { ...opened, site, who };
  }

  test("somebody else's link is asked about, and what is harmless comes first", async () => {
    const { page, site, who, problems } = await openAnn();
    const key = await site.accounts.add("Bob", "link", { once: true });
    // Into the address bar of the page that is open, which does not load it anew by itself.
    await page.goto(`${site.url}/#key=${key}`);
    await page.getByText("You are signed in as Ann.").waitFor();
    expect(page.url()).not.toContain(key);
    for (const [width, colorScheme] of [
      [1280, "light"],
      [390, "dark"],
    ] as const) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      expect(await findBarriers(page)).toEqual([]);
    }
    await page.keyboard.press("Enter");
    await page.waitForSelector("#message");
    expect(await who()).toBe("Ann");
    expect(page.url()).not.toContain(key);

    await page.goto(`${site.url}/?again#key=${key}`);
    await page.getByRole("button", { name: "Sign in as Bob" }).click();
    await page.waitForSelector("#message");
    expect(await who()).toBe("Bob");
    expect(problems.filter((problem) => !/409/.test(problem))).toEqual([]);
  });

  test("a link that is not valid leaves one signed in, and does not stay in the address", async () => {
    const { page, site, who } = await openAnn();
    await page.goto(`${site.url}/?x#key=not-valid-any-more`);
    await page.getByText("This link is not valid").waitFor();
    expect(page.url()).not.toContain("key");
    await page.getByRole("button", { name: "Continue as Ann" }).click();
    await page.waitForSelector("#message");
    expect(await who()).toBe("Ann");
  });

  test("a page that has missed a switch of accounts says nothing in the other one's name", async () => {
    const { page, site } = await openAnn();
    // As after a sleep: the page has the cookie of another tab, and its own session was not ended before its eyes.
    const bob = await site.enter({ key: await site.accounts.add("Bob", "link") });
    const [name = "", value = ""] = bob.split("=");
    await page.context().addCookies([{ name, value, url: site.url }]);
    await page.fill("#message", "for Ann alone");
    await page.keyboard.press("Enter");
    await page.getByText("Not sent: Another user is now signed in").waitFor();
    expect(await (await site.ask("/api/conversations", { cookie: bob })).json()).toEqual([]);
    const stream = (as: string) => site.ask(`/api/events?wait=1&as=${as}`, { cookie: bob });
    expect([(await stream("Ann")).status, (await stream("Bob")).status]).toEqual([401, 200]);
  });

  test("an open page shows the sign-in as soon as the link is revoked, in every tab", async () => {
    const { page, site } = await openAnn();
    const second = await page.context().newPage();
    await second.goto(site.url);
    await second.waitForSelector("#message");
    const [link] = await site.accounts.list();
    await site.accounts.revoke(link?.id ?? "");
    for (const tab of [page, second]) await tab.getByText("Open the personal link").waitFor();
    expect(await page.locator("#message").count()).toBe(0);
  });
});
