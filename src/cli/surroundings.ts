import { showsLinks, useColor } from "../../adapters/console/index.ts";
import { loadSettings, secretsIn, secretsOf, type Settings } from "../../config/settings.ts";
import { readDotEnv } from "../../config/sources.ts";
import { harmless } from "../sanitize/harmless.ts";
import { createLog, type Log } from "../log.ts";

/** What `chat` and `ask` may be told on the command line. */
export interface ConsoleFlags {
  readonly user?: string;
  readonly persona?: string;
  readonly model?: string;
  readonly json?: true;
  readonly usage?: true;
}

/** How the program looks and speaks, and which account at OpenAI pays: nothing by which a key or words could be led elsewhere. */
const FROM_DOT_ENV = [
  "LOG_LEVEL",
  "LANG",
  "LC_ALL",
  "LC_MESSAGES",
  "TZ",
  "NO_COLOR",
  "FORCE_COLOR",
  "OPENAI_ORG_ID",
  "OPENAI_PROJECT_ID",
];

/**
 * Takes from `.env` into the environment what others than `ownSettings` read there. Nothing else gets there: a variable
 * such as NODE_TLS_REJECT_UNAUTHORIZED makes libraries do what the author of the file wants.
 */
export function takeDotEnv(): void {
  const values = readDotEnv()?.values ?? {};
  for (const name of FROM_DOT_ENV) {
    const value = values[name];
    if (process.env[name] === undefined && typeof value === "string") process.env[name] = value;
  }
}

/** The settings of this run; `said` on the command line comes before all else. */
export function ownSettings(said: Readonly<Record<string, string>> = {}): Settings {
  return loadSettings({ ...process.env, ...said }, { dotEnv: readDotEnv() });
}

/** All that may be a secret, also where the settings make no sense. */
export function ownSecrets(): string[] {
  const given = secretsIn(process.env);
  try {
    const dotEnv = readDotEnv();
    given.push(...secretsIn(dotEnv?.values ?? {}));
    return [...given, ...secretsOf(loadSettings(process.env, { dotEnv, warn: () => undefined }))];
  } catch {
    return given;
  }
}

/** The settings with what the command line says; quiet, as people read along. */
export function settingsFor({ persona, model }: ConsoleFlags): Settings {
  return ownSettings({
    LOG_LEVEL: process.env["LOG_LEVEL"] ?? "error",
    ...(persona && { PERSONA: persona }),
    ...(model && { OPENAI_MODEL: model }),
  });
}

/** A log that shows no secret. */
export function logTo(stream: NodeJS.WriteStream, settings: Settings): Log {
  return createLog({ level: settings.LOG_LEVEL, stream, secrets: secretsOf(settings) });
}

/** Tells the operator something beside the output. */
export function toStderr(sentence: string): void {
  process.stderr.write(`colloquy: ${harmless(sentence)}\n`);
}

/** What standard output can show. */
export function looks() {
  const surroundings = { env: process.env, isTTY: process.stdout.isTTY };
  return { color: useColor(surroundings), links: showsLinks(surroundings) };
}

/** "zh-CN" for LANG=zh_CN.UTF-8; undefined where no language is set. */
export function systemLocale(): string | undefined {
  const { LC_ALL, LC_MESSAGES, LANG } = process.env;
  const tag = (LC_ALL || LC_MESSAGES || LANG || "").split(".")[0]?.replace("_", "-");
  return tag && !["C", "POSIX"].includes(tag) ? tag : undefined;
}

/** Where the HTTP port answers, for whoever is at this machine. */
export function localUrl({ HTTP_HOST, HTTP_PORT: port }: Settings): string {
  // A host that stands for every address of the machine is none to open.
  const host = { "0.0.0.0": "127.0.0.1", "::": "::1" }[HTTP_HOST] ?? HTTP_HOST;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
