/**
 * Verdicts: what becomes of one waiting job, in a sentence. Equal sentences are one text in memory: ten thousand jobs
 * that wait for the same thing must not cost ten thousand texts.
 */
import type { Job } from '../domain/job.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { Verdict } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { list, span } from '../domain/words.ts';
import { notYet } from './burst-after.ts';
import type { Room, RoomKind, Share } from './room.ts';
import { notCreatable, type View } from './view.ts';
import type { Hold } from './wide.ts';

export const NOBODY: readonly string[] = [];

export interface Judge {
  /**
   * By the room that was taken for its tasks.
   * @param left tasks that found no room
   * @param create may machines be created for it?
   */
  placed(job: Job, need: Share, taken: readonly Room[], tasks: number, left: number, create: boolean): Verdict;
  /** A job that rooms are kept for. */
  kept(job: Job, hold: Hold, nodes: number): Verdict;
}

export function verdicts(s: Snapshot, hosts: readonly View[]): Judge {
  const blocked = new Map<number, string>();
  const states = new Map<string, HostState>();
  const late = notYet(s);
  const why = (nodes: number): string => {
    const known = blocked.get(nodes);
    if (known !== undefined) return known;
    const text = `waits for ${nodes === 1 ? 'a host' : `${nodes} hosts at once`}: ${occupancy(hosts)}`;
    blocked.set(nodes, text);
    return text;
  };
  const whyRefused = ({ without, nodes }: Share): string =>
    `the batch system did not start it on ${list([...without])}, which ${without.size === 1 ? 'was' : 'were'} idle; ${why(nodes)}`;
  const whyNamed = (names: readonly string[]): string => {
    const of = hosts.filter(({ record }) => names.includes(record.name));
    const parts = of.map((view) => `${view.record.name} is ${doing(view)}`);
    return `waits for ${list(names)}: ${list(parts)}`;
  };
  const named = (rooms: readonly Room[], kind: RoomKind): string => {
    if (states.size === 0) for (const { record } of hosts) states.set(record.name, record.state);
    const names = [...new Set(rooms.filter((room) => room.kind === kind).map((room) => room.host))];
    const word = WORDS[kind];
    if (word !== null) return names.length === 0 ? '' : `${list(names)} (${word})`;
    const groups = Map.groupBy(names, (name) => states.get(name) ?? 'starting');
    return list([...groups].map(([state, of]) => `${list(of)} (${state === 'ready' ? 'out of sight' : state})`));
  };

  function placed(
    job: Job,
    need: Share,
    taken: readonly Room[],
    tasks: number,
    left: number,
    create: boolean,
  ): Verdict {
    if (tasks === 0) return { job: job.id, kind: 'not-helped', hosts: NOBODY, because: ARRAY_LIMIT };
    if (taken.length === 0) {
      const refused = need.without.size > 0 && need.named.every((name) => need.without.has(name));
      const other = need.named.length > 0 ? whyNamed(need.named) : why(need.nodes);
      const waits = refused ? whyRefused(need) : other;
      return { job: job.id, kind: 'blocked', hosts: NOBODY, because: create ? waits : late };
    }
    const rest = left > 0 ? `; ${left} of ${tasks} tasks wait for room` : '';
    const all = [...new Set(taken.map((room) => room.host))];
    const has = (kind: RoomKind) => taken.some((room) => room.kind === kind);
    const there = (['ready', 'reopen', 'coming'] as const).filter(has).map((kind) => named(taken, kind));
    if (has('new')) {
      const beside = there.length === 0 ? '' : `; placed on ${list(there)}`;
      return { job: job.id, kind: 'creating', hosts: all, because: `waits for ${named(taken, 'new')}${beside}${rest}` };
    }
    if (has('coming') || has('reopen'))
      return { job: job.id, kind: 'coming', hosts: all, because: `placed on ${list(there)}${rest}` };
    return { job: job.id, kind: 'now', hosts: all, because: `placed on ${list(all)}: ${THERE}${rest}` };
  }

  return {
    placed,
    kept(job, { rooms, by }, nodes) {
      const creates = rooms.some((room) => room.kind === 'new');
      const names = rooms.map((room) => room.host);
      const what =
        names.length === 0 ? 'none is free' : `${list(names)} ${names.length === 1 ? 'is' : 'are'} kept for it`;
      const when = Number.isFinite(by) ? ` in ${span(by - s.at)} at the latest` : '';
      return {
        job: job.id,
        kind: creates ? 'creating' : 'blocked',
        hosts: names,
        because: `waits for ${nodes} hosts at once: ${what}, the others when jobs there end${when}`,
      };
    },
  };
}

const ARRAY_LIMIT = 'the array already runs as many tasks as it may at one time';
const THERE = 'there is room; the batch system decides when it starts';

/** What is said of a host of this kind; null = its state. */
const WORDS: Readonly<Record<RoomKind, string | null>> = {
  ready: 'ready',
  reopen: 'opened again',
  coming: null,
  new: 'creating',
};

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
