/**
 * Scale in (policy demand): the specification's rule, all nodes go when the queue was empty for
 * CLEANUP_NODE_WAIT_TIME; and ours, a single node that was idle and wanted by nobody for IDLE_NODE_WAIT_TIME goes
 * while others work.
 */
import type { ClockChanges, Step } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { span } from '../domain/words.ts';
import { paidAhead } from './billing.ts';
import type { Changes } from './changes.ts';
import { aboveFloor } from './floor.ts';
import { step } from './life.ts';
import { closedByOthers, onTheWay, type View, working } from './view.ts';

export function scaleIn(
  s: Snapshot,
  hosts: readonly View[],
  wanted: ReadonlySet<string>,
  clocks: ClockChanges,
  changes: Changes,
): readonly Step[] {
  if (s.completeReads < 2) return [];
  const empty = clocks.queue.emptySince === null ? null : s.at - clocks.queue.emptySince;
  const everyone = empty !== null && empty >= s.pool.timing.cleanup;
  const steps: Step[] = [];
  let spare = aboveFloor(s, hosts, wanted);
  // From the end of hosts.json: the first hosts are the ones that stay when MIN_NODES are to be kept.
  for (const view of hosts.toReversed()) {
    const because = reason(s, view, wanted, clocks, everyone ? empty : null, changes);
    if (because === null) continue;
    if (!view.retired) {
      if (spare <= 0) continue;
      spare--;
    }
    steps.push(
      view.record.state === 'ready'
        ? step('drain', view, 'draining', because)
        : step('delete', view, 'stopping', because),
    );
  }
  return steps.reverse();
}

function reason(
  s: Snapshot,
  view: View,
  wanted: ReadonlySet<string>,
  clocks: ClockChanges,
  empty: number | null,
  changes: Changes,
): string | null {
  const { record, node } = view;
  if (record.held || view.underWay || working(view) || closedByOthers(view)) return null;
  if (onTheWay(view)) {
    if (view.retired) return 'it is no longer in hosts.json';
    // A machine that is on its way when the queue has long been empty: nobody waits for it.
    return empty !== null && s.at - record.since >= s.pool.timing.cleanup ? emptyFor(s, empty) : null;
  }
  if (record.state !== 'ready' || node?.state !== 'idle' || wanted.has(record.name)) return null;
  if (view.retired) return 'it is no longer in hosts.json';
  const since = clocks.idleSince.get(record.name) ?? null;
  const { idle } = s.pool.timing;
  if (empty === null && (idle === null || since === null || s.at - since < idle)) return null;
  if (paidAhead(s, view, changes)) return null;
  if (empty !== null || since === null) return emptyFor(s, empty ?? 0);
  return `idle for ${span(s.at - since)} and no waiting job wants it`;
}

function emptyFor(s: Snapshot, empty: number): string {
  return `queue ${s.pool.queue} has been empty for ${span(empty)}`;
}
