import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { loadSettings } from "../../../config/settings.ts";
import { createLocalAccess } from "../../../src/http/local.ts";
import { startProgram } from "../../../src/program/start.ts";
import { type ModelSimulatorOptions, startModelSimulator } from "../../../src/testing/openai.ts";
import { closeBrowser, findBarriers, hasBrowser, openPage } from "../../support/browser.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { captureLog } from "../../support/log.ts";
import { freePort } from "../../support/port.ts";
import { until } from "../../../src/testing/until.ts";

/** A program with the web chat alone, and a simulated model. */
async function openChat(reply: ModelSimulatorOptions["reply"], more: Record<string, string> = {}) {
  const model = await startModelSimulator({ ...(reply && { reply }) });
  const port = await freePort();
  const settings = loadSettings({
    STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`,
    HTTP_PORT: String(port),
    OPENAI_API_KEY: model.key,
    OPENAI_BASE_URL: model.baseURL,
    OPENAI_MODEL: "simulated",
    MESSAGES_PER_MINUTE: "1000",
    ...more,
  });
  const { log, lines } = captureLog();
  const local = createLocalAccess();
  const start = () => startProgram({ settings, log, local });
  let program = await start();
  onTestFinished(async () => {
    await program.stop();
    await model.close();
  });
  return {
    model,
    lines,
    url: local.link(program.url),
    restart: async () => {
      await program.stop();
      program = await start();
    },
  };
}

/** `PICTURES=1` makes that of the README anew. */
const PICTURES = process.env["PICTURES"] ? join(import.meta.dirname, "../../../docs/pictures") : undefined;

/** Someone at the page, signed in. */
async function enter(url: string, name: string, options: Parameters<typeof openPage>[0] = {}) {
  const { page, problems } = await openPage(options);
  await page.goto(url);
  await page.fill("#name", name);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#message");
  return { page, problems, person: personAt(page) };
}

function personAt(page: Page) {
  const answers = page.locator(".answer");
  return {
    ask: async (text: string) => {
      await page.fill("#message", text);
      await page.keyboard.press("Enter");
    },
    answers: () => answers.allInnerTexts(),
    /** Waits until so many answers are whole. */
    done: (count: number) =>
      until(
        async () => (await page.locator('.answer[aria-busy="false"]').count()) === count,
        `${count} answers`,
      ),
    sees: (text: string) => until(async () => (await page.innerText(".turns")).includes(text), text),
  };
}

/** Pastes a picture of 3 × 3 pixels. */
const PASTE = `(async () => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 3;
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  const data = new DataTransfer();
  data.items.add(new File([blob], "pasted.png", { type: "image/png" }));
  const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  document.querySelector("#message").dispatchEvent(event);
})()`;

describe.skipIf(!hasBrowser)("the web chat in a browser", () => {
  afterAll(closeBrowser);

  test("one signs in, asks, watches the answer grow, and finds all of it after a reload and a restart", async () => {
    const chat = await openChat({ text: "# Rain\n\n**Water** falls. ".repeat(40), pieces: 60, delayMs: 20 });
    const { page, problems, person } = await enter(chat.url, "Ann");
    await person.ask("why is rain?");
    await person.sees("Water falls.");
    expect(await page.locator('.answer[aria-busy="true"]').count()).toBe(1);
    await person.done(1);
    const [whole] = await person.answers();
    expect(await page.locator(".answer strong").first().innerText()).toBe("Water");
    await page.reload();
    await person.done(1);
    expect(await person.answers()).toEqual([whole]);
    await chat.restart();
    await person.ask("and snow?");
    await person.done(2);
    expect(chat.model.requests.at(-1)?.messages.map(({ role }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "user",
    ]);
    expect(problems.filter((problem) => !/ERR_CONNECTION|Failed to load/.test(problem))).toEqual([]);
  });

  test("an answer can be stopped, asked for again, and its question changed", async () => {
    const chat = await openChat(({ messages }) => ({
      text: `on ${String(messages.at(-1)?.content)} `.repeat(200),
      pieces: 100,
      delayMs: 50,
    }));
    const { page, person } = await enter(chat.url, "Ann");
    await person.ask("apples");
    await person.sees("on apples");
    await page.keyboard.press("Escape");
    await person.sees("(stopped)");
    await person.done(1);
    await page.locator(".answer .again").click();
    await person.sees("on apples");
    await page.locator(".composer .stop").click();
    await person.done(1);
    await page.locator(".question .pencil").click();
    await page.fill("#message", "pears");
    await page.keyboard.press("Enter");
    await person.sees("on pears");
    expect(await page.locator(".question .text").allInnerTexts()).toEqual(["pears"]);
    expect(
      chat.model.requests
        .at(-1)
        ?.messages.map(({ content }) => content)
        .slice(1),
    ).toEqual(["pears"]);
  });

  test("images are chosen, pasted and taken away, go along, and stay when the question is changed", async () => {
    const chat = await openChat("I see.");
    const { page, person, problems } = await enter(chat.url, "Ann");
    const picture = join(import.meta.dirname, "../../../docs/pictures/web-chat.png");
    await page.setInputFiles("input[type=file]", [picture, join(import.meta.dirname, "page.test.ts")]);
    await page.getByText("page.test.ts” is not an image").waitFor();
    await page.evaluate(PASTE);
    const images = page.locator(".composer .image");
    await until(async () => (await images.count()) === 2, "both images");
    await person.ask("what is this?");
    await person.done(1);
    const sent = () =>
      chat.model.requests
        .at(-1)
        ?.messages.at(-1)
        ?.images?.map((url) => url.split(";")[0]);
    // What is no larger than models look at goes as it is, and a canvas makes a PNG.
    expect(sent()).toEqual(["data:image/png", "data:image/png"]);
    expect(await images.count()).toBe(0);
    await page.reload();
    await person.done(1);
    const sizes = () =>
      page
        .locator(".question .image img")
        .evaluateAll((all) => all.map((one) => (one as unknown as { naturalWidth: number }).naturalWidth));
    // They are fetched anew: no browser keeps them.
    await until(async () => (await sizes()).every((size) => size > 0), "the images");
    expect(await sizes()).toEqual([1200, 3]);
    await page.hover(".question");
    await page.click(".question .icon.pencil");
    await until(async () => (await images.count()) === 2, "both images again");
    await images.nth(0).locator("button").click();
    await person.ask("and this?");
    await until(() => sent()?.length === 1, "one image");
    await person.done(1);
    expect(problems).toEqual([]);
  });

  test("several pages of one person are in step, and nobody sees another's words", async () => {
    const chat = await openChat(({ messages }) => `You said ${String(messages.at(-1)?.content)}.`);
    const ann = await enter(chat.url, "Ann");
    const bob = await enter(chat.url, "Bob");
    await ann.person.ask("my secret");
    await ann.person.done(1);
    const second = await ann.page.context().newPage();
    await second.goto(ann.page.url());
    await personAt(second).sees("You said my secret.");
    await personAt(second).ask("another one");
    await ann.person.sees("You said another one.");
    await bob.person.ask("hello");
    await bob.person.sees("You said hello.");
    expect(await bob.page.innerText("body")).not.toContain("secret");
    // Not even by the address of her conversation.
    await bob.page.goto(ann.page.url());
    await bob.page.reload();
    await bob.page.waitForSelector(".welcome");
    expect(await bob.page.innerText("body")).not.toContain("secret");
  });

  test("what was written while the server is away is sent once it is back", async () => {
    const chat = await openChat("back again");
    const { page, person } = await enter(chat.url, "Ann");
    await page.context().setOffline(true);
    await person.ask("are you there?");
    await person.sees("Not sent yet.");
    await page.context().setOffline(false);
    await person.sees("back again");
    expect(chat.model.requests.length).toBe(1);
  });

  test("conversations are listed, found, renamed and deleted", async () => {
    const chat = await openChat("an answer with a rare word: quokka");
    const { page, person } = await enter(chat.url, "Ann");
    await person.ask("first question");
    await person.done(1);
    await page.getByRole("button", { name: "New conversation" }).click();
    await person.ask("second question");
    await person.done(1);
    const titles = () => page.locator(".conversations .title").allInnerTexts();
    await until(async () => (await titles()).join() === "second question,first question");
    await page.getByRole("button", { name: "Rename: first question" }).click();
    await page.locator("dialog input").fill("zebras");
    await page.keyboard.press("Enter");
    await until(async () => (await titles()).includes("zebras"));
    await page.fill('input[type="search"]', "ZEBRA");
    await until(async () => (await titles()).join() === "zebras");
    await page.fill('input[type="search"]', "quokka");
    await until(async () => (await titles()).length === 2);
    await page.getByRole("button", { name: "Delete: zebras" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await until(async () => (await titles()).join() === "second question");
  });

  test("a look at the list that comes late takes nothing away", async () => {
    const chat = await openChat("fine");
    const { page } = await openPage({});
    let release = () => {};
    const late = new Promise<void>((resolve) => (release = resolve));
    let answered = 0;
    await page.route("**/api/conversations", async (route) => {
      const response = await route.fetch();
      await late;
      await route.fulfill({ response });
      answered += 1;
    });
    await page.goto(chat.url);
    await page.fill("#name", "Ann");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#message");
    const titles = () => page.locator(".conversations .title").allInnerTexts();
    await page.fill("#message", "first question");
    await page.keyboard.press("Enter");
    await until(async () => (await titles()).join() === "first question");
    release();
    await until(() => answered > 0, "the list");
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.fill("#message", "second question");
    await page.keyboard.press("Enter");
    await until(async () => (await titles()).join() === "second question,first question");
  });

  test("what it has cost is told in the currency, and a conversation is saved in each format", async () => {
    const chat = await openChat("I see.", {
      OPENAI_MODELS: '{"simulated": {"context": 32768, "input": 1000, "output": 2000}}',
      CURRENCY: "CNY",
    });
    const { page, person } = await enter(chat.url, "Ann");
    await person.ask("why?");
    await person.done(1);
    await page.getByText("Usage").click();
    expect(await page.innerText("dialog tfoot")).toMatch(/Total\s+1\s+\d+\s+\d+\s+0\.\d+ CNY/);
    await page.getByText("Close").click();
    const found: Record<string, string> = {};
    for (const name of ["Markdown", "JSON Lines", "user_messages.json"]) {
      await page.click(".icon.download");
      const download = page.waitForEvent("download");
      await page.locator("dialog button", { hasText: name }).click();
      const file = await download;
      found[name] = `${extname(file.suggestedFilename())} ${readFileSync(await file.path(), "utf8")}`;
      await page.getByText("Close").click();
    }
    expect(found["Markdown"]).toMatch(/^\.md # [^]*## Assistant\n\nI see\./);
    expect(found["JSON Lines"]).toMatch(/^\.jsonl \{"user":"Ann"/);
    expect(found["user_messages.json"]).toMatch(/^\.json \{\n {2}"Ann": \[/);
  });

  test("a persona is chosen by a button, and commands show what they show elsewhere", async () => {
    const chat = await openChat("fine");
    const { page, person } = await enter(chat.url, "Ann");
    await person.ask("/persona");
    await person.done(1);
    await page.getByRole("button", { name: "translator" }).click();
    await person.sees("From now on I am translator here.");
    await person.ask("bonjour");
    await person.done(3);
    expect(String(chat.model.requests.at(-1)?.messages[0]?.content)).toContain("translat");
    await page.getByRole("button", { name: "Usage" }).click();
    await until(async () => (await page.innerText("dialog")).includes("simulated"));
  });

  test("nothing that a model writes runs, loads or leads anywhere it should not", async () => {
    const hostile = [
      "<script>window.hacked=1</script><img src=x onerror=window.hacked=2><svg onload=window.hacked=3>",
      "[click](javascript:window.hacked=4) [data](data:text/html,<script>window.hacked=5</script>) ![i](https://evil.example/x.png)",
      "<style>body{display:none}</style> &lt;b&gt; <iframe src=https://evil.example></iframe> <!-- -->",
      "```html\n<script>window.hacked=6</script>\n```",
      '```js"onmouseover=window.hacked=7\nx\n```',
      `${"<".repeat(1000)}${"a".repeat(1_000_000)}`,
    ].join("\n\n");
    const chat = await openChat({ text: hostile, pieces: 20 });
    const { page, person } = await enter(chat.url, "<img src=x onerror=window.hacked=8>");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).host));
    await person.ask("<b onclick=window.hacked=9>hello</b>");
    await person.done(1);
    for (const link of await page.locator(".answer a").all())
      expect(await link.getAttribute("href")).toMatch(/^https:/);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(
      await page
        .locator(".answer :is(script, img, svg, iframe, style), .answer [onclick], .answer [onerror]")
        .count(),
    ).toBe(0);
    expect(await page.locator(".question .text").innerText()).toContain("<b onclick");
    expect(new Set(asked)).toEqual(new Set([new URL(chat.url).host]));
    expect(await page.innerText(".answer")).toContain("<script>window.hacked=6</script>");
  });

  test.each([
    ["light", 1200],
    ["dark", 390],
  ] as const)("it has no barriers that axe knows of (%s, %i pixels wide)", async (colorScheme, width) => {
    const chat = await openChat(
      "# Head\n\n- [ ] task\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x = 1;\n```\n\n||hidden|| [link](https://example.org)",
    );
    const { page, person } = await enter(chat.url, "Ann", { colorScheme, viewport: { width, height: 800 } });
    await person.ask("show me all");
    await person.done(1);
    await page.waitForSelector(".hljs-keyword");
    expect(await findBarriers(page)).toEqual([]);
    if (width < 720) await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("button", { name: "Usage" }).click();
    await page.waitForSelector("dialog[open]");
    expect(await findBarriers(page)).toEqual([]);
  });

  test("the keyboard is enough", async () => {
    const chat = await openChat("answered");
    const { page } = await openPage();
    await page.goto(chat.url);
    await page.waitForSelector("#name");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Ann");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#message");
    // The place to write has the focus from the beginning.
    await page.keyboard.type("hello");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("there");
    await page.keyboard.press("Enter");
    await personAt(page).done(1);
    expect(await page.innerText(".question .text")).toBe("hello\nthere");
    const reached = new Set<string>();
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press("Tab");
      reached.add(
        String(
          await page.evaluate("document.activeElement?.ariaLabel || document.activeElement?.textContent"),
        ),
      );
    }
    for (const name of [
      "New conversation",
      "Search conversations",
      "Edit and ask again",
      "Copy",
      "Answer again",
      "Usage",
      "Sign out",
    ])
      expect([...reached]).toContain(name);
  });

  test.runIf(PICTURES)("a picture for the README (PICTURES=1)", async () => {
    const chat = await openChat(PICTURED);
    const { page, person } = await enter(chat.url, "Ann", { viewport: { width: 1200, height: 760 } });
    for (const text of ["Plan a weekend in Lisbon", "How do I sort a list in Python?"]) {
      await person.ask(text);
      await person.done(1);
      if (text.startsWith("Plan")) await page.getByRole("button", { name: "New conversation" }).click();
    }
    await page.waitForSelector(".hljs-keyword");
    expect(await page.locator(".conversations .title").count()).toBe(2);
    await page.screenshot({ path: join(PICTURES ?? "", "web-chat.png") });
  });

  test("it speaks Chinese where the browser does", async () => {
    const chat = await openChat("您好");
    const { page, person } = await enter(chat.url, "小明", { locale: "zh-CN" });
    expect(await page.getAttribute("html", "lang")).toBe("zh-CN");
    await page.getByRole("button", { name: "新对话" }).waitFor();
    await person.ask("/reset");
    await person.sees("忘");
  });
});

const PICTURED = `Two ways, both **stable**: equal items keep their order.

| | returns | changes the list |
|---|---|---|
| \`sorted(items)\` | a new list | no |
| \`items.sort()\` | nothing | yes |

\`\`\`python
def by_age(people):
    """The youngest first."""
    return sorted(people, key=lambda person: person.age)
\`\`\`

- [x] any iterable works with \`sorted\`
- [ ] \`sort\` is a method of lists alone
`;
