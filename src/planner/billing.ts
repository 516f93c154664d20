/**
 * Billing: a cloud that bills by the hour has been paid for the hour that has begun, so an idle node stays until just
 * before its end: jobs that come meanwhile start at once, and it costs nothing.
 */
import type { Billing } from '../domain/pool.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Changes } from './changes.ts';
import type { View } from './view.ts';

/** Is this machine paid for some time yet, so that nothing is saved by letting it go now? */
export function paidAhead(s: Snapshot, view: View, changes: Changes): boolean {
  const billing = s.pool.clouds?.find(({ name }) => name === view.record.cloud)?.billing ?? s.pool.billing;
  const born = bornAt(s, view);
  if (billing === undefined || born === null) return false;
  const end = paidUntil(billing, born, s.at) - billing.lead;
  changes.note(end);
  return s.at < end;
}

/** Until when a machine of this age is paid, epoch ms. */
export function paidUntil({ granularity, minimum }: Billing, born: number, at: number): number {
  const unit = Math.max(1, granularity);
  // At the very end of a period the next one begins.
  const begun = Math.floor(Math.max(0, at - born) / unit) + 1;
  return born + Math.max(minimum, begun * unit);
}

/** The cloud bills by its own clock; where it does not tell, from when we asked. */
function bornAt(s: Snapshot, { machine, record }: View): number | null {
  const told = machine?.since ?? null;
  return told !== null && told <= s.at ? told : record.bornAt;
}
