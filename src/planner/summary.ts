/**
 * The plan in one sentence: "3 jobs wait; c2 and c3 are starting; creating c4".
 */
import type { Step, StepKind, Verdict } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { count, list } from '../domain/words.ts';
import type { View } from './view.ts';

const DOING: readonly (readonly [StepKind, string])[] = [
  ['create', 'creating'],
  ['undrain', 'opening again'],
  ['join', 'joining'],
  ['drain', 'draining'],
  ['delete', 'deleting'],
  ['quarantine', 'leaving alone'],
];

export function summary(
  s: Snapshot,
  hosts: readonly View[],
  steps: readonly Step[],
  verdicts: readonly Verdict[],
): string {
  const parts = [waiting(s, verdicts)];
  for (const state of ['starting', 'preparing', 'joining', 'draining', 'stopping'] as const) {
    const names = hosts.filter((v) => v.record.state === state).map((v) => v.record.name);
    if (names.length > 0) parts.push(`${list(names)} ${names.length === 1 ? 'is' : 'are'} ${state}`);
  }
  for (const [kind, doing] of DOING) {
    const names = steps
      .filter((one) => one.kind === kind && one.to !== null && one.host !== null)
      .map((one) => one.host ?? '');
    if (names.length > 0) parts.push(`${doing} ${list(names)}`);
  }
  const closing = steps.filter((one) => one.kind === 'drain' && one.to === null).map((one) => one.host ?? '');
  if (closing.length > 0) parts.push(`closing ${list(closing)}`);
  parts.push(...steps.filter((one) => one.kind === 'wait').map((one) => one.because));
  return parts.join('; ');
}

function waiting(s: Snapshot, verdicts: readonly Verdict[]): string {
  const jobs = s.jobs.filter((job) => job.state === 'waiting').reduce((sum, job) => sum + job.tasks, 0);
  const running = s.jobs.filter((job) => job.state === 'running').length;
  if (jobs === 0) return running === 0 ? 'no job waits or runs' : `no job waits, ${count(running, 'runs', 'run')}`;
  const idle = verdicts.filter((v) => v.kind === 'not-helped' || v.kind === 'never').length;
  const tail =
    idle === 0
      ? ''
      : ` (${idle === verdicts.length ? 'none' : `${verdicts.length - idle} of ${verdicts.length}`} helped by nodes)`;
  return `${count(jobs, 'job waits', 'jobs wait')}${tail}`;
}
