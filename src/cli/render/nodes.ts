/** `nodes`: one row per host: our state, the batch system's word for it, and why it is as it is. */
import type { NodeView } from '../../controller/view.ts';
import type { HostState } from '../../domain/lifecycle.ts';
import type { Screen, Style } from './screen.ts';
import { type Cell, type Column, table } from './table.ts';
import { shortSince, since } from './times.ts';

const COLUMNS: readonly Column[] = [
  { head: 'HOST' },
  { head: 'IP', spare: 2 },
  { head: 'STATE' },
  { head: 'FOR', align: 'right' },
  { head: 'BATCH', spare: 1 },
  { head: 'JOBS' },
  { head: 'WHY' },
];

const STYLE: Readonly<Partial<Record<HostState, Style>>> = {
  ready: 'green',
  starting: 'cyan',
  preparing: 'cyan',
  joining: 'cyan',
  draining: 'yellow',
  stopping: 'yellow',
  quarantined: 'red',
  free: 'dim',
};

export function renderNodes(nodes: readonly NodeView[], screen: Screen): string[] {
  if (nodes.length === 0) return ['The pool has no hosts.'];
  return table(
    COLUMNS,
    nodes.map((node) => row(node, screen.now)),
    screen,
  );
}

function row(node: NodeView, now: number): Cell[] {
  const marks = [node.state, ...(node.held ? ['held'] : []), ...(node.retired ? ['retired'] : [])];
  return [
    node.host,
    node.ip,
    { text: marks.join(', '), style: STYLE[node.state] },
    shortSince(node.since, now),
    node.batch?.words ?? '-',
    jobs(node),
    why(node, now),
  ];
}

/** One job by its id, several as their number: a node may run hundreds of small ones. */
function jobs(node: NodeView): string {
  const ids = node.batch?.jobs ?? [];
  return ids.length > 2 ? `${ids.length} jobs` : ids.join(',') || '-';
}

function why(node: NodeView, now: number): string {
  const parts = [node.reason];
  if (node.deadlineAt !== null) {
    parts.push(node.deadlineAt > now ? `given up in ${since(now, node.deadlineAt)}` : 'its time is over');
  }
  if (node.idleSince !== null) parts.push(`idle for ${since(node.idleSince, now)}`);
  if (node.failures > 0) parts.push(`failed ${node.failures === 1 ? 'once' : `${node.failures} times`} in a row`);
  if (node.retryAt !== null) {
    parts.push(node.retryAt > now ? `tried again in ${since(now, node.retryAt)}` : 'tried again now');
  }
  if (node.batch?.reason) parts.push(`batch system: ${node.batch.reason}`);
  if (node.machine?.message) parts.push(`cloud: ${node.machine.message}`);
  return parts.filter((part) => part !== '').join('; ');
}
