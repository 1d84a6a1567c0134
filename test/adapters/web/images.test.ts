import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadSettings } from "../../../config/settings.ts";
import { createLocalAccess } from "../../../src/http/local.ts";
import { startProgram } from "../../../src/program/start.ts";
import { type ModelSimulatorOptions, startModelSimulator } from "../../../src/testing/openai.ts";
import { openStore } from "../../../src/store/store.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { signInByName } from "../../support/local.ts";
import { captureLog } from "../../support/log.ts";
import { until } from "../../../src/testing/until.ts";

/** The smallest picture that there is. */
const DOT =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const GIF = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";

interface Shown {
  readonly turns: readonly { turn: string; images?: number; done: boolean }[];
}

/** The program with the web chat, and people who use its API. */
async function openChat(simulated: ModelSimulatorOptions = {}) {
  const model = await startModelSimulator({ reply: "I see.", ...simulated });
  const file = join(temporaryFolder(), "store.sqlite");
  const settings = loadSettings({
    STORE_URL: `sqlite:${file}`,
    HTTP_PORT: "0",
    OPENAI_API_KEY: model.key,
    OPENAI_BASE_URL: model.baseURL,
    OPENAI_MODEL: "simulated",
  });
  const { log, lines } = captureLog();
  const local = createLocalAccess();
  const program = await startProgram({ settings, log, local });
  onTestFinished(async () => {
    await program.stop();
    await model.close();
  });
  const ask = (path: string, cookie = "", body?: object, method = body ? "POST" : "GET") =>
    fetch(`${program.url}/api/${path}`, {
      method,
      headers: { cookie, ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  const enter = (name: string) => signInByName(local.link(program.url), name);
  const shown = async (cookie: string) => (await (await ask("conversations/one", cookie)).json()) as Shown;
  /** Says something, and waits for the answer. */
  const say = async (cookie: string, body: object) => {
    const id = crypto.randomUUID();
    const response = await ask("conversations/one/messages", cookie, { id, ...body });
    expect(response.status, await response.clone().text()).toBe(200);
    const { turn } = (await response.json()) as { turn: string };
    await until(async () => (await shown(cookie)).turns.find((one) => one.turn === turn)?.done, "the answer");
    return turn;
  };
  return { model, lines, file, program, ask, enter, shown, say };
}

test("an image goes to the model with its question, and with those that follow", async () => {
  const { model, ask, enter, say, shown } = await openChat();
  const ann = await enter("Ann");
  const turn = await say(ann, { text: "what is this?", images: [DOT, GIF] });
  expect(model.requests.at(-1)?.messages.at(-1)).toEqual({
    role: "user",
    content: "what is this?",
    images: [DOT, GIF],
  });
  await say(ann, { text: "and its colour?" });
  expect(model.requests.at(-1)?.messages.map(({ images }) => images?.length)).toEqual([
    undefined,
    2,
    undefined,
    undefined,
  ]);
  expect((await shown(ann)).turns[0]?.images).toBe(2);
  const image = await ask(`conversations/one/images/${turn}/1`, ann);
  expect(image.headers.get("content-type")).toBe("image/gif");
  expect(image.headers.get("x-content-type-options")).toBe("nosniff");
  expect(Buffer.from(await image.arrayBuffer()).toString("base64")).toBe(GIF.split(",")[1]);
});

test("an image alone is a question", async () => {
  const { model, enter, say } = await openChat();
  await say(await enter("Ann"), { text: "", images: [DOT] });
  expect(model.requests.at(-1)?.messages.at(-1)).toEqual({ role: "user", content: "", images: [DOT] });
});

test("asked again, a question keeps its images; changed, it has those that are given", async () => {
  const { model, enter, say } = await openChat();
  const ann = await enter("Ann");
  const first = await say(ann, { text: "what is this?", images: [DOT, GIF] });
  const again = await say(ann, { text: "what is this?", replaces: first });
  expect(model.requests.at(-1)?.messages.at(-1)?.images).toEqual([DOT, GIF]);
  await say(ann, { text: "what is this?", images: [GIF], replaces: again });
  expect(model.requests.at(-1)?.messages.at(-1)?.images).toEqual([GIF]);
  expect(model.requests.at(-1)?.messages).toHaveLength(2);
});

test("nobody else sees an image, and it is gone with its conversation", async () => {
  const { file, program, ask, enter, say } = await openChat();
  const [ann, bob] = [await enter("Ann"), await enter("Bob")];
  const turn = await say(ann, { text: "mine", images: [DOT] });
  expect((await ask(`conversations/one/images/${turn}/0`, bob)).status).toBe(404);
  expect((await ask(`conversations/one/images/${turn}/0`)).status).toBe(401);
  expect((await ask(`conversations/one/images/${turn}/1`, ann)).status).toBe(404);
  expect((await ask("conversations/one", ann, undefined, "DELETE")).status).toBe(204);
  expect((await ask(`conversations/one/images/${turn}/0`, ann)).status).toBe(404);
  await program.stop();
  const store = await openStore(`sqlite:${file}`);
  expect((await store.keys("web", "images")).length).toBe(0);
  await store.close();
});

test.each([
  ["what is no image", ["data:image/png;base64,PGh0bWw+"]],
  ["what may run", [`data:image/svg+xml;base64,${btoa("<svg onload='alert(1)'/>")}`]],
  ["an address", ["https://example.com/cat.png"]],
  ["an address in this network", ["http://127.0.0.1:1/"]],
  ["nothing at all", [""]],
  ["too many", Array.from({ length: 5 }, () => DOT)],
])("%s is refused with a sentence, and nothing comes of it", async (_, images) => {
  const { model, ask, enter, shown } = await openChat();
  const ann = await enter("Ann");
  const body = { id: "message-1", text: "look", images };
  const response = await ask("conversations/one/messages", ann, body);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ error: expect.stringMatching(/image/i) });
  expect((await shown(ann)).turns).toEqual([]);
  expect(model.requests).toEqual([]);
});

test("what a file is called does not count, but what it is", async () => {
  const { model, enter, say } = await openChat();
  await say(await enter("Ann"), { text: "look", images: [DOT.replace("image/png", "image/svg+xml")] });
  expect(model.requests.at(-1)?.messages.at(-1)?.images).toEqual([DOT]);
});

test("images that are too large together are refused", async () => {
  const { ask, enter } = await openChat();
  const large = `data:image/jpeg;base64,${Buffer.concat([Buffer.from([255, 216, 255]), Buffer.alloc(3_100_000)]).toString("base64")}`;
  const body = { id: "message-1", text: "look", images: [large, large] };
  const response = await ask("conversations/one/messages", await enter("Ann"), body);
  expect(response.status).toBe(413);
  expect(await response.json()).toEqual({ error: "The images of a message may have at most 6 MB in total." });
});

test("a model that knows only texts says so, and goes on without the images once they are past", async () => {
  const { model, enter, say, shown } = await openChat({ blind: true });
  const ann = await enter("Ann");
  await say(ann, { text: "look", images: [DOT] });
  const [turn] = (await shown(ann)).turns as unknown as [{ pieces: { html: string }[] }];
  expect(turn.pieces[0]?.html).toContain("could not process the image");
  expect(model.requests).toEqual([]);
  await say(ann, { text: "then without" });
  expect(model.requests.at(-1)?.messages.at(-1)).toEqual({ role: "user", content: "then without" });
});
