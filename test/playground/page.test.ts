import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { startModelSimulator } from "../../src/testing/openai.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runProgram } from "../support/program.ts";
import { closeBrowser, findBarriers, hasBrowser } from "../support/browser.ts";
import { fetchAt } from "../support/local.ts";
import { until } from "../../src/testing/until.ts";
import { address, bare, END, openPlayground, QUESTION, text, write } from "./open.ts";

const PLATFORMS = ["telegram", "discord", "dingtalk"];

/** `PICTURES=1` makes that of the README anew. */
const PICTURES = process.env["PICTURES"] ? join(import.meta.dirname, "../../docs/pictures") : undefined;

/** A browser and several processes for each test. */
const LONG = { timeout: 60_000 };

afterAll(closeBrowser);

const HOSTILE =
  '<img src=x onerror="window.hit=1"> [x](javascript:window.hit=1) <script>window.hit=1</script>';

test(
  "colloquy start without a platform says where the playground is, and runs nothing of it yet",
  LONG,
  async () => {
    const program = runProgram(["start"], { LANG: "en_US.UTF-8" });
    await program.ready();
    const url = await address(program);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/playground\?token=[\w-]{32}$/);
    expect(await (await fetchAt(url, "/page/main.js")).text()).toContain("makeWindow");
    expect(program.output()).not.toMatch(/"level":(50|60)/);
  },
);

test("with a platform there is a playground only for those who ask for it", LONG, async () => {
  const settings = {
    DINGTALK_CLIENT_ID: "id",
    DINGTALK_CLIENT_SECRET: "s",
    DINGTALK_API_ROOT: "http://127.0.0.1:9",
  };
  const program = runProgram(["start"], settings);
  await program.says("ALLOWED_USERS is empty");
  expect(program.output()).not.toContain("/playground");
  const asked = runProgram(["playground"], settings);
  expect((await fetchAt(await address(asked), "/page/page.css")).status).toBe(200);
});

test.skipIf(!hasBrowser)("each window shows an answer that grows, each person their own", LONG, async () => {
  const { page } = await openPlayground();
  // Nothing that has been loaded meanwhile has taken the focus.
  expect(await page.evaluate("document.activeElement.localName")).not.toBe("iframe");
  const names = [...PLATFORMS, "terminal"];
  const web = page.frameLocator("iframe");
  await web.locator("#message").fill("Show markdown");
  await web.locator("#message").press("Enter");
  const lengths = new Map(names.map((name) => [name, new Set<number>()]));
  for (const name of names) await write(page, name, `${name === "discord" ? "/ask " : ""}${QUESTION}`);
  await until(
    async () => {
      const shown = await Promise.all(names.map((name) => text(page, name)));
      for (const [index, name] of names.entries()) lengths.get(name)?.add(shown[index]?.length ?? 0);
      return shown.every(
        (each) =>
          bare(each).endsWith(END) || bare(each).endsWith(`${END}edited`) || bare(each).endsWith(`${END}Ann`),
      );
    },
    () =>
      `the end ${END} in each window; lengths ${names.map((name) => [...(lengths.get(name) ?? [])].join(" ")).join("; ")}`,
  );
  for (const [name, seen] of lengths) expect(seen.size, `${name} grows`).toBeGreaterThan(2);
  await page.click('.telegram .switch button:has-text("Bob")');
  await until(async () => (await page.getAttribute(".telegram", "data-person")) === "Bob");
  expect(await text(page, "telegram")).toBe("");
  await write(page, "telegram", "what did I say before?");
  await until(async () => (await text(page, "telegram")).includes("This is your first message"));
  await page.click('.telegram .switch button:has-text("Ann")');
  await until(async () => (await text(page, "telegram")).includes(QUESTION));
  await until(async () =>
    (await page.textContent(".journey .stations"))?.includes("done: removed from the queue"),
  );
});

test.runIf(PICTURES)("a picture for the README, of answers that grow (PICTURES=1)", LONG, async () => {
  const { page } = await openPlayground();
  const web = page.frameLocator("iframe");
  await page.click('button:has-text("Slow model")');
  await web.locator("#message").fill("Show markdown");
  await web.locator("#message").press("Enter");
  for (const name of ["dingtalk", "terminal", "telegram"]) await write(page, name, "Show markdown");
  await write(page, "discord", "/ask Show markdown");
  const shown = async () => [
    ...(await Promise.all([...PLATFORMS, "terminal"].map((name) => text(page, name)))),
    await web.locator(".said").innerText(),
  ];
  await until(async () => (await shown()).every((each) => each.length > 250), "the beginning in each window");
  expect((await shown()).every((each) => !each.includes("return 1"))).toBe(true);
  await page.screenshot({ path: join(PICTURES ?? "", "playground.png") });
});

