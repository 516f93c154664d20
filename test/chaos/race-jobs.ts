/**
 * The jobs of the races: of every shape a queue sees. Each writes down when and where it began and ended, in a place no
 * trouble reaches; in between it needs the shared files, and waits for them as a program on a hard NFS mount does.
 */
import { expand } from '../../src/batch/slurm/hostlist.ts';
import type { Dice } from '../../src/sim/dice.ts';

export interface Shape {
  /** Flags of sbatch. */
  readonly flags: readonly string[];
  /** The only ones it can use; null = any. */
  readonly hosts: readonly string[] | null;
  /** Numbers of its array tasks; [0] for a job that is no array. */
  readonly tasks: readonly number[];
  /** Seconds it works. */
  readonly works: number;
}

/** One time that a task ran. */
export interface JobRun {
  readonly task: number;
  /** How often Slurm had put it back before. */
  readonly restart: number;
  readonly hosts: readonly string[];
  /** ms since 1970 */
  readonly start: number;
  readonly end: number | null;
}

const ALONE = ['--exclusive'];

/**
 * Most ask for one host and all of it, for a moment: what comes next for that host meets its drain. The others take any.
 * @param own the host of who submits it
 */
export function shapeOf(roll: Dice, own: string): Shape {
  const kind = roll();
  const works = roll() * 0.6;
  const named = { flags: [...ALONE, '-w', own], tasks: [0], hosts: [own], works };
  const any = { flags: ALONE, tasks: [0], hosts: null, works };
  if (kind < 0.75) return named;
  if (kind < 0.8) return any;
  if (kind < 0.85) return { ...any, flags: ['-n1'] };
  if (kind < 0.9) return { ...any, flags: ['-N2', ...ALONE] };
  if (kind < 0.95) return { ...any, flags: ['--array=1-3'], tasks: [1, 2, 3] };
  return { ...named, works: 3 + works * 8 };
}

/**
 * @param file where it writes what became of it
 * @param marker a file on the shared files
 */
export function raceScript(file: string, marker: string, works: number): string {
  return [
    `say() { echo "$1 \${SLURM_ARRAY_TASK_ID:-0} \${SLURM_RESTART_COUNT:-0} $SLURM_JOB_NODELIST $(date +%s.%3N)" >>${file}; }`,
    'say start',
    `until read -r text <${marker}; do sleep 0.2; done 2>/dev/null`,
    `sleep ${works.toFixed(2)}`,
    'say end',
  ].join('\n');
}

/** Reads what a job wrote. A second start of the same task without being put back is a run of its own. */
export function readRuns(text: string): JobRun[] {
  const runs: JobRun[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    const [what = '', task = '', restart = '', hosts = '', at = ''] = line.split(' ');
    const key = { task: Number(task), restart: Number(restart) };
    const time = Number(at) * 1000;
    if (what === 'start') {
      runs.push({ ...key, hosts: expand(hosts), start: time, end: null });
      continue;
    }
    const open = runs.findIndex((run) => run.task === key.task && run.restart === key.restart && run.end === null);
    const run = runs[open];
    if (run !== undefined) runs[open] = { ...run, end: time };
  }
  return runs;
}

/** Has every task come to its end at least once? */
export function hasEnded(runs: readonly JobRun[], tasks: readonly number[]): boolean {
  return tasks.every((task) => runs.some((run) => run.task === task && run.end !== null));
}
