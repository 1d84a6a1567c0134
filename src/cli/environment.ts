import { showsLinks, useColor } from "../../adapters/console/index.ts";
import { loadSettings, secretsIn, secretsOf, type Settings } from "../../config/settings.ts";
import { readDotEnv } from "../../config/sources.ts";
import { harmless } from "../sanitize/harmless.ts";
import { createLog, type Log } from "../log.ts";

/** The options that `chat` and `ask` share. */
export interface ConsoleFlags {
  readonly user?: string;
  readonly persona?: string;
  readonly model?: string;
  readonly json?: true;
  readonly usage?: true;
}

/** Variables for the look, the language and the account at OpenAI; none of them can send a key or a conversation elsewhere. */
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
 * Copies from `.env` into the environment the variables that libraries and `systemLocale` read there. Nothing else is
 * copied: a variable such as NODE_TLS_REJECT_UNAUTHORIZED would let the author of the file control libraries.
 */
export function adoptDotEnv(): void {
  const values = readDotEnv()?.values ?? {};
  for (const name of FROM_DOT_ENV) {
    const value = values[name];
    if (process.env[name] === undefined && typeof value === "string") process.env[name] = value;
  }
}

/** Loads the settings of this run. `overrides`, from the command line, take precedence over the environment. */
export function ownSettings(overrides: Readonly<Record<string, string>> = {}): Settings {
  return loadSettings({ ...process.env, ...overrides }, { dotEnv: readDotEnv() });
}

/** All values that may be secrets, even if the settings are invalid. */
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

/** Loads the settings for a command at the console, with its options. Logs errors only, as people read the output. */
export function settingsFor({ persona, model }: ConsoleFlags): Settings {
  return ownSettings({
    LOG_LEVEL: process.env["LOG_LEVEL"] ?? "error",
    ...(persona && { PERSONA: persona }),
    ...(model && { OPENAI_MODEL: model }),
  });
}

/** Creates a log on a stream; secrets in it are masked. */
export function logTo(stream: NodeJS.WriteStream, settings: Settings): Log {
  return createLog({ level: settings.LOG_LEVEL, stream, secrets: secretsOf(settings) });
}

/** Writes a message for the operator to standard error. */
export function toStderr(sentence: string): void {
  process.stderr.write(`colloquy: ${harmless(sentence)}\n`);
}

/** Whether standard output shows colours, and links behind a text. */
export function looks() {
  const output = { env: process.env, isTTY: process.stdout.isTTY };
  return { color: useColor(output), links: showsLinks(output) };
}

/** The language of the system, such as "zh-CN" for LANG=zh_CN.UTF-8; undefined if none is set. */
export function systemLocale(): string | undefined {
  const { LC_ALL, LC_MESSAGES, LANG } = process.env;
  const tag = (LC_ALL || LC_MESSAGES || LANG || "").split(".")[0]?.replace("_", "-");
  return tag && !["C", "POSIX"].includes(tag) ? tag : undefined;
}

/** The URL of the HTTP port, as opened on this machine. */
export function localUrl({ HTTP_HOST, HTTP_PORT: port }: Settings): string {
  // The address that means all addresses of the machine cannot be opened.
  const host = { "0.0.0.0": "127.0.0.1", "::": "::1" }[HTTP_HOST] ?? HTTP_HOST;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
