/**
 * An empty list of jobs is believed only when the queue's own counters agree. Three things look like an empty queue and
 * are none: a queue that does not exist (a list of all jobs does not say so), jobs that this user may not see
 * (`query_other_jobs` is False unless somebody set it), and the jobs PBS now and then forgets in its JSON.
 *
 * It costs one more command, and only while the list of the queue is empty: once a minute.
 */
import { BatchError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { RunResult } from '../../lib/run.ts';
import { readAttributes } from './amounts.ts';
import { failureOf, VIEW_HINT } from './failure.ts';

/** ms */
const BELIEVED = 60_000;

export type AskFamily = (command: readonly string[], signal?: AbortSignal) => Promise<RunResult>;

/** Jobs of a queue that have not ended, by its own counters; null when it does not tell. */
export function countedJobs(text: string): number | null {
  const counts = readAttributes(text).get('state_count');
  if (counts === undefined) return null;
  let sum = 0;
  for (const [, state, n] of counts.matchAll(/(\w+):(\d+)/g)) if (state !== 'Complete') sum += Number(n);
  return sum;
}

/**
 * @param again reads the jobs of the queue once more: a job may have come between the list and the counters
 * @returns a function that throws `no-queue`, `permission` or `garbled` when an empty list is not to be believed
 */
export function makeAddsUp(ask: AskFamily, clock: Clock) {
  const seen = new Map<string, number>();
  return async (queue: string, again: () => Promise<number>, signal?: AbortSignal): Promise<void> => {
    const last = seen.get(queue);
    if (last !== undefined && clock.monotonic() - last < BELIEVED) return;
    const result = await ask(['qstat', '-Q', '-f', queue], signal);
    const failure = failureOf(result);
    if (failure) throw failure;
    const counted = countedJobs(result.stdout);
    if (counted === null) {
      throw new BatchError('garbled', `qstat -Q -f ${queue} does not tell how many jobs there are`, {
        facts: { stdout: result.stdout.slice(0, 300) },
      });
    }
    if (counted > 0 && (await again()) === 0) {
      throw new BatchError(
        'permission',
        `queue ${queue} has ${counted} jobs, but qstat shows none of them to this user`,
        {
          hint: VIEW_HINT,
        },
      );
    }
    seen.set(queue, clock.monotonic());
  };
}
