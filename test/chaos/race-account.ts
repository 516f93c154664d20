/**
 * What is read of a lab in which races are run: what its jobs wrote, what Slurm and the cloud noted, what the service told.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../support/lab.ts';
import { type JobRun, readRuns } from './race-jobs.ts';
import { calledOff, type Guest, meetings, openNotebook } from './race-meetings.ts';
import type { Troubles } from './race-troubles.ts';
import { judge, type RaceJob, readTakenBack, type Verdict } from './race-verdict.ts';

export type Begun = Pick<RaceJob, 'number' | 'id' | 'tasks'> & Guest;

const logOf = (lab: Lab) => readFileSync(join(lab.dir, 'log/slurmctld.log'), 'utf8');
const deletesOf = (lab: Lab) => lab.account().filter((line) => line.what === 'delete');

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
    deletes: deletesOf(lab),
    takenBack: readTakenBack(logOf(lab)),
    breaks: troubles.breaks,
  });
}

/** How many of the jobs met a drain, how many drains there were, and how many of those were called off. */
export function meetingsIn(lab: Lab, jobs: readonly Begun[]) {
  const notes = openNotebook();
  notes.read(logOf(lab));
  const { drains } = notes;
  return { met: meetings(jobs, notes).size, drains: drains.length, undrains: calledOff(drains, deletesOf(lab)) };
}

/** How often each trouble happened. */
export function counted(troubles: Troubles): Record<string, number> {
  const of: Record<string, number> = {};
  for (const { what } of troubles.breaks) of[what] = (of[what] ?? 0) + 1;
  return of;
}
