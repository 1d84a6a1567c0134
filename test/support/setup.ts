import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { devNull } from "node:os";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** The path of Chromium; empty if there is none. */
    readonly chromium: string;
    /** The path of nginx; empty if there is none. */
    readonly nginx: string;
    /** The path of Caddy; empty if there is none. */
    readonly caddy: string;
  }
}

/** Where programs are that some tests need, by the name of their package in Debian. */
const PLACES = {
  chromium: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
  "nginx-light": ["/usr/sbin/nginx"],
  caddy: ["/usr/bin/caddy"],
} as const;

type Package = keyof typeof PLACES;

/** Before all tests: finds the programs, or installs them where that can be done without asking. */
export default function setup({ provide }: TestProject): void {
  const missing = (Object.keys(PLACES) as Package[]).filter((name) => find(name) === undefined);
  if (missing.length > 0) install(missing);
  provide("chromium", find("chromium") ?? "");
  provide("nginx", find("nginx-light") ?? "");
  provide("caddy", find("caddy") ?? "");
}

function find(name: Package): string | undefined {
  const named = name === "chromium" ? (process.env["CHROMIUM"] ?? devNull) : devNull;
  return [named, ...PLACES[name]].find((path) => path !== devNull && existsSync(path));
}

function install(names: readonly Package[]): void {
  try {
    if (process.platform !== "linux" || process.getuid?.() !== 0) throw new Error("only root on Debian can");
    for (const words of [["update"], ["install", "-y", "--no-install-recommends", ...names]])
      execFileSync("apt-get", words, { stdio: "ignore", timeout: 600_000 });
  } catch (error) {
    process.stdout.write(
      `\nTHE TESTS THAT NEED ${names.join(", ")} DO NOT RUN: not installed, and could not be (${String(error)}). ` +
        "Install what is missing; CHROMIUM in the environment may name a browser.\n\n",
    );
  }
}
