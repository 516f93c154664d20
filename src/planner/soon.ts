/**
 * Begin times, by the clock: a job that does not want to start yet needs no machine, whatever the batch system calls
 * its reason. But an idle node that it will need within IDLE_NODE_WAIT_TIME is not taken away: so long it would be kept
 * for jobs that nobody knows of.
 */
import type { Job } from '../domain/job.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Changes } from './changes.ts';

/** Why it does not start yet, or null when its time has come. Equal texts: thousands of jobs may wait for a time. */
export function notBefore(s: Snapshot, job: Job): string | null {
  return job.notBefore != null && job.notBefore > s.at ? 'its begin time has not come' : null;
}

/** Will it want to start so soon that a node is kept for it? */
export function dueSoon(s: Snapshot, job: Job, changes: Changes): boolean {
  const { idle } = s.pool.timing;
  if (job.notBefore == null || job.notBefore <= s.at) return false;
  changes.note(job.notBefore);
  if (idle === null) return false;
  changes.note(job.notBefore - idle);
  return job.notBefore - s.at <= idle;
}
