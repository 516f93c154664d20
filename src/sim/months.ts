/**
 * Months of a busy site in simulated time, with a database on disk: does anything grow? Jobs of all kinds come by day and
 * by night, nodes come and go, and now and then something fails.
 */
import type { Database } from '../store/open.ts';
import { storeSize } from '../store/size.ts';
import { makeDice } from './dice.ts';
import { makeWorld } from './world.ts';

export interface Month {
  /** From 1. */
  readonly month: number;
  /** Jobs that have ended, in all. */
  readonly jobs: number;
  /** Machines that were made, in all. */
  readonly machines: number;
  /** Bytes of living objects, after a collection; 0 without one (`node --expose-gc`). */
  readonly heap: number;
  /** Bytes of the database's pages. */
  readonly database: number;
  /** Rows. */
  readonly journal: number;
  readonly events: number;
}

export interface MonthsOptions {
  /** Opened and migrated; closed at the end. */
  readonly database: Database;
  readonly months: number;
  /** Days of a month; 30. */
  readonly days?: number;
  readonly seed: number;
  readonly onMonth?: (month: Month) => void;
  /** Collects garbage, when the program may. */
  readonly collect?: () => void;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export async function months(options: MonthsOptions): Promise<readonly Month[]> {
  const { database, days = 30 } = options;
  const roll = makeDice(options.seed);
  await using world = makeWorld({
    ...{ quick: true, hosts: 8, bootTime: 90 * SECOND, poll: 30 * SECOND, moving: 10 * SECOND, database },
  });
  const told: Month[] = [];
  let submitted = 0;
  for (let month = 1; month <= options.months; month++) {
    for (let hour = 0; hour < days * 24; hour++) {
      const busy = hour % 24 >= 8 && hour % 24 < 20 ? 6 : 2;
      for (let i = Math.floor(roll() * busy); i >= 0; i--) {
        const never = roll() < 0.01;
        const id = world.submit(
          { nodes: never ? 99 : roll() < 0.1 ? 2 : 1, exclusive: roll() < 0.5 },
          Math.ceil(roll() * 90) * MINUTE,
        );
        submitted++;
        // Its owner takes it away again: else they would gather in the queue, which is no fault of the service.
        if (never) {
          await world.pass(2 * MINUTE);
          world.batch.finish(id);
        }
      }
      if (roll() < 0.05) world.cloud.fault('create', { do: 'lost' });
      if (roll() < 0.05) world.bootstrap.fail(`c${1 + Math.floor(roll() * 8)}`, 'mount');
      if (roll() < 0.02) await world.restart();
      if (roll() < 0.02) world.cloud.fault('list', { do: 'error', kind: 'temporary' }, 5);
      await world.pass(HOUR);
    }
    options.collect?.();
    const { bytes, journal, events } = storeSize(database);
    const one: Month = {
      month,
      jobs: submitted - world.batch.waiting - world.batch.running.length,
      machines: world.cloud.counts.made,
      heap: options.collect === undefined ? 0 : process.memoryUsage().heapUsed,
      database: bytes,
      journal,
      events,
    };
    told.push(one);
    options.onMonth?.(one);
  }
  return told;
}
