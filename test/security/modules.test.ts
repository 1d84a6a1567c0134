import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const DIST = join(import.meta.dirname, "../../dist/src");

/** Opens files until no more can be opened, tries something, closes them and tries it again. */
const TWICE = `
  import { closeSync, openSync } from "node:fs";
  const { attempt } = await import(process.argv[1]);
  const files = [];
  try { for (;;) files.push(openSync("/dev/null")); } catch {}
  const first = await attempt().then(() => "done", ({ code }) => code ?? "failed");
  for (const file of files) closeSync(file);
  const second = await attempt().then(() => "done", (error) => String(error));
  console.log(JSON.stringify([first, second]));
`;

/** In a process that may open few files. */
async function twice(attempt: string): Promise<string[]> {
  const module = `data:text/javascript,${encodeURIComponent(attempt)}`;
  const words = ["-c", `ulimit -n 128; exec "$0" "$@"`, process.execPath, "--input-type=module"];
  const { stdout } = await promisify(execFile)("sh", [...words, "--eval", TWICE, module]);
  return JSON.parse(stdout) as string[];
}

const file = (path: string) => JSON.stringify(`file://${join(DIST, path)}`);

test("a package that could not be loaded for want of files is loaded the next time", async () => {
  // The check itself: this is how Node treats \`import()\`.
  const imported = `export const attempt = () => import(${JSON.stringify(import.meta.resolve("yaml"))})`;
  expect(await twice(imported)).toEqual(["EMFILE", expect.stringContaining("EMFILE")]);

  const tokens = `
    import { countTokens } from ${file("model/tokens.js")};
    export const attempt = () => countTokens("hello");`;
  expect(await twice(tokens)).toEqual(["EMFILE", "done"]);

  const model = `
    import { createServer } from "node:http";
    import { createOpenAI } from ${file("model/openai.js")};
    const server = createServer((_, response) => {
      response.setHeader("content-type", "text/event-stream");
      response.end('data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}\\n\\ndata: [DONE]\\n\\n');
    }).listen(0).unref();
    export const attempt = async () => {
      const baseURL = "http://127.0.0.1:" + server.address().port + "/v1";
      globalThis.model ??= createOpenAI({ apiKey: "key", model: "m", baseURL, budgetMs: 1 });
      for await (const _ of globalThis.model.answer({ messages: [{ role: "user", content: "hi" }] }, new AbortController().signal));
      server.closeAllConnections();
    };`;
  const [first, second] = await twice(model);
  expect(first).not.toBe("done");
  expect(second).toBe("done");
});
