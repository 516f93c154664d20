/**
 * The scheduler of the simulated batch system: first come, first served, with EASY backfill (Lifka 1995): the first
 * job that cannot start gets a reservation at the time when, by the running jobs' time limits, there is room for it;
 * later jobs may start now if they end before that time or use other hosts. A job that needs more hosts than are open
 * gets no reservation and holds nobody up, as in Slurm (its reason is then ReqNodeNotAvail).
 */
import type { Shape, SimJob } from './job.ts';

export interface Running {
  readonly job: SimJob;
  readonly hosts: readonly number[];
  readonly startedAt: number;
  /** When it ends if it uses its whole limit. */
  readonly limitAt: number;
}

export interface Scheduler {
  /** In the order of the queue. */
  readonly waiting: readonly SimJob[];
  readonly running: ReadonlyMap<SimJob, Running>;
  freeCpus(host: number): number;
  freeMemory(host: number): number;
  /** Jobs that run on it. */
  jobsOn(host: number): ReadonlySet<SimJob>;
  submit(job: SimJob): void;
  end(job: SimJob): readonly number[];
  /** May jobs start there? What runs goes on. */
  setOpen(host: number, open: boolean): void;
  /** Starts what can start. */
  pass(now: number): readonly Running[];
}

interface Reservation {
  readonly at: number;
  readonly hosts: ReadonlySet<number>;
}

/** Waiting jobs looked at in one pass: further back is no backfill in real schedulers either. */
const DEPTH = 1000;

export function makeScheduler(shape: Shape): Scheduler {
  const cpus = new Int32Array(shape.hosts).fill(shape.cpus);
  const memory = new Float64Array(shape.hosts).fill(shape.memoryMiB);
  const open = new Uint8Array(shape.hosts);
  const on: Set<SimJob>[] = Array.from({ length: shape.hosts }, () => new Set());
  const waiting: SimJob[] = [];
  const running = new Map<SimJob, Running>();
  /** In the order in which the scheduler expects them to end. */
  const ends: Running[] = [];

  const fits = (job: SimJob, host: number, freeCpus: number, freeMemory: number): boolean =>
    open[host] === 1 && freeCpus >= job.cpus && (shape.memoryMiB === 0 || freeMemory >= job.memoryMiB);

  function change(one: Running, sign: 1 | -1): void {
    for (const host of one.hosts) {
      cpus[host] = (cpus[host] ?? 0) + sign * one.job.cpus;
      if (shape.memoryMiB > 0) memory[host] = (memory[host] ?? 0) + sign * one.job.memoryMiB;
      if (sign === 1) on[host]?.delete(one.job);
      else on[host]?.add(one.job);
    }
  }

  /** The first hosts that fit, all the job needs, or null. */
  function room(job: SimJob, now: number, reserved: Reservation | null): number[] | null {
    const avoid = reserved !== null && now + job.limit > reserved.at ? reserved.hosts : null;
    const found: number[] = [];
    for (let host = 0; host < shape.hosts; host++) {
      if (!fits(job, host, cpus[host] ?? 0, memory[host] ?? 0) || avoid?.has(host)) continue;
      found.push(host);
      if (found.length === job.nodes) return found;
    }
    return null;
  }

  /** When and where there will be room, if every running job uses its whole limit. */
  function reserve(job: SimJob, now: number): Reservation | null {
    const freeCpus = cpus.slice();
    const freeMemory = memory.slice();
    const here: number[] = [];
    for (let host = 0; host < shape.hosts; host++)
      if (fits(job, host, freeCpus[host] ?? 0, freeMemory[host] ?? 0)) here.push(host);
    const has = new Set(here);
    const later: number[] = [];
    let at = Number.POSITIVE_INFINITY;
    for (const one of ends) {
      // All that end at the same moment count: the more hosts to choose from, the fewer idle ones are held back.
      if (here.length + later.length >= job.nodes && one.limitAt > at) break;
      for (const host of one.hosts) {
        freeCpus[host] = (freeCpus[host] ?? 0) + one.job.cpus;
        freeMemory[host] = (freeMemory[host] ?? 0) + one.job.memoryMiB;
        if (has.has(host) || !fits(job, host, freeCpus[host] ?? 0, freeMemory[host] ?? 0)) continue;
        has.add(host);
        later.push(host);
      }
      at = Math.max(one.limitAt, now + 1);
    }
    if (here.length + later.length < job.nodes) return null;
    return { at, hosts: new Set([...later, ...here.reverse()].slice(0, job.nodes)) };
  }

  function start(job: SimJob, hosts: readonly number[], now: number): Running {
    const one: Running = { job, hosts, startedAt: now, limitAt: now + job.limit };
    running.set(job, one);
    let at = ends.length;
    while (at > 0 && (ends[at - 1]?.limitAt ?? 0) > one.limitAt) at--;
    ends.splice(at, 0, one);
    change(one, -1);
    return one;
  }

  return {
    waiting,
    running,
    freeCpus: (host) => cpus[host] ?? 0,
    freeMemory: (host) => memory[host] ?? 0,
    jobsOn: (host) => on[host] ?? new Set(),
    submit: (job) => void waiting.push(job),
    end(job) {
      const one = running.get(job);
      if (one === undefined) throw new Error(`job ${job.id} does not run`);
      running.delete(job);
      ends.splice(ends.indexOf(one), 1);
      change(one, 1);
      return one.hosts;
    },
    setOpen(host, isOpen) {
      open[host] = isOpen ? 1 : 0;
    },
    pass(now) {
      const started: Running[] = [];
      let reserved: Reservation | null = null;
      let seen = 0;
      for (let at = 0; at < waiting.length && seen < DEPTH; seen++) {
        const job = waiting[at];
        if (job === undefined || !anyRoom()) break;
        const hosts = room(job, now, reserved);
        if (hosts !== null) {
          waiting.splice(at, 1);
          started.push(start(job, hosts, now));
          continue;
        }
        reserved ??= reserve(job, now);
        at++;
      }
      return started;
    },
  };

  function anyRoom(): boolean {
    for (let host = 0; host < shape.hosts; host++) if (open[host] === 1 && (cpus[host] ?? 0) > 0) return true;
    return false;
  }
}
