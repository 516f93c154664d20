/**
 * Placement: puts the waiting jobs that a node would help on the room there is, in the order of the queue. What it
 * uses of new hosts is what is created; what it uses of working ones is what must not be taken away.
 */
import type { Job } from '../domain/job.ts';
import type { Verdict } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { waitedEnough } from './burst-after.ts';
import type { Changes } from './changes.ts';
import { type Room, share } from './room.ts';
import { type Quotas, roomTree } from './room-tree.ts';
import { shapes } from './shapes.ts';
import { dueSoon, notBefore } from './soon.ts';
import { NOBODY, verdicts } from './verdicts.ts';
import type { View } from './view.ts';
import { type Hold, holds } from './wide.ts';

export interface Placement {
  /** New hosts the jobs need, in the order in which they should be created. */
  readonly create: readonly string[];
  /** Draining hosts to open again. */
  readonly reopen: readonly string[];
  /** Every host some waiting job counts on: not idle, not to be taken away. */
  readonly wanted: ReadonlySet<string>;
  readonly verdicts: readonly Verdict[];
  /** The jobs that the new hosts are for. */
  readonly causes: readonly Job[];
  /** Pending reasons nobody told us about, for one warning each. */
  readonly unknownReasons: readonly string[];
}

/**
 * @param mayCreate new machines that may exist at all
 * @param braked no machine can be created now, so nothing is kept for a job that would need some
 * @param quotas how many new hosts of each of several clouds may be used
 */
export function place(
  s: Snapshot,
  hosts: readonly View[],
  available: readonly Room[],
  mayCreate: number,
  braked: boolean,
  changes: Changes,
  quotas: Quotas | null = null,
): Placement {
  const sizes = shapes(s, hosts);
  const used = new Map<string, Room>();
  const said: Verdict[] = [];
  const causes: Job[] = [];
  const soon: Job[] = [];
  const unknown = new Set<string>();
  const runningTasks = countRunning(s.jobs);
  const ours = new Set(s.hosts.map((host) => host.name));
  const open = roomTree(available, mayCreate, quotas);
  const say = verdicts(s, hosts);
  const keep = holds(s, available, open, changes);
  let hold: Hold | null = null;
  let later: Hold | null = null;

  for (const job of s.jobs) {
    if (job.state !== 'waiting') continue;
    const early = notBefore(s, job);
    if (early !== null || job.helped === 'no') {
      if (dueSoon(s, job, changes)) soon.push(job);
      const own = job.helped === 'no' ? job.because : '';
      const because = own || (early ?? `nodes do not help: ${job.reason}`);
      said.push({ job: job.id, kind: 'not-helped', hosts: NOBODY, because });
      continue;
    }
    if (job.helped === 'unknown') unknown.add(job.reason);
    const need = share(job.ask, sizes.mostCpus, s.refused?.get(job.id));
    const elsewhere = need.named.find((name) => !ours.has(name));
    if (elsewhere !== undefined) {
      const because = `nodes do not help: it asks for ${elsewhere}, which is none of ours`;
      said.push({ job: job.id, kind: 'not-helped', hosts: NOBODY, because });
      continue;
    }
    const never = sizes.neverFits(need);
    if (never !== null) {
      said.push({ job: job.id, kind: 'never', hosts: NOBODY, because: never });
      continue;
    }
    const end = s.at + (job.timeLimit ?? Number.POSITIVE_INFINITY);
    const may = { create: waitedEnough(s, job, changes), useKept: hold !== null && end <= hold.by };
    const before = open.left;
    const taken: Room[] = [];
    const tasks = tasksOf(job, runningTasks);
    let left = tasks;
    for (; left > 0; left--) {
      const chosen = open.place(need, may);
      if (chosen === null) break;
      for (const room of chosen) {
        room.placedUntil = Math.max(room.placedUntil, end);
        used.set(room.host, room);
        taken.push(room);
      }
    }
    let kept: Hold | null = null;
    if (hold === null && may.create && !braked && need.nodes > 1 && tasks > 0 && left === tasks) {
      const found = keep(job, need);
      if (found?.early === true) later ??= found;
      else kept = found;
      hold = kept;
      for (const room of kept?.rooms ?? []) used.set(room.host, room);
    }
    // Later it would end too late for that.
    if (hold !== null && may.useKept && taken.length > 0) changes.note(hold.by - (job.timeLimit ?? 0) + 1);
    if (open.left < before) causes.push(job);
    said.push(kept === null ? say.placed(job, need, taken, tasks, left, may.create) : say.kept(job, kept, need.nodes));
  }
  for (const room of later?.rooms ?? []) if (!used.has(room.host)) used.set(room.host, room);
  // What is there for them stays; nothing is created or opened again before their time.
  for (const job of soon) {
    const need = share(job.ask, sizes.mostCpus, s.refused?.get(job.id));
    const rooms = open.place(need, { create: false, useKept: true }) ?? [];
    for (const room of rooms) if (room.kind !== 'reopen' && !used.has(room.host)) used.set(room.host, room);
  }
  const of = (kind: Room['kind']) => [...used.values()].filter((room) => room.kind === kind).map((room) => room.host);
  return {
    create: of('new'),
    reopen: of('reopen'),
    wanted: new Set(used.keys()),
    verdicts: said,
    causes,
    unknownReasons: [...unknown],
  };
}

/** How many tasks of it could start now if there were room. */
function tasksOf(job: Job, running: ReadonlyMap<string, number>): number {
  const tasks = Math.min(job.tasks, job.mayStart ?? job.tasks);
  if (job.taskLimit === null) return tasks;
  return Math.max(0, Math.min(tasks, job.taskLimit - (running.get(job.array ?? '') ?? 0)));
}

function countRunning(jobs: readonly Job[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const job of jobs) {
    if (job.state === 'running' && job.array !== null) counts.set(job.array, (counts.get(job.array) ?? 0) + 1);
  }
  return counts;
}
