import type { ConversationUsage, UsageTotals } from "./conversation.ts";
import type { Price } from "../model/model.ts";
import { emit } from "../telemetry/events.ts";

/** What was done for one turn. */
export interface TurnUsage {
  /** The model that did it. */
  readonly model: string;
  readonly input: number;
  readonly output: number;
  /** The figures are our own count. */
  readonly estimated: boolean;
  readonly price?: Price | undefined;
  /** When, in ms since the epoch. */
  readonly at: number;
}

const PER = 1_000_000;

/** Nothing yet. */
function nothingSpent(): UsageTotals {
  return { turns: 0, input: 0, output: 0 };
}

/** Adds a bill to what a conversation has cost; `turns` is 0 for what was done beside the answer. */
export function addUsage(usage: ConversationUsage, bill: TurnUsage, turns = 1): void {
  const { model, input, output, estimated, price } = bill;
  const spent: UsageTotals = {
    turns,
    input,
    output,
    ...(estimated && { estimated: input + output }),
    ...(price ? { cost: (input * price.input + output * price.output) / PER } : { unpriced: input + output }),
  };
  add(usage, spent);
  emit("spent", { model, input, output, cost: spent.cost });
  const day = new Date(bill.at).toISOString().slice(0, "2026-11-23".length);
  add(((usage.days[day] ??= {})[model] ??= nothingSpent()), spent);
}

/** All of it together. */
export function sum(all: Iterable<UsageTotals>): UsageTotals {
  const total = nothingSpent();
  for (const spent of all) add(total, spent);
  return total;
}

/** What days whose names begin like `prefix` have cost: "2026-11-23", "2026-11". */
export function totalsOf(all: readonly ConversationUsage[], prefix: string): UsageTotals {
  const days = all.flatMap(({ days }) => Object.entries(days));
  return sum(days.flatMap(([day, models]) => (day.startsWith(prefix) ? Object.values(models) : [])));
}

/** What was spent on a day with a model. */
export interface DailyUsage extends UsageTotals {
  readonly day: string;
  readonly model: string;
}

/** All of it by day and model, the newest day first. */
export function byDayAndModel(all: readonly ConversationUsage[]): DailyUsage[] {
  const found = new Map<string, DailyUsage>();
  for (const { days } of all)
    for (const [day, models] of Object.entries(days))
      for (const [model, spent] of Object.entries(models)) {
        const name = `${day} ${model}`;
        const known = found.get(name) ?? { day, model, ...nothingSpent() };
        add(known, spent);
        found.set(name, known);
      }
  return [...found.values()].sort((a, b) => (a.day < b.day ? 1 : -1));
}

function add(to: UsageTotals, { turns, input, output, estimated, cost, unpriced }: UsageTotals): void {
  to.turns += turns;
  to.input += input;
  to.output += output;
  if (estimated !== undefined) to.estimated = (to.estimated ?? 0) + estimated;
  if (unpriced !== undefined) to.unpriced = (to.unpriced ?? 0) + unpriced;
  if (cost !== undefined) to.cost = (to.cost ?? 0) + cost;
}

/** Such as "1,234 + 567 tokens, $0.0123"; "≈" where a part is our own count, and no money where no price is known. */
export function describeUsage({ input, output, estimated, cost }: UsageTotals, currency: string): string {
  const tokens = `${estimated ? "≈ " : ""}${formatCount(input)} + ${formatCount(output)} tokens`;
  return cost === undefined ? tokens : `${tokens}, ${formatMoney(cost, currency)}`;
}

/** Such as "$12.30", and "$0.000123": what a single answer costs is far below a cent. */
export function formatMoney(amount: number, currency: string): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const small = { maximumSignificantDigits: 3, minimumSignificantDigits: 1 };
  const text = new Intl.NumberFormat("en", amount !== 0 && amount < 1 ? small : digits).format(amount);
  return /^[A-Z]{3}$/.test(currency) ? `${text} ${currency}` : `${currency}${text}`;
}

/** With thousands apart. */
export function formatCount(tokens: number): string {
  return new Intl.NumberFormat("en").format(tokens);
}
