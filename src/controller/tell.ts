/**
 * Tells the owner of a job that can never start, where the batch system shows it. Once per job and text; a job that
 * has left the queue is forgotten, so the memory stays as small as the queue.
 */
import type { Batch } from '../batch/batch.ts';
import type { Plan } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Store } from '../store/store.ts';

/** At most so many per look: every one is a call to the scheduler. */
const PER_LOOK = 5;

export async function tellOwners(
  batch: Batch,
  store: Store,
  s: Snapshot,
  plan: Plan,
  signal: AbortSignal,
): Promise<void> {
  if (batch.tell === undefined) return;
  const text = store.note('told');
  const told = text === null ? {} : (JSON.parse(text) as Record<string, string>);
  const here = new Set(s.jobs.map((job) => job.id));
  const kept = Object.fromEntries(Object.entries(told).filter(([job]) => here.has(job)));
  const news = plan.verdicts.filter((verdict) => verdict.kind === 'never' && kept[verdict.job] !== verdict.because);
  for (const verdict of news.slice(0, PER_LOOK)) {
    kept[verdict.job] = verdict.because;
    try {
      await batch.tell(verdict.job, verdict.because, signal);
    } catch {
      // Best effort: the job's owner also finds it with `hybrid-cloud explain`.
    }
  }
  const after = JSON.stringify(kept);
  if (after !== (text ?? '{}')) store.setNote('told', after);
}
