import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Settings } from "../../config/settings.ts";
import { createFrames, type Frames, type Shown } from "./frames.ts";
import { createJourneys, type StageReport } from "./journey.ts";
import { type Platforms, startPlatforms } from "./platforms.ts";
import type { Person, State, WindowName, Wish } from "./protocol.ts";
import { type PlayModel, startPlayModel } from "./service.ts";
import { createTerminals, type Terminals } from "./terminals.ts";
import type { PlayWindow } from "./windows.ts";
import { startWorker } from "./worker.ts";

/** Simulated platforms with users, the real program between them, and the faults that can be caused. */
export interface Scene {
  readonly frames: Frames;
  /** The address of the worker's web chat while it is running, with its token. */
  readonly url: string | undefined;
  /** Carries out what the page requests; throws an error that says why it is not possible. */
  act(wish: Wish, locale: string): void;
  close(): Promise<void>;
}

const PEOPLE: readonly Person[] = ["Ann", "Bob"];

/** Starts everything, in a temporary folder that is removed at the end. */
export async function openScene(settings: Settings): Promise<Scene> {
  const endings: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (let end = endings.pop(); end; end = endings.pop()) await end();
  };
  try {
    return await open(settings, endings, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Adds to `endings` what has to be stopped, in the order of starting. */
async function open(
  settings: Settings,
  endings: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Scene> {
  let locale = "en";
  let frames: Frames | undefined;
  const changed = () => frames?.changed();
  const folder = await mkdtemp(join(tmpdir(), "colloquy-playground-"));
  endings.push(() => rm(folder, { recursive: true, force: true }));
  const platforms = await startPlatforms({ changed, locale: () => locale });
  endings.push(() => platforms.close());
  const model = await startPlayModel(settings);
  endings.push(() => model.close());

  const journeys = createJourneys((journey) => frames?.publish(journey));
  const onStage = (report: StageReport) => journeys.add(report);
  const home = {
    folder,
    env: { ...inherited(), ...model.env, ...platforms.env, ...ownSettings(folder) },
    onStage,
  };
  const terminals = createTerminals({ ...home, changed });
  endings.push(() => terminals.close());
  const windows = { ...platforms.windows, terminal: terminalWindow(terminals) };
  const worker = startWorker({
    ...home,
    changed: (next) => {
      if (next !== "starting") journeys.note(next === "down" ? "killed" : "ready");
      publishState();
    },
  });
  endings.push(() => worker.close());
  const now = () => [state(), ...journeys.last()];
  const created = (frames = createFrames({ show: () => showAll(windows), now }));
  const act = createActor({ platforms, model, terminals, windows, kill: () => worker.kill() });

  return {
    frames: created,
    get url() {
      return worker.url;
    },
    act: (wish, language) => {
      locale = language;
      act(wish, language);
      changed();
      publishState();
    },
    close: () => {
      created.close();
      return stop();
    },
  };

  function publishState(): void {
    frames?.publish(state());
  }

  function state(): State {
    const { trouble } = worker;
    return {
      type: "state",
      worker: worker.state,
      model: model.relay.real ? "real" : "demo",
      canBeReal: model.canBeReal,
      slow: model.relay.slow,
      refusing: model.relay.refusing,
      ...(trouble !== undefined && { trouble }),
    };
  }
}

type Windows = Readonly<Record<WindowName, PlayWindow>>;

function showAll(windows: Windows): Shown[] {
  return (Object.keys(windows) as WindowName[]).flatMap((window) =>
    PEOPLE.map((person) => ({ type: "frame", window, person, ...windows[window].see(person) }) as const),
  );
}

function terminalWindow(terminals: Terminals): PlayWindow {
  return {
    see: (person) => ({ lines: terminals.lines(person), typing: false, commands: [] }),
    say: (person, text) => terminals.say(person, text),
  };
}

interface Parts {
  readonly platforms: Platforms;
  readonly model: PlayModel;
  readonly terminals: Terminals;
  readonly windows: Windows;
  readonly kill: () => void;
}

function createActor({ platforms, model, terminals, windows, kill }: Parts): Scene["act"] {
  return (wish, locale) => {
    switch (wish.do) {
      case "say":
        return windows[wish.window].say(wish.person, wish.text, locale);
      case "press":
        return windows[wish.window].press?.(wish.person, wish.button);
      case "stop":
        return windows[wish.window].stop?.(wish.person);
      case "key":
        return terminals.key(wish.person, wish.key);
      case "slow":
        model.relay.slow = wish.on;
        return;
      case "real":
        model.relay.real = wish.on && model.canBeReal;
        return;
      case "refuse":
        model.relay.refusing = wish.on;
        return;
      case "kill":
        return kill();
      case "drop":
        return platforms.drop();
      case "flood":
        return platforms.flood();
    }
  };
}

function ownSettings(folder: string): Record<string, string> {
  return { STORE_URL: `sqlite:${join(folder, "store.sqlite")}`, HTTP_HOST: "127.0.0.1", HTTP_PORT: "0" };
}

/** Variables that every process needs. No secret, and no proxy, because all its connections are on this machine. */
const INHERITED = ["PATH", "HOME", "LANG", "LC_ALL", "LC_MESSAGES", "TZ", "TMPDIR", "SystemRoot", "TEMP"];

function inherited(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
