import { afterAll, expect, test } from "vitest";
import { closeBrowser, hasBrowser } from "../support/browser.ts";
import { until } from "../../src/testing/until.ts";
import { bare, END, openPlayground, QUESTION, text, write } from "./open.ts";

/** A browser and several processes for each test. */
const LONG = { timeout: 60_000 };

afterAll(closeBrowser);

test.skipIf(!hasBrowser)(
  "an answer is whole though the worker is killed in the midst of it",
  LONG,
  async () => {
    const { page } = await openPlayground();
    await page.click('button:has-text("Slow model")');
    await write(page, "telegram", QUESTION);
    await until(async () => (await text(page, "telegram")).length > 60);
    await page.click('button:has-text("Kill the worker")');
    await page.waitForSelector(".pill.down");
    await write(page, "discord", "What is 12*3?");
    await page.click('button:has-text("Slow model")');
    await until(async () => (await text(page, "discord")).includes("12*3 = 36"));
    await until(async () => bare(await text(page, "telegram")).includes(END), "the whole answer");
    const shown = await text(page, "telegram");
    expect(shown.match(/1\. Formatting/g)).toHaveLength(1);
    expect(shown.match(/2\. Plain text/g)).toHaveLength(1);
  },
);

test(
  "questions are answered though the model refuses, connections drop and flood control strikes",
  LONG,
  async () => {
    const { page } = await openPlayground();
    await page.click('button:has-text("Model answers 429")');
    await write(page, "dingtalk", "What is 7*6?");
    await page.waitForSelector(".journey li:has-text('handlers have run')");
    await page.click('button:has-text("Drop the connections")');
    await page.click('button:has-text("Model answers 429")');
    await until(async () => (await text(page, "dingtalk")).includes("7*6 = 42"));
    await page.click('button:has-text("Flood control")');
    await write(page, "telegram", "What is 5*5?");
    await until(async () => (await text(page, "telegram")).includes("5*5 = 25"));
  },
);
