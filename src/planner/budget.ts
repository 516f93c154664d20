/**
 * Budgets: what may be spent in a day and in a month, and how much of it is gone. A budget that is used up stops the
 * creation of machines until its period ends; it never touches one that is there.
 */
import type { Budget } from '../domain/pool.ts';
import type { Usage } from '../domain/usage.ts';
import { amount, span } from '../domain/words.ts';

/** One limit of a budget with what is used of it. */
export interface Line {
  readonly key: 'nodeHoursPerDay' | 'nodeHoursPerMonth' | 'moneyPerDay' | 'moneyPerMonth';
  readonly used: number;
  readonly limit: number;
  /** `node hours per day`. */
  readonly what: string;
  /** When the period ends and the count begins anew, epoch ms. */
  readonly endsAt: number;
}

/** The limits that are set, days before months. */
export function budgetLines(budget: Budget, usage: Usage): readonly Line[] {
  const { day, month, dayEnds, monthEnds } = usage;
  const all = [
    { key: 'nodeHoursPerDay', used: day.nodeHours, what: 'node hours per day', endsAt: dayEnds },
    { key: 'moneyPerDay', used: day.money, what: 'money per day', endsAt: dayEnds },
    { key: 'nodeHoursPerMonth', used: month.nodeHours, what: 'node hours per month', endsAt: monthEnds },
    { key: 'moneyPerMonth', used: month.money, what: 'money per month', endsAt: monthEnds },
  ] as const;
  return all.flatMap((line) => {
    const limit = budget[line.key];
    return limit === null ? [] : [{ ...line, limit }];
  });
}

/** Why no machine may be created now, or null. Of several limits the one that lasts longest. */
export function budgetStop(budget: Budget | undefined, usage: Usage | undefined, at: number): string | null {
  if (budget === undefined || usage === undefined) return null;
  const over = budgetLines(budget, usage).filter((line) => line.used >= line.limit);
  const last = over.toSorted((a, b) => b.endsAt - a.endsAt)[0];
  if (last === undefined) return null;
  return `the budget of ${amount(last.limit)} ${last.what} is used up (${amount(last.used)}); it begins anew in ${span(last.endsAt - at)}`;
}
