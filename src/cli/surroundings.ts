import { showsLinks, useColor } from "../../adapters/console/index.ts";
import { loadSettings, secretsOf, type Settings } from "../../config/settings.ts";
import { createLog, type Log } from "../log.ts";

/** What `chat` and `ask` may be told on the command line. */
export interface ConsoleFlags {
  readonly user?: string;
  readonly persona?: string;
  readonly model?: string;
  readonly json?: true;
  readonly usage?: true;
}

/** The settings with what the command line says; quiet, as people read along. */
export function settingsFor({ persona, model }: ConsoleFlags): Settings {
  const quiet = { ...process.env, LOG_LEVEL: process.env["LOG_LEVEL"] ?? "error" };
  return loadSettings({
    ...quiet,
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
  process.stderr.write(`colloquy: ${sentence}\n`);
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
export function localUrl({ HTTP_HOST: host, HTTP_PORT: port }: Settings): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
