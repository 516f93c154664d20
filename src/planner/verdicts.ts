/**
 * Verdicts: what becomes of one waiting job, in a sentence. Equal sentences are one text in memory: ten thousand jobs
 * that wait for the same thing must not cost ten thousand texts.
 */
import type { Job } from '../domain/job.ts';
import type { Verdict } from '../domain/plan.ts';
import { list } from '../domain/words.ts';
import type { Room, RoomKind, Share } from './room.ts';
import { notCreatable, type View } from './view.ts';

export const NOBODY: readonly string[] = [];

/** @returns a function that judges a job by the room that was taken for its tasks; `left` of them found none */
export function verdicts(hosts: readonly View[]) {
  const blocked = new Map<number, string>();
  const why = (nodes: number): string => {
    const known = blocked.get(nodes);
    if (known !== undefined) return known;
    const text = `waits for ${nodes === 1 ? 'a host' : `${nodes} hosts at once`}: ${occupancy(hosts)}`;
    blocked.set(nodes, text);
    return text;
  };
  return (job: Job, need: Share, taken: readonly Room[], tasks: number, left: number): Verdict => {
    if (tasks === 0) return { job: job.id, kind: 'not-helped', hosts: NOBODY, because: ARRAY_LIMIT };
    if (taken.length === 0) return { job: job.id, kind: 'blocked', hosts: NOBODY, because: why(need.nodes) };
    const hostsOf = (kind: RoomKind | null) => [
      ...new Set(taken.filter((room) => kind === null || room.kind === kind).map((room) => room.host)),
    ];
    const rest = left > 0 ? `; ${left} of ${tasks} tasks wait for room` : '';
    for (const { room, kind, say } of BY_ROOM) {
      const named = hostsOf(room);
      if (named.length > 0) return { job: job.id, kind, hosts: hostsOf(null), because: say(list(named)) + rest };
    }
    return { job: job.id, kind: 'blocked', hosts: NOBODY, because: why(need.nodes) };
  };
}

const ARRAY_LIMIT = 'the array already runs as many tasks as it may at one time';

/** The slowest of its hosts says when it can start. */
const BY_ROOM: readonly { room: RoomKind; kind: Verdict['kind']; say: (names: string) => string }[] = [
  { room: 'new', kind: 'creating', say: (names) => `creating ${names} for it` },
  { room: 'coming', kind: 'coming', say: (names) => `waits for ${names}, on the way` },
  { room: 'reopen', kind: 'coming', say: (names) => `opening ${names} again for it` },
  { room: 'ready', kind: 'now', say: (names) => `there is room on ${names}; the batch system decides when it starts` },
];

/** What the hosts are doing that none could be used: `of 4 hosts 3 are at work, 1 is quarantined`. */
function occupancy(hosts: readonly View[]): string {
  const counts = new Map<string, number>();
  for (const view of hosts) {
    if (view.retired) continue;
    const what = doing(view);
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const parts = [...counts].map(([what, n]) => `${n} ${n === 1 ? 'is' : 'are'} ${what}`);
  return `of ${hosts.length} hosts ${list(parts)}`;
}

function doing(view: View): string {
  const { node, record } = view;
  if (node === undefined || node.state === 'absent') return 'unknown to the batch system';
  if (node.closed === 'theirs') return 'closed by somebody else';
  if (record.state === 'ready') return node.hasJob ? 'at work' : 'wanted by jobs before it';
  if (record.state === 'free') return notCreatable(view) === null ? 'needed by jobs before it' : 'not to be used yet';
  return record.state;
}
