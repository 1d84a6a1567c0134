import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";
import { ConfigError } from "../errors.ts";
import { previewLine } from "../program/preview.ts";
import { createPreviews } from "../program/previews.ts";
import { harmless, harmlessJson, withoutTurns } from "../sanitize/harmless.ts";
import { looks, ownSettings } from "./environment.ts";

interface PreviewFlags {
  readonly platform?: string;
  readonly jsonl?: true;
}

/** `colloquy preview`: shows a file or standard input as messages of each platform, or converts lines of JSON. */
export async function preview(file: string | undefined, { platform, jsonl }: PreviewFlags): Promise<void> {
  const all = await createPreviews(ownSettings(), looks().color);
  const chosen = all.filter(({ name }) => platform === undefined || name === platform);
  const [first] = chosen;
  if (!first || (jsonl && chosen.length > 1)) {
    throw new ConfigError("platform", `Choose one: --platform ${all.map(({ name }) => name).join(" or ")}`);
  }
  if (file !== undefined && !existsSync(file)) throw new ConfigError("file", `There is no file ${file}`);
  const input = file === undefined ? process.stdin : createReadStream(file);
  if (jsonl) {
    for await (const line of createInterface({ input })) {
      if (line.trim()) process.stdout.write(`${harmlessJson(previewLine(line, first))}\n`);
    }
    return;
  }
  const markdown = harmless(await readAll(input));
  for (const page of chosen.flatMap((one) => one.pages(markdown)))
    process.stdout.write(`${withoutTurns(page)}\n\n`);
}
