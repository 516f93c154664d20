/**
 * BURST_AFTER: machines are created only for jobs that have waited for so long. Whatever is there, on its way or chosen
 * for other jobs they may use before.
 */
import type { Job } from '../domain/job.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { span } from '../domain/words.ts';
import type { Changes } from './changes.ts';

/** May machines be created for this job? A job of which nobody knows since when it waits has waited enough. */
export function waitedEnough(s: Snapshot, job: Job, changes: Changes): boolean {
  const after = s.pool.patience?.burstAfter ?? 0;
  if (after === 0 || s.pool.policy === 'classic') return true;
  const since = waitsSince(s, job);
  if (since === null || s.at - since >= after) return true;
  changes.note(since + after);
  return false;
}

/** Why not, for people. */
export function notYet(s: Snapshot): string {
  const after = s.pool.patience?.burstAfter ?? 0;
  return `waits for a host that is there; one is created for it when it has waited for ${span(after)} (BURST_AFTER)`;
}

/**
 * Since when it waits for nothing but a node, as far as is known; epoch ms. A time in the future is the batch system's
 * clock, not ours: it says nothing.
 */
export function waitsSince(s: Snapshot, job: Job): number | null {
  if (job.submittedAt === null) return null;
  const since = Math.max(job.submittedAt, job.notBefore ?? 0);
  return since > s.at ? null : since;
}
