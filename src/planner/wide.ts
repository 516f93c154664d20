/**
 * The first blocked job of several hosts. While narrow jobs come and go there is perhaps never a moment at which so many
 * hosts are free or can be created, and the batch system promises hosts only when so many are open. So for one such job,
 * the first in the queue, what schedulers do with EASY backfill is done here: hosts that it can use are kept, those that
 * are missing are created, and jobs behind it may use the kept ones only when they end before it can start.
 *
 * All or nothing: nothing is kept or created when the hosts there are would not do.
 */
import type { Job } from '../domain/job.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { waitsSince } from './burst-after.ts';
import type { Changes } from './changes.ts';
import { fits, type Room, type Share } from './room.ts';
import type { RoomTree } from './room-tree.ts';

export interface Hold {
  /** Rooms of hosts that are kept for it or created for it. */
  readonly rooms: readonly Room[];
  /** Not yet: nothing is created, and jobs behind it may use the rooms; but the hosts are not taken away any more. */
  readonly early: boolean;
  /** When enough jobs on other hosts will have ended, by their time limits; epoch ms. */
  readonly by: number;
}

/** So many blocked jobs are tried, the first of the queue: whoever stands behind them is not the first. */
const TRIED = 8;

/**
 * @param rooms they are looked at as they are after the jobs before it were placed
 * @returns a function that keeps rooms for a job that was not placed: what it kept, or null when nothing would help it
 */
export function holds(
  s: Snapshot,
  rooms: readonly Room[],
  tree: RoomTree,
  changes: Changes,
): (job: Job, need: Share) => Hold | null {
  let ends: ReadonlyMap<string, number> | null = null;
  let tried = 0;
  return (job, need) => {
    // Hosts that it names are not exchanged for others, so keeping others would help nobody.
    if (need.named.length > 0) return null;
    if (tried++ >= TRIED) return null;
    ends ??= runsUntil(s);
    return holdFor(s, job, need, rooms, tree, ends, changes);
  };
}

function holdFor(
  s: Snapshot,
  job: Job,
  need: Share,
  rooms: readonly Room[],
  tree: RoomTree,
  ends: ReadonlyMap<string, number>,
  changes: Changes,
): Hold | null {
  const there: number[] = [];
  const fresh = tree.unused(need);
  const busy: Room[] = [];
  for (const [at, room] of rooms.entries()) {
    if (!fits(room.whole, need) || tree.isNew(at)) continue;
    if (fits(room, need)) there.push(at);
    else busy.push(room);
  }
  const missing = need.nodes - there.length - fresh.length;
  if (missing > busy.length) return null;
  const until = busy.map((room) => Math.max(ends.get(room.host) ?? 0, room.placedUntil)).sort((a, b) => a - b);
  const by = until[missing - 1] ?? Number.POSITIVE_INFINITY;
  if (!Number.isFinite(by)) return null;
  const { idle, cleanup } = s.pool.timing;
  const from = worthFrom(s, job, by);
  const soon = from - (idle ?? cleanup);
  changes.note(from);
  changes.note(soon);
  if (s.at < soon) return null;
  const early = s.at < from;
  const places = early ? there.filter((at) => rooms[at]?.kind !== 'reopen') : [...there, ...fresh];
  if (!early) tree.keep(places);
  return { rooms: places.flatMap((at) => rooms[at] ?? []), early, by };
}

/**
 * From when on nodes may wait for it, epoch ms. Nodes that wait for the last of many cost money. So they do it for
 * IDLE_NODE_WAIT_TIME at most, as idle nodes do; and since a stream of narrow jobs could push that moment away for ever,
 * for longer the longer the job has waited.
 */
function worthFrom(s: Snapshot, job: Job, by: number): number {
  const { idle, cleanup } = s.pool.timing;
  const since = waitsSince(s, job) ?? s.at;
  return Math.min(by - (idle ?? cleanup), Math.ceil((by + PART * since) / (1 + PART)));
}

/** The part of its wait for which nodes may idle for it. Measured: docs/decisions/0017. */
const PART = 0.1;

/** When the jobs that run on a host will have ended by their time limits, epoch ms; Infinity when one has none. */
function runsUntil(s: Snapshot): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const job of s.jobs) {
    if (job.state !== 'running') continue;
    const end =
      job.timeLimit == null ? Number.POSITIVE_INFINITY : Math.max(s.at, (job.startedAt ?? s.at) + job.timeLimit);
    for (const host of job.hosts) ends.set(host, Math.max(ends.get(host) ?? 0, end));
  }
  // A job that is not in the list (of another queue, not readable) may run on for ever.
  for (const [host, node] of s.nodes) if (node.hasJob && !ends.has(host)) ends.set(host, Number.POSITIVE_INFINITY);
  return ends;
}
