/**
 * The join gate: a host without a proven machine takes no job. It is closed with our mark before its machine is
 * created and stays so until it is prepared; a daemon that registers early on a node without its file system gets no
 * work, and the batch system still accepts jobs for the queue.
 */
import type { HostState } from '../domain/lifecycle.ts';
import type { Step } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { step } from './life.ts';
import { registered, type View } from './view.ts';

const CLOSED_IN: ReadonlySet<HostState> = new Set([
  'free',
  'starting',
  'preparing',
  'joining',
  'stopping',
  'cooling',
  'quarantined',
] satisfies HostState[]);

export function gate(s: Snapshot, view: View): Step | null {
  const { node, record } = view;
  if (!CLOSED_IN.has(record.state) || s.completeReads < 2 || record.held) return null;
  if (node === undefined || node.state === 'absent' || node.closed !== 'no' || !node.inQueue) return null;
  if (record.state === 'joining' && registered(view)) return null;
  const why =
    record.state === 'free' || record.state === 'quarantined' ? 'no machine behind it' : `it is ${record.state}`;
  return step('drain', view, null, `${why}: no job may land on it yet`);
}
