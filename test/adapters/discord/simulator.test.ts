import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import {
  type DiscordSimulator,
  type DiscordSimulatorOptions,
  startDiscordSimulator,
} from "../../../adapters/discord/simulator/simulator.ts";
import { until } from "../../../src/testing/until.ts";

const DIRECT_MESSAGES = 1 << 12;
const MESSAGE_CONTENT = 1 << 15;
const ASK = {
  name: "ask",
  type: 1,
  description: "Ask",
  options: [{ type: 3, name: "question", description: "What", required: true, max_length: 6000 }],
};

const payloadSchema = z.object({
  op: z.number(),
  s: z.number().nullable(),
  t: z.string().nullable(),
  d: z.record(z.string(), z.unknown()).catch({}),
});
type Payload = z.infer<typeof payloadSchema>;

const idIn = (json: unknown) => z.object({ id: z.string() }).parse(json).id;

async function start(options: DiscordSimulatorOptions = {}) {
  const discord = await startDiscordSimulator(options);
  onTestFinished(() => discord.close());
  const call = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const response = await fetch(`${discord.apiRoot}/v10${path}`, {
      method,
      headers: { authorization: `Bot ${discord.token}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: unknown = text ? JSON.parse(text) : undefined;
    return { status: response.status, headers: response.headers, json };
  };
  const register = (...commands: object[]) =>
    call("PUT", `/applications/${discord.applicationId}/commands`, commands);
  const post = (channel: string, body: object) => call("POST", `/channels/${channel}/messages`, body);
  return { discord, call, register, post };
}

/** A gateway client by hand: what came, and a way to send. */
async function connect(discord: DiscordSimulator) {
  const response = await fetch(`${discord.apiRoot}/v10/gateway`);
  const { url } = z.object({ url: z.string() }).parse(await response.json());
  const socket = new WebSocket(`${url}?v=10&encoding=json`);
  onTestFinished(() => socket.terminate());
  const received: Payload[] = [];
  let closed: number | undefined;
  socket.on("message", (data: Buffer) => received.push(payloadSchema.parse(JSON.parse(data.toString()))));
  socket.on("close", (code) => (closed = code));
  await once(socket, "open");
  const send = (op: number, d: unknown) => socket.send(JSON.stringify({ op, d }));
  const event = (t: string) => until(() => received.find((payload) => payload.t === t), t);
  const close = () => until(() => closed, "the connection is closed");
  return { socket, received, send, event, close };
}

async function identified(discord: DiscordSimulator, intents = DIRECT_MESSAGES) {
  const client = await connect(discord);
  client.send(2, { token: discord.token, intents, properties: {} });
  const ready = await client.event("READY");
  return { ...client, ready };
}

/** A slash command as the gateway tells it. */
async function asked(options: DiscordSimulatorOptions = {}, where: "dm" | "guild" | "user-install" = "dm") {
  const { discord, call, register } = await start(options);
  await register(ASK);
  const client = await identified(discord);
  discord.ask("ann", "why?", { where });
  const { d } = await client.event("INTERACTION_CREATE");
  const webhook = `/webhooks/${discord.applicationId}/${String(d["token"])}`;
  const callback = `/interactions/${String(d["id"])}/${String(d["token"])}/callback`;
  return { discord, call, d, webhook, callback };
}

test("a client is welcomed, told who it is, and its heartbeats are answered", async () => {
  const { discord } = await start();
  const { received, ready, send } = await identified(discord);
  expect(received[0]).toMatchObject({ op: 10, d: { heartbeat_interval: 41_250 } });
  expect(ready).toMatchObject({
    s: 1,
    d: { application: { id: discord.applicationId }, guilds: [], session_id: expect.any(String) },
  });
  expect(String(ready.d["resume_gateway_url"])).toMatch(/^ws:\/\/127\.0\.0\.1:/);
  send(1, 1);
  expect(await until(() => received.find(({ op }) => op === 11))).toBeDefined();
});

test.each([
  ["a wrong token", 2, { token: "wrong", intents: 0 }, 4004],
  ["a privileged intent", 2, { intents: MESSAGE_CONTENT }, 4014],
  ["an intent that does not exist", 2, { intents: 1 << 30 }, 4013],
  ["a sequence number of the future", 6, { seq: 999 }, 4007],
  ["anything before it says who it is", 3, {}, 4003],
])("the gateway closes on %s", async (_, op, d, code) => {
  const { discord } = await start();
  const { ready, socket } = await identified(discord);
  socket.terminate();
  const client = await connect(discord);
  client.send(op, { token: discord.token, session_id: ready.d["session_id"], ...d });
  expect(await client.close()).toBe(code);
});

test("a client without heartbeats is closed, one with a broken payload too", async () => {
  const { discord } = await start({ heartbeatMs: 40 });
  const silent = await identified(discord);
  expect(await silent.close()).toBe(4009);
  const broken = await connect(discord);
  broken.socket.send("{");
  expect(await broken.close()).toBe(4002);
});

test("a direct message reaches only those with the intent, with the type of its channel", async () => {
  const { discord } = await start();
  const deaf = await identified(discord, 0);
  const client = await identified(discord);
  const id = discord.say("ann", " hello ");
  const { d } = await client.event("MESSAGE_CREATE");
  expect(d).toMatchObject({
    id,
    channel_id: discord.channelId("ann"),
    channel_type: 1,
    content: "hello",
    author: { id: discord.userId("ann"), global_name: "ann" },
  });
  expect(d).not.toHaveProperty("guild_id");
  deaf.send(1, null);
  await until(() => deaf.received.find(({ op }) => op === 11));
  expect(deaf.received.some(({ t }) => t === "MESSAGE_CREATE")).toBe(false);
});

test("a dropped session is resumed with what it missed; one that said goodbye is gone", async () => {
  const { discord } = await start();
  const first = await identified(discord);
  const session = { token: discord.token, session_id: first.ready.d["session_id"], seq: 1 };
  discord.dropSockets();
  expect(await first.close()).toBe(1006);
  await until(() => discord.online() === 0);
  discord.say("ann", "one");
  discord.say("ann", "two");
  const second = await connect(discord);
  second.send(6, session);
  await second.event("RESUMED");
  expect(second.received.filter(({ op }) => op === 0).map(({ s, t, d }) => [s, t, d["content"]])).toEqual([
    [2, "MESSAGE_CREATE", "one"],
    [3, "MESSAGE_CREATE", "two"],
    [4, "RESUMED", undefined],
  ]);
  second.socket.close(1000);
  await until(() => discord.online() === 0);
  const third = await connect(discord);
  third.send(6, session);
  expect(await until(() => third.received.find(({ op }) => op === 9))).toMatchObject({ t: null });
});

test("each shard sees its servers, the first one the direct messages, and a session stays with its shard", async () => {
  const { discord, register } = await start({ shards: 2 });
  await register(ASK);
  const open = async (shard: number[]) => {
    const client = await connect(discord);
    client.send(2, { token: discord.token, intents: DIRECT_MESSAGES, properties: {}, shard });
    return { ...client, ready: await client.event("READY") };
  };
  const [first, second] = [await open([0, 2]), await open([1, 2])];
  expect([first.ready.d["shard"], second.ready.d["shard"]]).toEqual([
    [0, 2],
    [1, 2],
  ]);
  discord.dropSockets();
  await until(() => discord.online() === 0);
  const channels = Array.from({ length: 8 }, (_, n) => `server${n}/general`);
  for (const channel of channels) discord.ask("ann", channel, { where: "guild", channel });
  discord.say("ann", "direct");
  const seen = await Promise.all(
    [first, second].map(async ({ ready }) => {
      const client = await connect(discord);
      client.send(6, { token: discord.token, session_id: ready.d["session_id"], seq: 1 });
      await client.event("RESUMED");
      return client.received.filter(({ t }) => t?.endsWith("_CREATE")).map(({ d }) => d["guild_id"]);
    }),
  );
  const guilds = channels.map((channel) => discord.guildId(channel));
  const of = (shard: bigint) => guilds.filter((guild) => (BigInt(guild) >> 22n) % 2n === shard);
  expect(of(1n).length).toBeGreaterThan(0);
  expect(seen).toEqual([[...of(0n), undefined], of(1n)]);
});

test.each([[[2, 2]], [[0]], [["a", 1]], [[-1, 1]], [{}]])("%j is no shard", async (shard) => {
  const { discord } = await start();
  const client = await connect(discord);
  client.send(2, { token: discord.token, intents: 0, properties: {}, shard });
  expect(await client.close()).toBe(4010);
});

test("who opens a session too early after another is told that it is invalid, if limits are switched on", async () => {
  let now = Date.now();
  const options = { rateLimits: true, shards: 3, maxConcurrency: 2, clock: () => now };
  const { discord } = await start(options);
  const identify = async (index: number) => {
    const client = await connect(discord);
    client.send(2, { token: discord.token, intents: 0, properties: {}, shard: [index, 3] });
    return (await until(() => client.received.find(({ op, t }) => op === 9 || t === "READY"))).op;
  };
  expect([await identify(0), await identify(1), await identify(2)]).toEqual([0, 0, 9]);
  now += 4999;
  expect(await identify(2)).toBe(9);
  now += 1;
  expect(await identify(2)).toBe(0);
  expect(discord.sessions()).toMatchObject({ identified: 3, hasty: 2 });
});

test("an interaction is told with where it comes from", async () => {
  const direct = await asked();
  expect(direct.d).toMatchObject({
    context: 1,
    user: { id: direct.discord.userId("ann") },
    data: { name: "ask", type: 1, options: [{ name: "question", type: 3, value: "why?" }] },
    locale: "en-US",
  });
  const guild = await asked({}, "guild");
  expect(guild.d).toMatchObject({ context: 0, member: { user: { id: guild.discord.userId("ann") } } });
  expect(guild.d["authorizing_integration_owners"]).toHaveProperty("0");
  const person = await asked({}, "user-install");
  expect(person.d["authorizing_integration_owners"]).toEqual({ "1": person.discord.userId("ann") });
});

test("an interaction is answered within its time and once", async () => {
  const { discord, call, callback } = await asked();
  expect(await call("POST", callback, { type: 5 })).toMatchObject({ status: 204 });
  expect(discord.screen("ann").map(({ from, text, state }) => [from, text, state])).toEqual([
    ["ann", "/ask why?", undefined],
    ["bot", "", "thinking"],
  ]);
  expect(await call("POST", callback, { type: 4, data: { content: "x" } })).toMatchObject({
    status: 400,
    json: { code: 40060 },
  });
  let now = Date.now();
  const late = await asked({ clock: () => now });
  now += 3001;
  expect(late.discord.screen("ann")[0]?.state).toBe("unanswered");
  expect(await late.call("POST", late.callback, { type: 5 })).toMatchObject({
    status: 404,
    json: { message: "Unknown interaction", code: 10062 },
  });
});

test("an interaction's webhook begins with the first response and ends after 15 minutes", async () => {
  let now = Date.now();
  const { discord, call, callback, webhook } = await asked({ clock: () => now });
  expect(await call("POST", webhook, { content: "early" })).toMatchObject({
    status: 404,
    json: { code: 10015 },
  });
  await call("POST", callback, { type: 5 });
  await call("POST", webhook, { content: "fills the deferral" });
  await call("POST", webhook, { content: "a second one" });
  expect(discord.shows("ann")).toEqual(["fills the deferral", "a second one"]);
  await call("PATCH", `${webhook}/messages/@original`, { content: "edited" });
  expect(await call("GET", `${webhook}/messages/@original`)).toMatchObject({ json: { content: "edited" } });
  expect(discord.screen("ann")[1]).toMatchObject({ text: "edited", edits: 1 });
  now += 15 * 60_000 + 1;
  expect(await call("PATCH", `${webhook}/messages/@original`, { content: "late" })).toMatchObject({
    status: 401,
    json: { message: "Invalid Webhook Token", code: 50027 },
  });
  expect(await call("POST", webhook, { content: "x" }, { authorization: "" })).toMatchObject({ status: 401 });
});

test("whoever only the person installed gets five follow-ups and no channel", async () => {
  const { discord, call, callback, webhook } = await asked({}, "user-install");
  await call("POST", callback, { type: 4, data: { content: "0" } });
  for (const content of ["1", "2", "3", "4", "5"]) await call("POST", webhook, { content });
  expect(await call("POST", webhook, { content: "6" })).toMatchObject({ status: 400, json: { code: 40094 } });
  const channel = discord.channelId("ann", "elsewhere");
  expect(await call("POST", `/channels/${channel}/messages`, { content: "x" })).toMatchObject({
    status: 403,
    json: { code: 50001 },
  });
});

test("text has 1 to 2000 code points after trimming", async () => {
  const { discord, post } = await start();
  const channel = discord.channelId("ann");
  expect((await post(channel, { content: ` ${"😀".repeat(2000)} ` })).status).toBe(200);
  expect(await post(channel, { content: "x".repeat(2001) })).toMatchObject({
    status: 400,
    json: {
      code: 50035,
      errors: {
        content: {
          _errors: [{ code: "BASE_TYPE_MAX_LENGTH", message: "Must be 2000 or fewer in length." }],
        },
      },
      message: "Invalid Form Body",
    },
  });
  expect(await post(channel, { content: " \n " })).toMatchObject({
    status: 400,
    json: { message: "Cannot send an empty message", code: 50006 },
  });
  expect(await post(channel, { content: "x", nonce: "n".repeat(26) })).toMatchObject({
    json: { errors: { nonce: { _errors: [{ code: "BASE_TYPE_MAX_LENGTH" }] } } },
  });
});

test("an enforced nonce posts once, and only for some minutes", async () => {
  let now = Date.now();
  const { discord, post } = await start({ clock: () => now });
  const channel = discord.channelId("ann");
  const body = { content: "x", nonce: "n", enforce_nonce: true };
  const first = await post(channel, body);
  expect((await post(channel, body)).json).toEqual(first.json);
  await post(channel, { ...body, enforce_nonce: false });
  expect(discord.shows("ann")).toHaveLength(2);
  now += 6 * 60_000;
  await post(channel, body);
  expect(discord.shows("ann")).toHaveLength(3);
});

test("mentions ping unless they are forbidden, and an edit begins anew", async () => {
  const { discord, call, post } = await start();
  const channel = discord.channelId("ann");
  const content = `@everyone <@${discord.userId("bob")}> <@&12>`;
  const pings = (index: number) => discord.screen("ann")[index]?.pings;
  await post(channel, { content });
  expect(pings(0)).toEqual(["@everyone", discord.userId("bob"), "&12"]);
  const { json } = await post(channel, { content, allowed_mentions: { parse: [] } });
  expect(pings(1)).toEqual([]);
  await call("PATCH", `/channels/${channel}/messages/${idIn(json)}`, { content });
  expect(pings(1)).toEqual(["@everyone", discord.userId("bob"), "&12"]);
  await post(channel, { content, allowed_mentions: { users: [discord.userId("bob")] } });
  expect(pings(2)).toEqual([discord.userId("bob")]);
  const interaction = await asked();
  await interaction.call("POST", interaction.callback, { type: 4, data: { content } });
  expect(interaction.discord.screen("ann")[1]?.pings).toEqual([discord.userId("bob")]);
});

test("messages are listed after an id, edited and deleted", async () => {
  const { discord, call, post } = await start();
  const channel = discord.channelId("ann");
  const first = discord.say("ann", "one");
  const { json } = await post(channel, { content: "two" });
  const path = `/channels/${channel}/messages/${idIn(json)}`;
  discord.say("ann", "three");
  const listed = await call("GET", `/channels/${channel}/messages?after=${first}`);
  expect(
    z
      .array(z.object({ content: z.string() }))
      .parse(listed.json)
      .map(({ content }) => content),
  ).toEqual(["three", "two"]);
  expect((await call("PATCH", path, { content: "two!" })).status).toBe(200);
  expect((await call("DELETE", path)).status).toBe(204);
  expect(await call("DELETE", path)).toMatchObject({ status: 404, json: { code: 10008 } });
  expect(await call("PATCH", `/channels/${channel}/messages/${first}`, { content: "x" })).toMatchObject({
    status: 403,
  });
});

test("files come with multipart/form-data", async () => {
  const { discord } = await start();
  const form = new FormData();
  form.set("payload_json", JSON.stringify({ content: "see" }));
  form.set("files[0]", new Blob(["# Answer"]), "answer.md");
  const response = await fetch(`${discord.apiRoot}/v10/channels/${discord.channelId("ann")}/messages`, {
    method: "POST",
    headers: { authorization: `Bot ${discord.token}` },
    body: form,
  });
  expect(response.status).toBe(200);
  expect(discord.screen("ann")).toMatchObject([
    { text: "see", files: [{ name: "answer.md", text: "# Answer" }] },
  ]);
});

test("a direct channel is opened with whom the bot knows; who blocks it hears nothing", async () => {
  const { discord, call, post } = await start();
  discord.say("ann", "hi");
  const opened = await call("POST", "/users/@me/channels", { recipient_id: discord.userId("ann") });
  expect(opened).toMatchObject({ status: 200, json: { id: discord.channelId("ann"), type: 1 } });
  expect(await call("POST", "/users/@me/channels", { recipient_id: "1" })).toMatchObject({ status: 400 });
  discord.block("ann");
  expect(await post(discord.channelId("ann"), { content: "x" })).toMatchObject({
    status: 403,
    json: { code: 50007 },
  });
  expect(await post("123", { content: "x" })).toMatchObject({ status: 404, json: { code: 10003 } });
});

test("commands are checked, kept, and listed with their translations only on request", async () => {
  const { discord, call, register } = await start();
  const path = `/applications/${discord.applicationId}/commands`;
  expect(() => discord.ask("ann", "q")).toThrow("/ask");
  const localized = { ...ASK, description_localizations: { "zh-CN": "提问" } };
  expect(await register(localized)).toMatchObject({ status: 200, json: [localized] });
  expect((await call("GET", path)).json).not.toHaveProperty("0.description_localizations");
  expect((await call("GET", `${path}?with_localizations=true`)).json).toMatchObject([localized]);
  for (const bad of [
    { ...ASK, name: "Ask" },
    { ...ASK, description: "x".repeat(101) },
    { ...ASK, description_localizations: { zh: "提问" } },
    { ...ASK, contexts: [9] },
    { ...ASK, options: [{ ...ASK.options[0], max_length: 6001 }] },
  ]) {
    expect(await register(bad)).toMatchObject({ status: 400, json: { code: 50035 } });
  }
  expect(await register(ASK, ASK)).toMatchObject({ status: 400 });
  expect(discord.commands).toHaveLength(1);
  expect(() => discord.ask("ann", "")).toThrow("question");
  expect(() => discord.ask("ann", "x".repeat(6001))).toThrow("6000");
});

test("the bot is known by its token only", async () => {
  const { discord, call } = await start();
  for (const path of ["/users/@me", "/applications/@me", "/oauth2/applications/@me"]) {
    expect(await call("GET", path)).toMatchObject({ status: 200, json: { id: discord.applicationId } });
    expect(await call("GET", path, undefined, { authorization: "Bot wrong" })).toMatchObject({
      status: 401,
      json: { message: "401: Unauthorized", code: 0 },
    });
  }
  expect(await call("GET", "/gateway/bot")).toMatchObject({
    json: { shards: 1, session_start_limit: { max_concurrency: 1 } },
  });
  expect(await call("GET", "/nowhere")).toMatchObject({ status: 404 });
});

test("limits are told in headers and kept, if they are switched on", async () => {
  let now = Date.now();
  const { discord, post, call } = await start({ rateLimits: true, clock: () => now });
  const channel = discord.channelId("ann");
  const first = await post(channel, { content: "1" });
  expect(first.headers.get("x-ratelimit-remaining")).toBe("4");
  const path = `/channels/${channel}/messages/${idIn(first.json)}`;
  for (const content of ["2", "3", "4", "5"])
    expect((await call("PATCH", path, { content })).status).toBe(200);
  const limited = await post(channel, { content: "6" });
  expect(limited).toMatchObject({ status: 429, json: { retry_after: 5, global: false } });
  expect(limited.headers.get("retry-after")).toBe("5");
  now += 5000;
  expect((await post(channel, { content: "6" })).status).toBe(200);
  const statuses = [];
  for (let i = 0; i < 50; i++) statuses.push((await call("GET", `/users/@me?${i}`)).status);
  const global = await call("GET", "/users/@me?50");
  expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  expect(global).toMatchObject({ status: 429, json: { global: true } });
});

test("faults hit as often as they were ordered", async () => {
  const { discord, call, post } = await start();
  const channel = discord.channelId("ann");
  discord.fail({ method: "POST", path: /messages$/, times: 2, status: 503, body: "<html>" });
  discord.fail({ path: /messages$/, connection: "reset" });
  discord.fail({ path: /messages$/, connection: "after" });
  const status = () =>
    fetch(`${discord.apiRoot}/v10/channels/${channel}/messages`, {
      method: "POST",
      headers: { authorization: `Bot ${discord.token}` },
      body: JSON.stringify({ content: "x" }),
    }).then(
      (response) => response.status,
      () => "cut",
    );
  expect([await status(), await status(), await status(), await status()]).toEqual([503, 503, "cut", "cut"]);
  expect(discord.shows("ann")).toEqual(["x"]);
  expect((await post(channel, { content: "y" })).status).toBe(200);
  expect(discord.calls.map((made) => made.status)).toEqual([503, 503, undefined, undefined, 200]);
  discord.fail({ path: /users/, connection: "hang" });
  const hanging = call("GET", "/users/@me").catch(() => "hung");
  await until(() => discord.calls.length === 6);
  await discord.close();
  expect(await hanging).toBe("hung");
});

test("it comes back at the same address, with the same people", async () => {
  const { discord } = await start();
  const ann = discord.userId("ann");
  await discord.close();
  const again = await start({ port: discord.port });
  expect(again.discord.apiRoot).toBe(discord.apiRoot);
  expect(again.discord.userId("ann")).toBe(ann);
});

test("a file may have 10 MiB, or what the simulator is told; one more is added by an edit", async () => {
  const { discord } = await start({ fileBytes: 10 });
  const send = async (method: string, path: string, name: string, text: string) => {
    const form = new FormData();
    form.set("payload_json", "{}");
    form.set("files[0]", new Blob([text]), name);
    const headers = { authorization: `Bot ${discord.token}` };
    const response = await fetch(`${discord.apiRoot}/v10${path}`, { method, headers, body: form });
    return { status: response.status, json: await response.json() };
  };
  const path = `/channels/${discord.channelId("ann")}/messages`;
  expect(await send("POST", path, "a.md", "more than 10")).toMatchObject({
    status: 413,
    json: { code: 40005 },
  });
  const sent = await send("POST", path, "a.md", "ten bytes!");
  expect(sent).toMatchObject({ status: 200, json: { attachments: [{ filename: "a.md", size: 10 }] } });
  const { id } = z.object({ id: z.string() }).parse(sent.json);
  expect((await send("PATCH", `${path}/${id}`, "b.md", "more")).status).toBe(200);
  expect(discord.screen("ann")[0]?.files).toMatchObject([{ name: "a.md" }, { name: "b.md", text: "more" }]);
});
