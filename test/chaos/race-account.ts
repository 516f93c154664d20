/**
 * What is read of a lab in which races are run: what its jobs wrote, what Slurm and the cloud noted, what the service told.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../support/lab.ts';
import { type JobRun, readRuns } from './race-jobs.ts';
import type { Troubles } from './race-troubles.ts';
import { judge, type RaceJob, readTakenBack, type Verdict } from './race-verdict.ts';

export type Begun = Pick<RaceJob, 'number' | 'id' | 'tasks'>;

/** Where the jobs write: one file each, called after its number. */
export const ranFolder = (lab: Lab) => join(lab.dir, 'export/ran');

/** How often and where a job has run so far. */
export function runsOf(lab: Lab, number: number): JobRun[] {
  const file = join(ranFolder(lab), String(number));
  return readRuns(existsSync(file) ? readFileSync(file, 'utf8') : '');
}

/** Slurm's last word on every job and task, by the job's name. */
export async function statesOf(lab: Lab): Promise<Map<string, string[]>> {
  const states = new Map<string, string[]>();
  for (const line of (await lab.slurm('squeue', '-h', '-r', '-t', 'all', '-o', '%j %T')).split('\n')) {
    const [name = '', state = ''] = line.split(' ');
    states.set(name, [...(states.get(name) ?? []), state]);
  }
  return states;
}

/** @param states Slurm's last word on its tasks */
export function jobOf(lab: Lab, begun: Begun, states: readonly string[]): RaceJob {
  return { ...begun, states, runs: runsOf(lab, begun.number) };
}

/** Judges the jobs by all that is known outside the service. */
export function verdict(lab: Lab, jobs: readonly RaceJob[], troubles: Troubles): Verdict {
  return judge(jobs, {
    deletes: lab.account().filter((line) => line.what === 'delete'),
    takenBack: readTakenBack(readFileSync(join(lab.dir, 'log/slurmctld.log'), 'utf8')),
    breaks: troubles.breaks,
  });
}

/** Counts in the service's events, which keep only the newest: looks again and again. */
export function countDrains(lab: Lab) {
  const seen = { newest: 0, drains: 0, undrains: 0 };
  async function look(): Promise<void> {
    for (const { id, text } of (await lab.events()).filter((event) => event.id > seen.newest)) {
      seen.newest = Math.max(seen.newest, id);
      if (text.includes('ready -> draining')) seen.drains++;
      if (text.includes('draining -> ready')) seen.undrains++;
    }
  }
  const ended = new AbortController();
  const looking = (async () => {
    while (!ended.signal.aborted) {
      await look().catch(() => {});
      await sleep(3000, undefined, { signal: ended.signal }).catch(() => {});
    }
  })();
  return {
    async end() {
      ended.abort();
      await looking;
      await look().catch(() => {});
      return { drains: seen.drains, undrains: seen.undrains };
    },
  };
}

/** How often each trouble happened. */
export function counted(troubles: Troubles): Record<string, number> {
  const of: Record<string, number> = {};
  for (const { what } of troubles.breaks) of[what] = (of[what] ?? 0) + 1;
  return of;
}
