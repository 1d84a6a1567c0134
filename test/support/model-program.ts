import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createAccounts } from "../../adapters/web/index.ts";
import { loadSettings } from "../../config/settings.ts";
import { type Program, type ProgramOptions, startProgram } from "../../src/program/start.ts";
import { openRecordStore } from "../../src/program/web-chat.ts";
import { openStore } from "../../src/store/store.ts";
import {
  type ModelSimulator,
  type ModelSimulatorOptions,
  startModelSimulator,
} from "../../src/testing/openai.ts";
import { temporaryFolder } from "./folder.ts";
import { captureLog } from "./log.ts";

export interface ModelProgramOptions extends Pick<ProgramOptions, "console" | "local"> {
  readonly reply?: ModelSimulatorOptions["reply"];
  /** False for no account: only then a name is enough to sign in on this machine. */
  readonly hasAccounts?: boolean;
  /** Settings besides those of the model and the store. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running program with a simulated model. */
export interface ModelProgram {
  readonly model: ModelSimulator;
  readonly program: Program;
  readonly url: string;
  /** An API key of the user Ann; empty without accounts. */
  readonly key: string;
  /** A personal link of the user Ann; empty without accounts. */
  readonly link: string;
}

/** Starts the program with a store and a model of its own; both end with the test. */
export async function startModelProgram(options: ModelProgramOptions = {}): Promise<ModelProgram> {
  const { reply, hasAccounts = true, settings: more = {}, console, local } = options;
  const model = await startModelSimulator({ ...(reply && { reply }) });
  const settings = loadSettings({
    STORE_URL: `sqlite:${join(temporaryFolder(), "store.sqlite")}`,
    HTTP_PORT: "0",
    OPENAI_API_KEY: model.key,
    OPENAI_BASE_URL: model.baseURL,
    OPENAI_MODEL: "simulated",
    ...more,
  });
  const account = hasAccounts ? await addAnn(settings.STORE_URL) : { key: "", link: "" };
  const program = await startProgram({ settings, log: captureLog().log, console, local });
  onTestFinished(async () => {
    await program.stop();
    await model.close();
  });
  return { model, program, url: program.url, ...account };
}

async function addAnn(url: string): Promise<Pick<ModelProgram, "key" | "link">> {
  const store = await openStore(url);
  const accounts = createAccounts(await openRecordStore(store));
  const key = await accounts.add("Ann", "api");
  const link = await accounts.add("Ann", "link");
  await store.close();
  return { key, link };
}
