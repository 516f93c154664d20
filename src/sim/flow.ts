/**
 * The jobs of a replay: they arrive, start where the scheduler puts them, and end when their time is over.
 */
import type { Events } from './events.ts';
import type { SimJob } from './job.ts';
import type { Meter } from './meter.ts';
import type { Scheduler } from './scheduler.ts';

export interface Flow {
  /** Moves the time on, with all that happens to jobs and machines on the way. */
  moveTo(time: number): void;
  /** A host was opened or closed: the scheduler looks again. */
  hostChanged(): void;
  /** ms each job waited, by its number; NaN while it has not started. */
  readonly waits: Float64Array;
  readonly ended: number;
  readonly allEnded: boolean;
  /** When the last job ended, epoch ms. */
  readonly lastEnd: number;
  /** When the next job arrives, epoch ms; Infinity after the last one. */
  readonly nextArrival: number;
  /** When a job last started or ended, epoch ms: by this a replay that stands still is noticed. */
  readonly lastMove: number;
}

export interface FlowParts {
  readonly events: Events;
  readonly scheduler: Scheduler;
  readonly meter: Meter;
  /** In the order of submission. */
  readonly jobs: readonly SimJob[];
  /** Jobs on this host changed. */
  readonly onHost: (host: number) => void;
}

export function makeFlow({ events, scheduler, meter, jobs, onHost }: FlowParts): Flow {
  const waits = new Float64Array(jobs.length).fill(Number.NaN);
  let ended = 0;
  let lastEnd = events.now;
  let lastMove = events.now;
  let wanted = 0;
  let dirty = false;
  let nextArrival = Number.POSITIVE_INFINITY;

  function arrive(at: number): void {
    const job = jobs[at];
    nextArrival = job?.submit ?? Number.POSITIVE_INFINITY;
    if (job === undefined) return;
    events.at(job.submit, () => {
      scheduler.submit(job);
      wanted += job.nodes;
      dirty = true;
      arrive(at + 1);
    });
  }

  function use(host: number): void {
    meter.set(host, scheduler.jobsOn(host).size > 0 ? 'work' : 'idle', events.now);
    onHost(host);
  }

  function end(job: SimJob): void {
    for (const host of scheduler.end(job)) use(host);
    ended++;
    lastEnd = events.now;
    lastMove = events.now;
    dirty = true;
  }

  function pass(): void {
    dirty = false;
    for (const { job, hosts } of scheduler.pass(events.now)) {
      waits[job.number] = events.now - job.submit;
      wanted -= job.nodes;
      lastMove = events.now;
      for (const host of hosts) use(host);
      events.at(events.now + job.run, () => end(job));
    }
    meter.waiting(scheduler.waiting.length, wanted, events.now);
  }

  arrive(0);
  return {
    waits,
    get ended() {
      return ended;
    },
    get allEnded() {
      return ended === jobs.length;
    },
    get lastEnd() {
      return lastEnd;
    },
    get nextArrival() {
      return nextArrival;
    },
    get lastMove() {
      return lastMove;
    },
    hostChanged() {
      dirty = true;
      pass();
    },
    moveTo(time) {
      // One pass for all that happens at one moment: a job that ends makes room for one that arrives.
      for (let next = events.next(); next <= time; next = events.next()) {
        events.moveTo(next);
        if (dirty) pass();
      }
      events.moveTo(time);
    },
  };
}