test.skipIf(!hasBrowser)(
  "styles, links and buttons are there and work; nothing is a barrier",
  LONG,
  async () => {
    const { page } = await openPlayground();
    for (const name of PLATFORMS) await write(page, name, "Show markdown");
    for (const name of PLATFORMS) {
      await until(async () => (await text(page, name)).includes("return 1"), `the answer in ${name}`);
      const bubble = page.locator(`.${name} .line.bot`).last();
      expect(await bubble.locator("strong").first().textContent()).toBe("bold");
      expect(await bubble.locator("s").first().textContent()).toBe("struck");
      expect(await bubble.locator("a").first().getAttribute("href")).toBe("https://example.com/page/1");
      expect(await bubble.locator("pre").count()).toBeGreaterThan(1);
    }
    await page.fill(".discord textarea", "/pers");
    await page.press(".discord textarea", "Tab");
    expect(await page.inputValue(".discord textarea")).toBe("/persona ");
    await page.press(".discord textarea", "Enter");
    await page.click('.discord .buttons button:has-text("translator")');
    await until(async () => (await text(page, "discord")).includes("I am translator here"));
    await write(page, "telegram", "/persona");
    await page.click('.telegram .buttons button:has-text("translator")');
    await until(async () => (await text(page, "telegram")).includes("I am translator here"));

    const web = page.frameLocator("iframe");
    await web.locator("#message").fill("What is 12*3?");
    await web.locator("#message").press("Enter");
    await until(async () => (await web.locator(".turns").innerText()).includes("12*3 = 36"));
    await page.click('.web .switch button:has-text("Bob")');
    await web.getByText("What would you like to talk about?").waitFor();
    expect(await web.locator("body").innerText()).not.toContain("12*3");
    expect(await findBarriers(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await findBarriers(page)).toEqual([]);
  },
);

test.skipIf(!hasBrowser)("hostile words stay words", LONG, async () => {
  const { page, url } = await openPlayground();
  const names = [...PLATFORMS, "terminal"];
  for (const name of names) await write(page, name, HOSTILE);
  for (const name of names) {
    await until(async () => (await text(page, name)).split("onerror").length > 2, `the answer in ${name}`);
  }
  expect(await page.locator(".log img, .log script, .log [onerror]").count()).toBe(0);
  const links = page.locator("#windows a");
  const addresses = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  expect(addresses.filter((href) => href && !/^https?:/.test(href))).toEqual([]);
  await write(page, "telegram", "x".repeat(30_000));
  await page.waitForSelector("#toast.seen");
  expect(await page.evaluate("window.hit")).toBeUndefined();
  await write(page, "telegram", "What is 3*3?");
  await until(async () => (await text(page, "telegram")).includes("3*3 = 9"));
  expect((await fetchAt(url, "")).headers.get("content-security-policy")).toContain("default-src 'none'");
});

test("no other web site can use it", LONG, async () => {
  const url = await address(runProgram(["playground"]));
  const { port } = new URL(url);
  const ask = (headers: Record<string, string>, path = "/wish") =>
    fetchAt(url, path, { method: "POST", headers, body: '{"wish":{"do":"kill"}}' });
  expect((await ask({ origin: "https://elsewhere.example" })).status).toBe(403);
  expect((await ask({})).status).toBe(403);
  expect((await ask({ origin: "null" })).status).toBe(403);
  expect((await ask({ origin: `http://127.0.0.1:${port}` })).status).toBe(200);
  expect((await fetchAt(url, "/events", { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(403);
  expect((await fetchAt(url, "/web/Ann/", { headers: { "sec-fetch-site": "same-site" } })).status).toBe(403);
});

test.skipIf(!hasBrowser)(
  "with a key, questions go to the service that is configured, may be slowed down, and nothing is left of it",
  LONG,
  async () => {
    const TMPDIR = temporaryFolder();
    const service = await startModelSimulator();
    onTestFinished(() => service.close());
    const { page, program } = await openPlayground({
      OPENAI_BASE_URL: service.baseURL,
      OPENAI_API_KEY: service.key,
      OPENAI_MODEL: "mine",
      TELEGRAM_DRAFTS: "on",
      TMPDIR,
    });
    // Nothing is spent before somebody wants it.
    await write(page, "discord", "what is 12*3?");
    await until(async () => (await text(page, "discord")).includes("12*3 = 36"));
    expect(service.requests).toEqual([]);
    await page.click('button:has-text("Ask your model")');
    await page.waitForSelector(".pill.model:has-text('your model')");
    await write(page, "discord", "an echo");
    await until(async () => (await text(page, "discord")).split("an echo").length > 2);
    expect(service.requests.map(({ model }) => model)).toEqual(["mine"]);
    expect(program.output() + (await page.content())).not.toContain(service.key);
    // Drafts grow below the chat, with a button that stops them.
    await page.click('button:has-text("Slow model")');
    await write(page, "telegram", "word ".repeat(100));
    await page.click(".telegram .line.draft .buttons button");
    await until(async () => (await text(page, "telegram")).includes("(stopped)"));
    // When it ends, nothing of it is left.
    const folders = () => readdirSync(TMPDIR).filter((name) => name.startsWith("colloquy-playground-"));
    expect(folders()).toHaveLength(1);
    const health = await page.evaluate("fetch('playground/web/Ann/healthz').then((answer) => answer.json())");
    expect(health).toEqual({ alive: true });
    program.signal("SIGTERM");
    expect(await program.exited).toBe(0);
    expect(folders()).toEqual([]);
  },
);
