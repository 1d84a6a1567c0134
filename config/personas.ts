import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../src/errors.ts";

/** What the persona `config/personas/<name>.md` tells the model about itself. */
export function loadPersona(name: string): string {
  const folder = join(packageRoot(), "config", "personas");
  const path = join(folder, `${name}.md`);
  if (existsSync(path)) return readFileSync(path, "utf8").trim();
  const known = readdirSync(folder).map((file) => file.replace(/\.md$/, ""));
  throw new ConfigError(
    "persona",
    `There is no persona "${name}" in config/personas; there are: ${known.join(", ")}`,
  );
}

/** The folder of package.json: this file stands at another depth once it is built. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}
