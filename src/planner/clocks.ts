/**
 * The durable clocks: since when is the queue empty, a host idle, a machine missing. They run on, or start, or are
 * cleared by what this snapshot shows; they are stored, so a restart does not set them back.
 */
import type { ClockChanges } from '../domain/plan.ts';
import type { QueueClocks, Snapshot } from '../domain/snapshot.ts';
import { lost, type View } from './view.ts';

export function clockChanges(
  s: Snapshot,
  hosts: readonly View[],
  wanted: ReadonlySet<string>,
  queue: QueueClocks,
): ClockChanges {
  const idleSince = new Map<string, number | null>();
  const missingSince = new Map<string, number | null>();
  for (const view of hosts) {
    const { record, node } = view;
    const idle = record.state === 'ready' && node?.state === 'idle' && !wanted.has(record.name);
    idleSince.set(record.name, idle ? notAfter(record.idleSince, s.at) : null);
    // A silent cloud's list says neither that the machine is there nor that it is gone.
    if (view.silent) missingSince.set(record.name, record.missingSince);
    else missingSince.set(record.name, lost(view) ? notAfter(record.missingSince, s.at) : null);
  }
  return { queue, idleSince, missingSince };
}

export function demandClocks(s: Snapshot): QueueClocks {
  const waiting = s.jobs.some((job) => job.state === 'waiting');
  return {
    emptySince: s.jobs.length === 0 ? notAfter(s.clocks.emptySince, s.at) : null,
    noWaitingSince: waiting ? null : notAfter(s.clocks.noWaitingSince, s.at),
  };
}

/**
 * A clock that was started in the future (the wall clock was set back) starts now.
 * @param since, now epoch ms
 */
export function notAfter(since: number | null, now: number): number {
  return since === null || since > now ? now : since;
}
