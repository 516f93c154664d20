/** One race: its job is submitted, and waited for. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, until } from '../support/lab.ts';
import { ranFolder, runsOf } from './race-account.ts';
import { hasEnded, raceScript, type Shape } from './race-jobs.ts';

/** A job that has not ended after so many seconds is lost: a dead node and a second try are in it. */
const LONGEST = 300;

/** sbatch whose answer is lost may have worked: the job's name tells. @returns the job's id */
export async function submit(lab: Lab, number: number, shape: Shape): Promise<string> {
  const script = raceScript(join(ranFolder(lab), String(number)), join(lab.dir, 'node/shared/marker'), shape.works);
  let id = '';
  await until(
    `race ${number} is submitted`,
    async () => {
      const name = `race-${number}`;
      try {
        id = await lab.submit(script, '-J', name, '--requeue', ...shape.flags);
      } catch {
        const known = await lab.slurm('squeue', '-h', '-t', 'all', '-n', name, '-o', '%A');
        id = known.trim().split('\n')[0] ?? '';
      }
      return id !== '';
    },
    120,
  );
  return id;
}

/** Waits until the job's tasks have run, or too long; the verdict finds out what became of it. */
export async function ended(
  lab: Lab,
  number: number,
  shape: Shape,
  over: () => boolean,
  patience: number,
): Promise<void> {
  const begun = performance.now();
  let overSince = Number.POSITIVE_INFINITY;
  while (!hasEnded(runsOf(lab, number), shape.tasks)) {
    const now = performance.now();
    if (over()) overSince = Math.min(overSince, now);
    if (now > begun + LONGEST * 1000 || now > overSince + patience * 1000) return;
    await sleep(100);
  }
}
