/**
 * The meter: what the machines of a replay cost, in columns that add up. Every millisecond of a machine's life, from
 * the call that created it until it is gone, is in exactly one of three: `boot` (no job may start on it yet), `work`
 * (at least one job runs on it) and `idle` (everything else: gaps between jobs, the tail before it is deleted, the
 * time it takes to stop).
 */
import { makeSeries, type Series } from './series.ts';

export type Use = 'boot' | 'work' | 'idle';

/** ms of machines, whole numbers: `boot + work + idle` is the whole. */
export type NodeTime = Readonly<Record<Use, number>>;

export interface Meter {
  /** From now on the host's machine is used like this; null = it has none. */
  set(host: number, use: Use | null, at: number): void;
  /** From now on so many jobs wait, that need so many hosts together. */
  waiting(jobs: number, hosts: number, at: number): void;
  readonly time: NodeTime;
  /** ms that are paid when every life is rounded up to whole billing units. */
  readonly billed: number;
  /** Machines that were created. */
  readonly boots: number;
  /** Most machines at one time. */
  readonly peak: number;
  /** Machines there are now. */
  readonly machines: number;
  readonly series: Series;
}

/** @param unit billing unit, ms: a life is paid in whole units */
export function makeMeter(hosts: number, start: number, unit: number): Meter {
  const uses: (Use | null)[] = Array.from({ length: hosts }, () => null);
  const born = new Float64Array(hosts);
  const counts = { boot: 0, work: 0, idle: 0, jobs: 0, hosts: 0 };
  const time = { boot: 0, work: 0, idle: 0 };
  const series = makeSeries(start);
  let last = start;
  let billed = 0;
  let boots = 0;
  let peak = 0;

  function settle(at: number): void {
    const passed = at - last;
    if (passed <= 0) return;
    time.boot += counts.boot * passed;
    time.work += counts.work * passed;
    time.idle += counts.idle * passed;
    series.add(last, at, counts);
    last = at;
  }

  return {
    time,
    series,
    get billed() {
      return billed;
    },
    get boots() {
      return boots;
    },
    get peak() {
      return peak;
    },
    get machines() {
      return counts.boot + counts.work + counts.idle;
    },
    set(host, use, at) {
      const before = uses[host] ?? null;
      if (before === use) return;
      settle(at);
      uses[host] = use;
      if (before !== null) counts[before]--;
      if (use !== null) counts[use]++;
      if (before === null) {
        born[host] = at;
        boots++;
      }
      if (use === null) billed += Math.ceil((at - (born[host] ?? at)) / unit) * unit;
      peak = Math.max(peak, counts.boot + counts.work + counts.idle);
    },
    waiting(jobs, needed, at) {
      if (jobs === counts.jobs && needed === counts.hosts) return;
      settle(at);
      counts.jobs = jobs;
      counts.hosts = needed;
    },
  };
}
