import type { ConversationUsage, UsageTotals } from "../conversation/conversation.ts";
import type { Command, Turn } from "../handler.ts";
import { inEveryLanguage } from "../i18n/texts.ts";
import { formatCount, formatMoney, totalsOf, sum } from "../conversation/usage.ts";

export interface UsageOptions {
  /** Returns the usage of the user's other conversations. */
  readonly others: (turn: Turn) => Promise<readonly ConversationUsage[]>;
  /** A symbol before amounts, such as "$", or a code after them, such as "CNY". */
  readonly currency: string;
}

/** `/usage`: shows the usage of the user's conversations. */
export function usage({ others, currency }: UsageOptions): Command {
  return {
    name: "usage",
    description: inEveryLanguage("usage.description"),
    run: async (turn) => {
      const { say, conversation } = turn;
      const all = [conversation.usage, ...(await others(turn))];
      const day = new Date().toISOString();
      const rows: readonly (readonly [string, UsageTotals])[] = [
        [say("usage.here"), conversation.usage],
        [say("usage.today"), totalsOf(all, day.slice(0, "2026-11-23".length))],
        [say("usage.month"), totalsOf(all, day.slice(0, "2026-11".length))],
        [say("usage.all"), sum(all)],
      ];
      const total = sum(all);
      if (total.input + total.output === 0) return say("usage.none");
      const notes = [
        total.estimated ? say("usage.estimated") : "",
        total.unpriced && total.cost !== undefined ? say("usage.unpriced") : "",
      ];
      const table = rows.map(([name, totals]) => row(name, totals, currency));
      return [[say("usage.head"), "|---|--:|--:|--:|--:|", ...table].join("\n"), ...notes]
        .filter(Boolean)
        .join("\n\n");
    },
  };
}

function row(name: string, { turns, input, output, estimated, cost }: UsageTotals, currency: string): string {
  const about = estimated ? "≈ " : "";
  const cells = [
    formatCount(turns),
    about + formatCount(input),
    about + formatCount(output),
    cost === undefined ? "–" : formatMoney(cost, currency),
  ];
  return `| ${name} | ${cells.join(" | ")} |`;
}
