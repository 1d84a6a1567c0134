import { createConsoleDialect } from "../../adapters/console/index.ts";
import { ConfigError } from "../errors.ts";
import { harmlessJson } from "../sanitize/harmless.ts";
import { openExistingStore } from "../store/store.ts";
import { createPager } from "../text/paginate/paginate.ts";
import { looks, ownSettings, toStderr } from "./environment.ts";
import { printReport, type ReportBy, type ReportLine, reportUsage } from "./usage-report.ts";

interface UsageFlags {
  readonly by: ReportBy;
  /** A day such as 2026-11-23. */
  readonly since?: string;
  readonly json?: true;
}

/** `colloquy usage`: prints what all conversations have cost, as a table or as lines of JSON. */
export async function runUsage({ by, since, json }: UsageFlags): Promise<void> {
  if (since !== undefined && !/^\d{4}-\d\d-\d\d$/.test(since)) {
    throw new ConfigError("since", `--since is "${since}": write a day such as 2026-11-23`);
  }
  const { STORE_URL, CURRENCY: currency } = ownSettings();
  const store = await openExistingStore(STORE_URL, toStderr);
  let lines: ReportLine[];
  try {
    lines = await reportUsage(store, { by, since, invalid: toStderr });
  } finally {
    await store.close();
  }
  if (json) {
    process.stdout.write(lines.map((line) => `${harmlessJson(JSON.stringify(line))}\n`).join(""));
    return;
  }
  const dialect = createConsoleDialect(looks());
  const pages = createPager(dialect).pages(printReport(lines, { by, currency }), true);
  process.stdout.write(`${pages.join("\n").trimStart()}\n`);
}
