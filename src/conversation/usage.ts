import type { ConversationUsage, UsageTotals } from "./conversation.ts";
import type { Price } from "../model/model.ts";
import { emit } from "../telemetry/events.ts";

/** The usage of one request to a model. */
export interface TurnUsage {
  readonly model: string;
  readonly input: number;
  readonly output: number;
  /** Whether we counted the tokens ourselves. */
  readonly estimated: boolean;
  readonly price?: Price | undefined;
  /** When, in ms since the epoch. */
  readonly at: number;
}

/** Prices are for this many tokens. */
const PRICED_TOKENS = 1_000_000;

function noUsage(): UsageTotals {
  return { turns: 0, input: 0, output: 0 };
}

/** Adds a request to the usage of a conversation; `turns` is 0 for requests other than the answer. */
export function addUsage(usage: ConversationUsage, request: TurnUsage, turns = 1): void {
  const { model, input, output, estimated, price } = request;
  const added: UsageTotals = {
    turns,
    input,
    output,
    ...(estimated && { estimated: input + output }),
    ...(price
      ? { cost: (input * price.input + output * price.output) / PRICED_TOKENS }
      : { unpriced: input + output }),
  };
  add(usage, added);
  emit("spent", { model, input, output, cost: added.cost });
  const day = new Date(request.at).toISOString().slice(0, "2026-11-23".length);
  add(((usage.days[day] ??= {})[model] ??= noUsage()), added);
}

/** Adds up usage. */
export function sum(all: Iterable<UsageTotals>): UsageTotals {
  const total = noUsage();
  for (const one of all) add(total, one);
  return total;
}

/** Adds up the usage of the days whose names begin with `prefix`, such as "2026-11-23" or "2026-11". */
export function totalsOf(all: readonly ConversationUsage[], prefix: string): UsageTotals {
  const days = all.flatMap(({ days }) => Object.entries(days));
  return sum(days.flatMap(([day, models]) => (day.startsWith(prefix) ? Object.values(models) : [])));
}

/** The usage of one model on one day. */
export interface DailyUsage extends UsageTotals {
  readonly day: string;
  readonly model: string;
}

/** Adds up usage by day and model, newest day first. */
export function byDayAndModel(all: readonly ConversationUsage[]): DailyUsage[] {
  const found = new Map<string, DailyUsage>();
  for (const { days } of all)
    for (const [day, models] of Object.entries(days))
      for (const [model, used] of Object.entries(models)) {
        const name = `${day} ${model}`;
        const known = found.get(name) ?? { day, model, ...noUsage() };
        add(known, used);
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

/**
 * Formats usage, such as "1,234 + 567 tokens, $0.0123". Estimated figures begin with "≈"; the cost is omitted if no price
 * is known.
 */
export function describeUsage({ input, output, estimated, cost }: UsageTotals, currency: string): string {
  const tokens = `${estimated ? "≈ " : ""}${formatCount(input)} + ${formatCount(output)} tokens`;
  return cost === undefined ? tokens : `${tokens}, ${formatMoney(cost, currency)}`;
}

/** Formats an amount of money, such as "$12.30" or "$0.000123": a single answer costs far less than a cent. */
export function formatMoney(amount: number, currency: string): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const small = { maximumSignificantDigits: 3, minimumSignificantDigits: 1 };
  const text = new Intl.NumberFormat("en", amount !== 0 && amount < 1 ? small : digits).format(amount);
  return /^[A-Z]{3}$/.test(currency) ? `${text} ${currency}` : `${currency}${text}`;
}

/** Formats a number with thousands separators. */
export function formatCount(tokens: number): string {
  return new Intl.NumberFormat("en").format(tokens);
}
