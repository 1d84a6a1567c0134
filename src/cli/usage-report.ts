import {
  type ConversationUsage,
  openHistory,
  isInvalidRecord,
  type UsageTotals,
} from "../conversation/conversation.ts";
import { describeError } from "../errors.ts";
import { partsOfKey } from "../event.ts";
import type { Store } from "../store/store.ts";
import { formatCount, formatMoney, sum } from "../conversation/usage.ts";

/** What each line of a report is for. */
export type ReportBy = "day" | "model" | "user" | "conversation";

export interface ReportOptions {
  readonly by: ReportBy;
  /** A day such as "2026-11-23". Earlier days do not count, nor does usage that was not recorded by day. */
  readonly since?: string | undefined;
  /** Receives a sentence about each invalid record; such records do not count. */
  readonly invalid: (message: string) => void;
}

/** One line of a report. */
export interface ReportLine extends UsageTotals {
  readonly name: string;
}

/** How many records are read at once. */
const CONCURRENCY = 100;

/** Reports what all conversations in a store have cost, by day or with the most expensive first; the last line is the total. */
export async function reportUsage(
  store: Store,
  { by, since, invalid }: ReportOptions,
): Promise<ReportLine[]> {
  const history = await openHistory(store);
  const skip = (error: unknown) => {
    if (!isInvalidRecord(error)) throw error;
    invalid(describeError(error));
    return undefined;
  };
  const keys = await store.keys("history", "");
  const found = new Map<string, UsageTotals[]>();
  for (let at = 0; at < keys.length; at += CONCURRENCY) {
    const records = await Promise.all(
      keys.slice(at, at + CONCURRENCY).map((key) => history.load(key).catch(skip)),
    );
    for (const { key, usage } of records.filter((record) => record !== undefined))
      for (const [name, spent] of lines(key, usage, { by, since })) {
        const known = found.get(name);
        if (known) known.push(spent);
        else found.set(name, [spent]);
      }
  }
  const all = [...found].map(([name, spent]) => ({ name, ...sum(spent) }));
  const isUsed = ({ turns, input, output }: UsageTotals) => turns + input + output > 0;
  const listed = all.filter(isUsed).sort(by === "day" ? byName : byCost);
  return [...listed, { name: "total", ...sum(listed) }];
}

/** Prints a report as a Markdown table. */
export function printReport(
  lines: readonly ReportLine[],
  { by, currency }: { by: ReportBy; currency: string },
): string {
  const rows = lines.map(({ name, turns, input, output, estimated, cost, unpriced }) => {
    const approx = estimated ? "≈ " : "";
    const price = cost === undefined ? "–" : `${unpriced ? "> " : ""}${formatMoney(cost, currency)}`;
    // A code span, so that Markdown in a name is not interpreted.
    const cells = [
      `\`${name.replace(/[`|\s]+/g, " ")}\``,
      formatCount(turns),
      approx + formatCount(input),
      approx + formatCount(output),
      price,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const head = `| ${by} | turns | tokens in | tokens out | cost |`;
  return [head, "|---|--:|--:|--:|--:|", ...rows].join("\n");
}

function lines(
  key: string,
  usage: ConversationUsage,
  { by, since }: Pick<ReportOptions, "by" | "since">,
): [string, UsageTotals][] {
  const days = Object.entries(usage.days).filter(([day]) => since === undefined || day >= since);
  if (by === "day") return days.map(([day, models]) => [day, sum(Object.values(models))]);
  if (by === "model") return days.flatMap(([, models]) => Object.entries(models));
  const spent = since === undefined ? usage : sum(days.flatMap(([, models]) => Object.values(models)));
  const { platform, user } = partsOfKey(key) ?? {};
  const name = by === "user" && platform !== undefined ? `${platform}:${user}` : key;
  return [[name, spent]];
}

function byName(a: ReportLine, b: ReportLine): number {
  return a.name < b.name ? -1 : 1;
}

function byCost(a: ReportLine, b: ReportLine): number {
  return (b.cost ?? 0) - (a.cost ?? 0) || b.input + b.output - a.input - a.output || byName(a, b);
}
