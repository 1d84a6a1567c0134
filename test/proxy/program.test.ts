import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startConnectProxy } from "../support/connect-proxy.ts";
import { type RunningProgram, runProgram } from "../support/program.ts";
import { startSocksProxy } from "../support/socks.ts";
import { flat, surroundings } from "../support/surroundings.ts";
import { until } from "../../src/testing/until.ts";

const GUARD = `--import=${join(import.meta.dirname, "../support/only-one-way.mjs")}`;

/** The program in a world in which nothing has an address, and everything is behind a proxy. */
async function behind(kind: "CONNECT" | "SOCKS") {
  const names = { discord: "discord.test", dingtalk: "dingtalk.test" };
  const world = await surroundings({ reply: ({ messages }) => `re: ${messages.at(-1)?.content}` }, names);
  const ports = new Map(
    Object.entries({
      "telegram.test": world.telegram.apiRoot,
      "discord.test": world.discord.apiRoot,
      "dingtalk.test": world.dingtalk.apiRoot,
      "openai.test": world.service.baseURL,
    }).map(([name, url]) => [`${name}:80`, Number(new URL(url).port)]),
  );
  const led = new Set<string>();
  const lead = (to: string) => {
    led.add(to);
    return ports.get(to);
  };
  const proxy = kind === "SOCKS" ? await startSocksProxy({ lead }) : await startConnectProxy(lead);
  onTestFinished(() => proxy.close());
  const at = (url: string, name: string) => url.replace(/127\.0\.0\.1:\d+/, name);
  const program = runProgram(["start"], {
    ...world.onTelegram,
    ...world.onDiscord,
    ...world.onDingtalk,
    TELEGRAM_API_ROOT: at(world.telegram.apiRoot, "telegram.test"),
    DISCORD_API_ROOT: at(world.discord.apiRoot, "discord.test"),
    DINGTALK_API_ROOT: at(world.dingtalk.apiRoot, "dingtalk.test"),
    OPENAI_BASE_URL: at(world.service.baseURL, "openai.test"),
    ...(kind === "SOCKS"
      ? { ALL_PROXY: `socks5://127.0.0.1:${proxy.port}` }
      : { HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }),
    ONLY_PORT: String(proxy.port),
    NODE_OPTIONS: GUARD,
  });
  return { world, program, led: () => [...led].toSorted() };
}

test.each(["CONNECT", "SOCKS"] as const)(
  "all platforms and the model, with %s as the only way out",
  async (kind) => {
    const { world, program, led } = await behind(kind);
    const { telegram, discord, dingtalk } = world;
    expect(await program.ready()).toMatchObject({ platforms: ["telegram", "discord", "dingtalk"] });
    telegram.say("ann", "by telegram");
    discord.say("ann", "by discord");
    dingtalk.say("ann", "by dingtalk");
    await until(() => flat(telegram.shows("ann")).includes("re: by telegram"));
    await until(() => flat(discord.shows("ann")).includes("re: by discord"));
    await until(() => flat(dingtalk.shows("ann")).includes("re: by dingtalk"));
    expect(led()).toEqual(["dingtalk.test:80", "discord.test:80", "openai.test:80", "telegram.test:80"]);
    await end(program);
    expect(program.errors()).not.toContain("DIRECT WAY");
  },
);

test("the check sees a direct way", async () => {
  const { onConsole } = await surroundings();
  const program = runProgram(["ask", "why"], { ...onConsole, ONLY_PORT: "1", NODE_OPTIONS: GUARD });
  program.endInput();
  await until(() => program.errors().includes("DIRECT WAY TO 127.0.0.1:"));
});

async function end(program: RunningProgram): Promise<void> {
  program.signal("SIGTERM");
  expect(await program.exited).toBe(0);
}
