/**
 * Placement: puts the waiting jobs that a node would help on the room there is, in the order of the queue. What it
 * uses of new hosts is what is created; what it uses of working ones is what must not be taken away.
 */
import type { Job } from '../domain/job.ts';
import type { Verdict } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { type Room, share } from './room.ts';
import { type Quotas, roomTree } from './room-tree.ts';
import { shapes } from './shapes.ts';
import { NOBODY, verdicts } from './verdicts.ts';
import type { View } from './view.ts';

export interface Placement {
  /** New hosts the jobs need, in the order in which they should be created. */
  readonly create: readonly string[];
  /** Draining hosts to open again. */
  readonly reopen: readonly string[];
  /** Every host some waiting job counts on: not idle, not to be taken away. */
  readonly wanted: ReadonlySet<string>;
  readonly verdicts: readonly Verdict[];
  /** Pending reasons nobody told us about, for one warning each. */
  readonly unknownReasons: readonly string[];
}

/** @param quotas how many new hosts of each of several clouds may be used */
export function place(
  s: Snapshot,
  hosts: readonly View[],
  available: readonly Room[],
  mayCreate: number,
  quotas: Quotas | null = null,
): Placement {
  const sizes = shapes(s, hosts);
  const used = new Map<string, Room>();
  const said: Verdict[] = [];
  const unknown = new Set<string>();
  const runningTasks = countRunning(s.jobs);
  const open = roomTree(available, mayCreate, quotas);
  const say = verdicts(hosts);

  for (const job of s.jobs) {
    if (job.state !== 'waiting') continue;
    if (job.helped === 'no') {
      said.push({
        job: job.id,
        kind: 'not-helped',
        hosts: NOBODY,
        because: job.because || `nodes do not help: ${job.reason}`,
      });
      continue;
    }
    if (job.helped === 'unknown') unknown.add(job.reason);
    const need = share(job.ask, sizes.mostCpus);
    const never = sizes.neverFits(need);
    if (never !== null) {
      said.push({ job: job.id, kind: 'never', hosts: NOBODY, because: never });
      continue;
    }
    const taken: Room[] = [];
    let tasks = Math.min(
      job.tasks,
      job.taskLimit === null ? job.tasks : job.taskLimit - (runningTasks.get(job.array ?? '') ?? 0),
    );
    let left = Math.max(0, tasks);
    for (; left > 0; left--) {
      const chosen = open.place(need);
      if (chosen === null) break;
      for (const room of chosen) {
        used.set(room.host, room);
        taken.push(room);
      }
    }
    tasks = Math.max(0, tasks);
    said.push(say(job, need, taken, tasks, left));
  }
  const of = (kind: Room['kind']) => [...used.values()].filter((room) => room.kind === kind).map((room) => room.host);
  return {
    create: of('new'),
    reopen: of('reopen'),
    wanted: new Set(used.keys()),
    verdicts: said,
    unknownReasons: [...unknown],
  };
}

function countRunning(jobs: readonly Job[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const job of jobs) {
    if (job.state === 'running' && job.array !== null) counts.set(job.array, (counts.get(job.array) ?? 0) + 1);
  }
  return counts;
}
