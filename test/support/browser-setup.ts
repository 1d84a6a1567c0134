import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { devNull } from "node:os";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** The path of Chromium; empty if there is none. */
    readonly chromium: string;
  }
}

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Before all tests: finds Chromium, or installs it where that can be done without asking. */
export default function setup({ provide }: TestProject): void {
  provide("chromium", find() ?? install() ?? "");
}

function find(): string | undefined {
  return [process.env["CHROMIUM"] ?? devNull, ...PLACES].find((path) => path !== devNull && existsSync(path));
}

function install(): string | undefined {
  try {
    if (process.platform !== "linux" || process.getuid?.() !== 0) throw new Error("only root on Debian can");
    for (const words of [["update"], ["install", "-y", "--no-install-recommends", "chromium"]])
      execFileSync("apt-get", words, { stdio: "ignore", timeout: 600_000 });
  } catch (error) {
    process.stdout.write(
      `\nTHE TESTS IN A BROWSER DO NOT RUN: there is no Chromium, and it could not be installed (${String(error)}). ` +
        "Install it, or name it in the environment variable CHROMIUM.\n\n",
    );
  }
  return find();
}
