import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { createRandom, type Random } from "./random.ts";
import type { World } from "./world.ts";

/** What goes wrong, until it is stopped. */
export interface Faults {
  /** How often each has happened. */
  readonly counts: ReadonlyMap<string, number>;
  /** Resolves when nothing goes wrong any more and all processes are started. */
  readonly over: Promise<void>;
}

export interface FaultsOptions {
  readonly world: World;
  readonly cluster: Cluster;
  /** Those of the store. */
  readonly more: readonly Kind[];
  readonly seed: number;
}

/** One kind of fault. */
export interface Kind {
  readonly name: string;
  /** How often it is chosen, as compared with the others. */
  readonly weight: number;
  play(random: Random): void;
}

/** Between two faults, and between two kills, in ms. */
const FAULT_EVERY_MS = [300, 2500] as const;
const KILL_EVERY_MS = [3000, 20_000] as const;

/** For so long a killed process is down, in ms: the shortest is a supervisor's, the longest an update. */
const DOWN_MS = [
  [0, 300],
  [300, 3000],
  [3000, 12_000],
] as const;

/** One in this many starts is killed before it has finished. */
const KILLED_AT_START = 0.2;

/** Begins at once; the same seed makes the same faults in the same order. */
export function letFail({ world, cluster, more, seed }: FaultsOptions, signal: AbortSignal): Faults {
  const counts = new Map<string, number>();
  const kinds = [...telegramFaults(world, signal), ...discordFaults(world), ...modelFaults(world), ...more];
  return {
    counts,
    over: Promise.all([spoil(createRandom(seed)), kill(createRandom(seed + 1))]).then(() => undefined),
  };

  async function spoil(random: Random): Promise<void> {
    while (await pause(random.between(...FAULT_EVERY_MS))) {
      const kind = choose(kinds, random);
      kind.play(random);
      count(kind.name);
    }
  }

  async function kill(random: Random): Promise<void> {
    while (await pause(random.between(...KILL_EVERY_MS))) {
      const member = random.between(0, cluster.size - 1);
      await cluster.kill(member);
      count("kill -9");
      const [least, most] = random.pick(DOWN_MS);
      await pause(random.between(least, most));
      cluster.start(member);
      if (!random.chance(KILLED_AT_START)) continue;
      await pause(random.between(50, 1500));
      await cluster.kill(member);
      count("kill -9 at start");
      cluster.start(member);
    }
  }

  /** False if it is over. */
  async function pause(ms: number): Promise<boolean> {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  }

  function count(name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}

function choose(kinds: readonly Kind[], random: Random): Kind {
  let left = random.next() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  const chosen = kinds.find(({ weight }) => (left -= weight) < 0) ?? kinds[0];
  if (!chosen) throw new Error("There is nothing that could fail");
  return chosen;
}

function telegramFaults({ telegram }: World, signal: AbortSignal): Kind[] {
  const fail = (fault: Parameters<typeof telegram.fail>[0]) => {
    const callOff = telegram.fail(fault);
    signal.addEventListener("abort", callOff, { once: true });
  };
  const write = (random: Random) =>
    random.pick([{ method: "sendMessage" }, { method: "editMessageText" }, {}]);
  const times = (random: Random) => ({ times: random.between(1, 5) });
  return [
    {
      name: "Telegram: 429",
      weight: 4,
      play: (random) => fail({ ...write(random), ...times(random), how: tooMany(random.between(1, 6)) }),
    },
    {
      name: "Telegram: reset",
      weight: 4,
      play: (random) => fail({ ...write(random), ...times(random), how: "reset" }),
    },
    {
      name: "Telegram: done, but the answer is lost",
      weight: 6,
      play: (random) => fail({ ...write(random), ...times(random), how: "after" }),
    },
    {
      name: "Telegram: hang",
      weight: 1,
      play: (random) => fail({ ...write(random), how: "hang" }),
    },
    {
      name: "Telegram: 502",
      weight: 2,
      play: (random) => fail({ ...write(random), ...times(random), how: { status: 502 } }),
    },
    {
      name: "Telegram: captive portal",
      weight: 1,
      play: (random) => fail({ ...write(random), how: "html" }),
    },
    {
      name: "Telegram: poll fails",
      weight: 3,
      play: (random) =>
        fail({
          method: "getUpdates",
          ...times(random),
          how: random.pick(["reset", "after", { status: 502 }, tooMany(2)]),
        }),
    },
    // Once: it takes the length of a poll until it is noticed, in which nobody is heard.
    { name: "Telegram: poll hangs", weight: 0.5, play: () => fail({ method: "getUpdates", how: "hang" }) },
  ];
}

function tooMany(seconds: number) {
  const description = `Too Many Requests: retry after ${seconds}`;
  return {
    status: 429,
    body: { ok: false, error_code: 429, description, parameters: { retry_after: seconds } },
  };
}

function discordFaults({ discord }: World): Kind[] {
  const write = (random: Random) => ({
    ...random.pick([{ method: "POST" }, { method: "PATCH" }, {}]),
    path: /\/messages/,
    times: random.between(1, 5),
  });
  // A session that is connected cannot be forgotten.
  const forget = () => {
    discord.forgetSessions();
    discord.dropSockets();
  };
  const gateway: [string, number, () => void][] = [
    ["drop", 2, () => discord.dropSockets()],
    ["close 4000", 1, () => discord.dropSockets(4000)],
    ["reconnect", 1, () => discord.order("reconnect")],
    ["invalid, can be resumed", 1, () => discord.order("resumable")],
    ["invalid, lost", 1, () => discord.order("invalid")],
    ["forgets its sessions", 1, forget],
    ["half-open", 1, () => discord.muteSockets()],
    ["refuses connections", 1, () => discord.fail({ path: /gateway-socket/, connection: "reset", times: 2 })],
  ];
  return [
    {
      name: "Discord: 429",
      weight: 4,
      play: (random) => {
        const seconds = random.between(1, 5);
        discord.fail({
          ...write(random),
          status: 429,
          headers: { "retry-after": String(seconds), "x-ratelimit-scope": "shared" },
          body: { message: "You are being rate limited.", retry_after: seconds, global: false },
        });
      },
    },
    {
      name: "Discord: reset",
      weight: 4,
      play: (random) => discord.fail({ ...write(random), connection: "reset" }),
    },
    {
      name: "Discord: done, but the answer is lost",
      weight: 6,
      play: (random) => discord.fail({ ...write(random), connection: "after" }),
    },
    {
      name: "Discord: hang",
      weight: 1,
      play: (random) => discord.fail({ ...write(random), times: 1, connection: "hang" }),
    },
    {
      name: "Discord: 5xx",
      weight: 2,
      play: (random) => discord.fail({ ...write(random), status: random.pick([500, 502, 503]) }),
    },
    ...gateway.map(([name, weight, play]) => ({ name: `Discord's gateway: ${name}`, weight, play })),
  ];
}

function modelFaults({ spoil }: World): Kind[] {
  const streams = [
    "cut",
    "cut",
    "reset",
    "reset",
    "error-in-stream",
    "junk-json",
    "no-finish",
    "stall",
  ] as const;
  return [
    {
      name: "model: 5xx",
      weight: 3,
      play: (random) => spoil({ status: random.pick([500, 502, 503]), times: random.between(1, 8) }),
    },
    {
      name: "model: 429",
      weight: 3,
      play: (random) =>
        // A minute is longer than anybody waits.
        spoil({
          status: 429,
          headers: { "retry-after": random.pick(["1", "3", "60"]) },
          times: random.between(1, 3),
        }),
    },
    { name: "model: hang", weight: 1, play: () => spoil({ kind: "hang" }) },
    {
      name: "model: web page",
      weight: 1,
      play: (random) => spoil({ kind: "html", times: random.between(1, 6) }),
    },
    {
      name: "model: answer breaks off",
      weight: 12,
      play: (random) =>
        spoil({
          kind: random.pick(streams),
          after: random.between(0, 20),
          times: random.between(1, 4),
        }),
    },
  ];
}
