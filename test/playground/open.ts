import type { Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { writeAtLength } from "../../src/model/demo/sample.ts";
import { openPage } from "../support/browser.ts";
import { linkIn } from "../support/local.ts";
import { type RunningProgram, runProgram } from "../support/program.ts";
import { until } from "../../src/testing/until.ts";

/** What the demo model answers at some length. */
export const QUESTION = "Write 1200 characters";

/** The last words of the answer. */
export const END = bare(writeAtLength("en", { count: 1200, unit: "characters" })).slice(-20);

/** The playground of a program of its own, in a browser of its own; its scripts must not fail, nor meet the policy. */
export async function openPlayground(
  settings: Record<string, string> = {},
): Promise<{ page: Page; url: string; program: RunningProgram }> {
  const program = runProgram(["playground"], { LANG: "en_US.UTF-8", ...settings });
  const url = await address(program);
  const { page, problems } = await openPage({ viewport: { width: 1440, height: 900 } });
  onTestFinished(async () => {
    // In order, so that its folder is removed; after the page, which would miss it.
    await page.close();
    program.signal("SIGTERM");
    await program.exited;
    // That something is refused, or a killed worker's stream breaks off, the browser tells too.
    expect(problems.filter((problem) => !problem.startsWith("Failed to load resource"))).toEqual([]);
  });
  await page.goto(url);
  await page.waitForSelector(".pill.ready");
  await page.frameLocator("iframe").locator("#message").waitFor();
  return { page, url, program };
}

/** Where the program says that its playground is. */
export async function address(program: RunningProgram): Promise<string> {
  return until(
    () => linkIn(program, "simulated: "),
    () => `the address in: ${program.errors()}`,
  );
}

/** Somebody writes in a window. */
export async function write(page: Page, name: string, words: string): Promise<void> {
  await page.fill(`.${name} textarea`, words);
  await page.press(`.${name} textarea`, "Enter");
}

/** All that a window shows. */
export async function text(page: Page, name: string): Promise<string> {
  return (await page.textContent(`.${name} .log`)) ?? "";
}

/** Letters and figures alone: what wrapping and marks leave as it is. */
export function bare(words: string): string {
  return words.replace(/[^\p{L}\p{N}]/gu, "");
}
