/**
 * GATHER_TIME: jobs that are submitted together are decided together. Creation waits until the first job that needs a
 * new machine has waited for so long; what comes meanwhile is decided with it. It delays creation by GATHER_TIME at
 * most: further jobs do not make it longer.
 */
import type { Job } from '../domain/job.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { span } from '../domain/words.ts';
import { waitsSince } from './burst-after.ts';
import type { Changes } from './changes.ts';

/**
 * @param jobs those that machines would be created for
 * @returns why creation waits, for people; empty when it does not
 */
export function gathering(s: Snapshot, jobs: readonly Job[], changes: Changes): string {
  const gather = s.pool.patience?.gather ?? 0;
  if (gather === 0 || jobs.length === 0) return '';
  let longest = 0;
  for (const job of jobs) {
    const since = waitsSince(s, job);
    // Nobody knows since when it waits: no reason to let it wait longer.
    if (since === null) return '';
    longest = Math.max(longest, s.at - since - (s.pool.patience?.burstAfter ?? 0));
  }
  const left = gather - longest;
  changes.note(s.at + left);
  return left <= 0 ? '' : `waits ${span(Math.max(1000, left))} for further jobs (GATHER_TIME)`;
}
