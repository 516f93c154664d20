/**
 * The pool as it is at a time: limits that follow the time of the week are looked up here, so that the planner needs
 * neither a clock nor a calendar.
 */
import type { Limits, Pool, ScheduledLimit, WeekTime } from '../domain/pool.ts';
import { timeOfWeek } from '../lib/week.ts';

/** @param at epoch ms */
export function poolAt(pool: Pool, at: number): Pool {
  const { schedule = [] } = pool;
  if (schedule.length === 0) return pool;
  const limits: { -readonly [K in ScheduledLimit['limit']]?: Limits[K] } = {};
  for (const one of schedule) if (isNow(one.when, at)) limits[one.limit] = one.nodes;
  return { ...pool, limits: { ...pool.limits, ...limits } };
}

const known = new WeakMap<WeekTime, (at: number) => boolean>();

function isNow(when: WeekTime, at: number): boolean {
  let test = known.get(when);
  if (test === undefined) {
    test = timeOfWeek(when);
    known.set(when, test);
  }
  return test(at);
}
