import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { inject, onTestFinished } from "vitest";

/** Whether tests in a browser can run; the set-up has said why, if not. */
export const hasBrowser = inject("chromium") !== "";

/** A browser that asks nobody for anything but the pages it is sent to. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let browser: Promise<Browser> | undefined;

/** A new person's browser, with a page that is empty yet. What goes wrong on the page is in `problems`. */
export async function openPage(
  options: BrowserContextOptions = {},
): Promise<{ page: Page; problems: string[] }> {
  browser ??= chromium.launch({ executablePath: inject("chromium"), args: FLAGS });
  const context = await (await browser).newContext({ locale: "en-US", ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  return { page, problems };
}

/** Ends the browser of this file's tests. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

/** What axe has against a page as it stands, with the elements that it is about. */
export async function findBarriers(page: Page): Promise<string[]> {
  // A script that is not the page's own: its policy is no matter of ours.
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run()")) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
