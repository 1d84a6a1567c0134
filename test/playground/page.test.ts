import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, describe, expect, test } from "vitest";
import { closeBrowser, findBarriers, hasBrowser, openPage } from "../support/browser.ts";
import { freePort } from "../support/port.ts";
import { runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

const WINDOWS = ["telegram", "discord", "dingtalk", "terminal"] as const;

/** `PICTURES=1` makes those of the README anew. */
const PICTURES = process.env["PICTURES"] ? join(import.meta.dirname, "../../docs/pictures") : undefined;

async function openPlayground() {
  const port = String(await freePort());
  const program = runProgram(["playground"], { HTTP_PORT: port });
  await program.ready();
  const url = `http://127.0.0.1:${port}/playground`;
  const { page, problems } = await openPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.waitForSelector('.status[data-state="good"]');
  await page.frameLocator("iframe").locator("#message").waitFor();
  return { program, page, problems, url };
}

async function write(page: Page, window: string, text: string): Promise<void> {
  await page.fill(`.${window} input`, text);
  await page.press(`.${window} input`, "Enter");
}

async function reads(page: Page, window: string): Promise<string> {
  return (await page.innerText(`.${window} .lines`)).replace(/\s+/g, " ");
}

/** How the demo model's answer to a greeting ends. */
const END = "start again.";

describe.skipIf(!hasBrowser)("the playground in a browser", () => {
  afterAll(closeBrowser);

  test("an answer grows in five windows, and the way of the last message is shown", async () => {
    const { page, problems } = await openPlayground();
    const web = page.frameLocator("iframe");
    // None is to be whole before all have begun.
    await page.getByRole("button", { name: "Slow model" }).click();
    for (const window of WINDOWS) await write(page, window, "Hello, who are you?");
    await web.locator("#message").fill("Hello, who are you?");
    await web.locator("#message").press("Enter");
    const all = async () => [
      ...(await Promise.all(WINDOWS.map((window) => reads(page, window)))),
      (await web.locator(".turns").innerText()).replace(/\s+/g, " "),
    ];
    await until(async () => (await all()).every((text) => text.includes("offline")), "five growing answers");
    expect((await all()).some((text) => text.includes(END))).toBe(false);
    if (PICTURES) await page.screenshot({ path: join(PICTURES, "playground.png") });
    await until(async () => (await all()).every((text) => text.includes(END)), "five whole answers");
    for (const window of WINDOWS.slice(0, 3))
      expect(await page.locator(`.${window} strong`).first().innerText()).toBe("demo model");
    await until(async () => {
      const steps = (await page.locator(".journey li").allInnerTexts()).map((step) => step.split(" ")[0]);
      return ["received", "stored", "asked", "begun", "sent", "saved", "dropped"].every((step) =>
        steps.includes(step),
      );
    }, "the way of the last message");
    expect(problems).toEqual([]);
    expect(await findBarriers(page)).toEqual([]);
  });

  test("commands, buttons, a second person", async () => {
    const { page } = await openPlayground();
    await write(page, "telegram", "/persona");
    await page.locator(".telegram .choice", { hasText: "translator" }).click();
    await until(async () => (await reads(page, "telegram")).includes("I am translator here."));
    await write(page, "discord", "/ask what is 12*3?");
    await until(async () => (await reads(page, "discord")).includes("36"));
    await page.getByRole("button", { name: "Bob" }).click();
    await until(async () => (await reads(page, "telegram")) === "");
    expect(await reads(page, "discord")).toBe("");
    await page.getByRole("button", { name: "Ann" }).click();
    await until(async () => (await reads(page, "telegram")).includes("translator"));
  });

  test("killed in the middle of an answer, the worker comes back and finishes it; refusals are waited out", async () => {
    const { page } = await openPlayground();
    await page.getByRole("button", { name: "Slow model" }).click();
    await write(page, "telegram", "Hello");
    await until(async () => (await reads(page, "telegram")).includes("offline"));
    await page.getByRole("button", { name: "Kill the worker" }).click();
    await page.waitForSelector('.status[data-state="bad"]');
    await page.getByRole("button", { name: "Slow model" }).click();
    await until(async () => (await reads(page, "telegram")).endsWith(END), "the whole answer", 30_000);
    for (const name of ["Model: 429", "Telegram: 429", "Drop sockets"])
      await page.getByRole("button", { name }).click();
    await write(page, "telegram", "what is 2*21?");
    await until(async () => (await reads(page, "telegram")).includes("42"), "an answer all the same", 30_000);
  });

  test("nothing that is written runs; and other sites get nothing", async () => {
    const { page, url } = await openPlayground();
    for (const window of WINDOWS)
      await write(
        page,
        window,
        '<img src=x onerror="window.hacked=1"> [x](javascript:window.hacked=2) <script>window.hacked=3</script>',
      );
    await until(async () => (await reads(page, "telegram")).includes("onerror"));
    await until(async () => (await reads(page, "discord")).includes("onerror"));
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(await page.locator("main .lines :is(img, script, [onerror])").count()).toBe(0);
    const body = JSON.stringify({ what: "kill" });
    const headers = { "content-type": "application/json" };
    for (const more of [
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site" },
      { "x-forwarded-for": "203.0.113.7" },
    ])
      expect(
        (await fetch(`${url}/control`, { method: "POST", headers: { ...headers, ...more }, body })).status,
      ).toBe(403);
  });
});
