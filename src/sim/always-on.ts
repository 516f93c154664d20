/**
 * The first bound: a pool whose machines always run. No wait can be shorter, by any policy, with this scheduler and
 * this number of hosts; every host is paid from the first job's submission to the last job's end.
 */
import { makeEvents } from './events.ts';
import { makeFlow } from './flow.ts';
import type { Shape, SimJob } from './job.ts';
import { makeMeter } from './meter.ts';
import type { Replayed } from './replay.ts';
import { makeScheduler } from './scheduler.ts';

export interface AlwaysOn extends Replayed {
  /** When each job started, epoch ms, by its number. */
  readonly starts: Float64Array;
}

export function alwaysOn(jobs: readonly SimJob[], shape: Shape, billingUnit: number): AlwaysOn {
  const begin = jobs[0]?.submit ?? 0;
  const events = makeEvents(begin);
  const meter = makeMeter(shape.hosts, begin, billingUnit);
  const scheduler = makeScheduler(shape);
  for (let host = 0; host < shape.hosts; host++) {
    scheduler.setOpen(host, true);
    meter.set(host, 'idle', begin);
  }
  const flow = makeFlow({ events, scheduler, meter, jobs, onHost: () => {} });
  while (!flow.allEnded) {
    const next = events.next();
    if (next === Number.POSITIVE_INFINITY) throw new Error('a job that no host can hold is in the replay');
    flow.moveTo(next);
  }
  for (let host = 0; host < shape.hosts; host++) meter.set(host, null, events.now);
  const starts = flow.waits.map((wait, at) => wait + (jobs[at]?.submit ?? 0));
  return { meter, waits: flow.waits, starts, lastEnd: flow.lastEnd, looks: 0, warnings: new Map() };
}
