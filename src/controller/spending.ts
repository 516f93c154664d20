/**
 * Spending: what the pool's machines have cost, counted from the machines that were seen, and told when a budget comes to
 * its end. A machine counts from its create step (or from when the cloud says it began) to when it was last listed; the
 * time in which nobody looked counts, too, when it is there before and after. What is counted is on disk every half
 * minute, and a restart goes on from there.
 */
import type { HostRecord } from '../domain/host.ts';
import type { Machine } from '../domain/machine.ts';
import type { Budget } from '../domain/pool.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Spent, Usage } from '../domain/usage.ts';
import { dayOf, monthOf } from '../lib/calendar.ts';
import type { Clock } from '../lib/clock.ts';
import type { Life, Store } from '../store/store.ts';
import type { Clouds } from './clouds.ts';

export interface Spending {
  /** Counts the machines of this snapshot. */
  count(s: Snapshot): void;
  /** The snapshot with what has been spent until now. */
  withUsage(s: Snapshot): Snapshot;
}

/** ms */
const WRITE_EVERY = 30_000;

/** @param offset what has to be added to the clock for the wall's time, ms: days are the wall's */
export function makeSpending(store: Store, clock: Clock, clouds: Clouds, offset: () => number): Spending {
  let known = new Map<string, Life>();
  let countedAt = 0;
  let writtenAt = Number.NEGATIVE_INFINITY;
  return {
    count(s) {
      const now = new Map<string, Life>();
      for (const host of s.hosts) {
        const machine = s.machines.get(host.name);
        if (machine !== undefined) now.set(`${host.name} ${machine.id}`, lifeOf(s, host, machine, clouds));
      }
      const gone = [...known].filter(([key]) => !now.has(key)).map(([, life]) => life);
      const news = [...now.keys()].some((key) => !known.has(key));
      if (gone.length > 0) store.seen(gone, countedAt);
      if (now.size > 0 && (news || gone.length > 0 || s.at - writtenAt >= WRITE_EVERY || s.at < writtenAt)) {
        store.seen([...now.values()], s.at);
        writtenAt = s.at;
      }
      known = now;
      countedAt = s.at;
    },
    withUsage(s) {
      const usage = usageOf(store, clock.now(), offset());
      return {
        ...s,
        usage: usage(null),
        ...(s.clouds && { clouds: s.clouds.map((cloud) => ({ ...cloud, usage: usage(cloud.name) })) }),
      };
    },
  };
}

function lifeOf(s: Snapshot, host: HostRecord, machine: Machine, clouds: Clouds): Life {
  const cloud = clouds.of(host)?.name ?? host.cloud ?? '';
  const price = s.pool.clouds?.find((offer) => offer.name === cloud)?.pricePerHour ?? 0;
  const began = Math.min(s.at, host.bornAt ?? machine.since ?? s.at);
  return { host: host.name, machine: machine.id, cloud, began, price };
}

/**
 * What was spent until now: of one cloud, or with null of all together, also of clouds that are no more.
 * @param offset what has to be added to `at` for the wall's time, ms; the ends of the periods come back without it
 */
export function usageOf(store: Store, at: number, offset: number): (cloud: string | null) => Usage {
  const [day, month] = [dayOf(at + offset), monthOf(at + offset)];
  const today = store.spent(day.begins - offset);
  const lately = store.spent(month.begins - offset);
  return (cloud) => ({
    day: sum(today, cloud),
    month: sum(lately, cloud),
    dayEnds: day.ends - offset,
    monthEnds: month.ends - offset,
  });
}

function sum(spent: ReadonlyMap<string, Spent>, cloud: string | null): Spent {
  let [nodeHours, money] = [0, 0];
  for (const [name, one] of spent) {
    if (cloud !== null && name !== cloud) continue;
    nodeHours += one.nodeHours;
    money += one.money;
  }
  return { nodeHours, money };
}

/** Every budget of the pool with what is spent of it; '' is the pool's own. */
export function budgets(
  s: Snapshot,
): readonly { readonly cloud: string; readonly budget: Budget; readonly usage: Usage }[] {
  const own = s.pool.budget && s.usage ? [{ cloud: '', budget: s.pool.budget, usage: s.usage }] : [];
  const each = (s.clouds ?? []).flatMap(({ name, usage }) => {
    const budget = s.pool.clouds?.find((offer) => offer.name === name)?.budget;
    return budget && usage ? [{ cloud: name, budget, usage }] : [];
  });
  return [...own, ...each];
}
