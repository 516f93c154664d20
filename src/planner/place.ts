/**
 * Placement: puts the waiting jobs that a node would help on the room there is, in the order of the queue. What it
 * uses of new hosts is what is created; what it uses of working ones is what must not be taken away.
 */
import type { Job } from '../domain/job.ts';
import type { Verdict } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { list } from '../domain/words.ts';
import { fits, type Largest, largest, neverFits, type Room, type Share, share, take } from './room.ts';
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

export function place(s: Snapshot, hosts: readonly View[], available: Room[]): Placement {
  const size = largest(s, hosts);
  const used = new Map<string, Room>();
  const verdicts: Verdict[] = [];
  const unknown = new Set<string>();
  const runningTasks = countRunning(s.jobs);
  let open = available;

  for (const job of s.jobs) {
    if (job.state !== 'waiting') continue;
    if (job.helped === 'no') {
      verdicts.push({
        job: job.id,
        kind: 'not-helped',
        hosts: [],
        because: job.because || `nodes do not help: ${job.reason}`,
      });
      continue;
    }
    if (job.helped === 'unknown') unknown.add(job.reason);
    const need = share(job.ask, size);
    const never = neverFits(need, size);
    if (never !== null) {
      verdicts.push({ job: job.id, kind: 'never', hosts: [], because: never });
      continue;
    }
    const taken: Room[] = [];
    let tasks = Math.min(
      job.tasks,
      job.taskLimit === null ? job.tasks : job.taskLimit - (runningTasks.get(job.array ?? '') ?? 0),
    );
    let left = Math.max(0, tasks);
    for (; left > 0; left--) {
      const chosen = choose(open, need);
      if (chosen === null) break;
      for (const room of chosen) {
        take(room, need);
        used.set(room.host, room);
        taken.push(room);
      }
    }
    tasks = Math.max(0, tasks);
    verdicts.push(verdict(job, need, taken, tasks, left, size));
    open = open.filter((room) => room.cpus > 0);
  }
  const of = (kind: Room['kind']) => [...used.values()].filter((room) => room.kind === kind).map((room) => room.host);
  return {
    create: of('new'),
    reopen: of('reopen'),
    wanted: new Set(used.keys()),
    verdicts,
    unknownReasons: [...unknown],
  };
}

/** All or nothing: as many different hosts as the job needs, or none. */
function choose(open: readonly Room[], need: Share): readonly Room[] | null {
  const found: Room[] = [];
  for (const room of open) {
    if (!fits(room, need)) continue;
    found.push(room);
    if (found.length === need.nodes) return found;
  }
  return null;
}

function countRunning(jobs: readonly Job[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const job of jobs) {
    if (job.state === 'running' && job.array !== null) counts.set(job.array, (counts.get(job.array) ?? 0) + 1);
  }
  return counts;
}

function verdict(job: Job, need: Share, taken: readonly Room[], tasks: number, left: number, size: Largest): Verdict {
  const hosts = [...new Set(taken.map((room) => room.host))];
  const kinds = new Set(taken.map((room) => room.kind));
  const rest = left > 0 && taken.length > 0 ? `; ${left} of ${tasks} tasks wait for room` : '';
  if (tasks === 0) {
    return {
      job: job.id,
      kind: 'not-helped',
      hosts,
      because: 'the array already runs as many tasks as it may at one time',
    };
  }
  if (taken.length === 0) {
    const what = need.nodes === 1 ? 'a host' : `${need.nodes} hosts at once`;
    return {
      job: job.id,
      kind: 'blocked',
      hosts,
      because: `waits for ${what}: all ${size.hosts} the queue can have are in use`,
    };
  }
  const named = (kind: Room['kind']) => [
    ...new Set(taken.filter((room) => room.kind === kind).map((room) => room.host)),
  ];
  if (kinds.has('new'))
    return { job: job.id, kind: 'creating', hosts, because: `creating ${list(named('new'))} for it${rest}` };
  if (kinds.has('coming'))
    return { job: job.id, kind: 'coming', hosts, because: `waits for ${list(named('coming'))}, on the way${rest}` };
  if (kinds.has('reopen'))
    return { job: job.id, kind: 'coming', hosts, because: `opening ${list(named('reopen'))} again for it${rest}` };
  return {
    job: job.id,
    kind: 'now',
    hosts,
    because: `there is room on ${list(hosts)}; the batch system decides when it starts${rest}`,
  };
}
