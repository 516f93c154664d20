/**
 * `sbatch --dependency`, as squeue prints it: `afterok:12(unfulfilled)`, `afterany:1(unfulfilled)?afterok:2(failed)`,
 * before 20.11 without the words. The reason tells the same only when the scheduler has looked at the job: until then
 * it is "ReqNodeNotAvail" or "None" (seen with 22.05.8), and a node would be started for a job that cannot use it.
 *
 * What is fulfilled is taken off the list by slurmctld, so a list that is not empty means waiting, except for an
 * alternative (`?`) of which one is fulfilled.
 */

/** @returns why nodes do not help, a sentence for people; null when nothing is left to wait for */
export function waitsForJobs(text: string): string | null {
  const list = text.trim();
  if (list === '' || list === '(null)' || list === 'N/A') return null;
  const parts = list.split(/[,?]/).filter((part) => part !== '');
  const done = (part: string): boolean => /\(fulfilled\)$/.test(part);
  const failed = (part: string): boolean => /\(failed\)$/.test(part);
  const either = list.includes('?');
  if (either ? parts.some(done) : parts.every(done)) return null;
  return (either ? parts.every(failed) : parts.some(failed))
    ? 'it depends on a job that will never end as asked'
    : 'it waits for another job';
}
