/**
 * The ledger of a simulated site: what became of every job and every machine, written down by the fakes' side, so that
 * it bears witness against the service.
 */
import type { Machine } from '../domain/machine.ts';
import type { Clock } from '../lib/clock.ts';

/** One job, or one task of an array. Times are epoch ms. */
export interface JobRecord {
  readonly id: string;
  /** Id of the array it belongs to, or its own. */
  readonly root: string;
  /** 0 when it is no array task. */
  readonly task: number;
  readonly state: 'waits' | 'runs' | 'done' | 'cancelled';
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly hosts: readonly string[];
  /** How often it was started. */
  readonly starts: number;
}

export interface MachineRecord {
  readonly id: string;
  readonly host: string;
  readonly lease: string;
  readonly createdAt: number;
  readonly runningAt: number | null;
  readonly deletedAt: number | null;
  readonly goneAt: number | null;
}

export interface Ledger {
  /** @param tasks of an array; 0 = it is none */
  submitted(id: string, tasks: number): void;
  started(id: string, hosts: readonly string[]): void;
  ended(id: string): void;
  /** It, or all tasks of it that have not ended. */
  cancelled(id: string): void;
  /** The machines there are now. */
  see(machines: readonly Machine[]): void;
  jobs(): readonly JobRecord[];
  machines(): readonly MachineRecord[];
}

export function makeLedger(clock: Clock): Ledger {
  const jobs = new Map<string, JobRecord>();
  const lives = new Map<string, MachineRecord>();
  const change = (id: string, changes: Partial<JobRecord>) => {
    const job = jobs.get(id);
    if (job !== undefined) jobs.set(id, { ...job, ...changes });
  };
  return {
    submitted(id, tasks) {
      for (let task = Math.min(1, tasks); task <= tasks; task++) {
        const own = task === 0 ? id : `${id}_${task}`;
        const times = { submittedAt: clock.now(), startedAt: null, endedAt: null };
        jobs.set(own, { id: own, root: id, task, state: 'waits', ...times, hosts: [], starts: 0 });
      }
    },
    started: (id, hosts) =>
      change(id, { state: 'runs', startedAt: clock.now(), hosts, starts: (jobs.get(id)?.starts ?? 0) + 1 }),
    ended: (id) => change(id, { state: 'done', endedAt: clock.now() }),
    cancelled(id) {
      for (const job of jobs.values())
        if (job.root === id && job.endedAt === null) change(job.id, { state: 'cancelled', endedAt: clock.now() });
    },
    see(machines) {
      const now = clock.now();
      const there = new Set(machines.map(({ id }) => id));
      for (const { id, host, lease, since, state } of machines) {
        const times = { createdAt: since ?? now, runningAt: null, deletedAt: null, goneAt: null };
        const life = lives.get(id) ?? { id, host, lease: lease ?? '', ...times };
        lives.set(id, {
          ...life,
          runningAt: life.runningAt ?? (state === 'running' ? now : null),
          deletedAt: life.deletedAt ?? (state === 'stopping' ? now : null),
        });
      }
      for (const life of lives.values())
        if (life.goneAt === null && !there.has(life.id))
          lives.set(life.id, { ...life, deletedAt: life.deletedAt ?? now, goneAt: now });
    },
    jobs: () => [...jobs.values()],
    machines: () => [...lives.values()],
  };
}
