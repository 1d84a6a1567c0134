import {
  type ConversationUsage,
  createHistory,
  isInvalidRecord,
  type UsageTotals,
} from "../conversation/conversation.ts";
import { describeError } from "../errors.ts";
import { partsOfKey } from "../event.ts";
import type { Store } from "../store/store.ts";
import { formatCount, formatMoney, sum } from "../conversation/usage.ts";

/** What a report has a line for. */
export type ReportBy = "day" | "model" | "user" | "conversation";

export interface ReportOptions {
  readonly by: ReportBy;
  /** Such as "2026-11-23": days before it do not count, nor does what was not kept by day. */
  readonly since?: string | undefined;
  /** Told of each record that cannot be understood, and so does not count. */
  readonly unsound: (what: string) => void;
}

/** One line of a report. */
export interface ReportLine extends UsageTotals {
  readonly name: string;
}

/** So many records are read at once. */
const AT_ONCE = 100;

/** What all conversations in a store have cost, and the sum as the last line; by day or name, or the dearest first. */
export async function reportUsage(
  store: Store,
  { by, since, unsound }: ReportOptions,
): Promise<ReportLine[]> {
  const history = createHistory(await store.open("history"));
  const skip = (error: unknown) => {
    if (!isInvalidRecord(error)) throw error;
    unsound(describeError(error));
    return undefined;
  };
  const keys = await store.keys("history", "");
  const found = new Map<string, UsageTotals[]>();
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const records = await Promise.all(
      keys.slice(at, at + AT_ONCE).map((key) => history.load(key).catch(skip)),
    );
    for (const { key, usage } of records.filter((record) => record !== undefined))
      for (const [name, spent] of lines(key, usage, { by, since })) {
        const known = found.get(name);
        if (known) known.push(spent);
        else found.set(name, [spent]);
      }
  }
  const all = [...found].map(([name, spent]) => ({ name, ...sum(spent) }));
  const isSpent = ({ turns, input, output }: UsageTotals) => turns + input + output > 0;
  const listed = all.filter(isSpent).sort(by === "day" ? byName : dearestFirst);
  return [...listed, { name: "total", ...sum(listed) }];
}

/** A report as a Markdown table. */
export function printReport(
  lines: readonly ReportLine[],
  { by, currency }: { by: ReportBy; currency: string },
): string {
  const rows = lines.map(({ name, turns, input, output, estimated, cost, unpriced }) => {
    const about = estimated ? "≈ " : "";
    const price = cost === undefined ? "–" : `${unpriced ? "> " : ""}${formatMoney(cost, currency)}`;
    // A name is text, whatever stands in it.
    const cells = [
      `\`${name.replace(/[`|\s]+/g, " ")}\``,
      formatCount(turns),
      about + formatCount(input),
      about + formatCount(output),
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

function dearestFirst(a: ReportLine, b: ReportLine): number {
  return (b.cost ?? 0) - (a.cost ?? 0) || b.input + b.output - a.input - a.output || byName(a, b);
}
