/**
 * Small values in Slurm's output: numbers with a unit, times, array task lists.
 */

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40, P: 2 ** 50 };

/**
 * A count as squeue prints it. Slurm shortens round numbers with powers of 1024 (`convert_num_unit`): 2048 is `2K`.
 * @returns null when it is none
 */
export function parseCount(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)([KMGTP]?)$/.exec(text);
  return match ? Math.round(Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1)) : null;
}

/** Memory as squeue prints it, in MiB; without a unit it is MiB already: `4000M`, `4G`, `1.50T`, `0`. */
export function parseMiB(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)([KMGTP]?)$/.exec(text);
  if (!match) return null;
  return Math.ceil((Number(match[1]) * (UNITS[match[2] || 'M'] ?? 1)) / 2 ** 20);
}

/**
 * A time: epoch seconds, as `SLURM_TIME_FORMAT=%s` asks for, or local time when the variable did not get through.
 * @returns epoch ms; null for `N/A`, `Unknown`, 0 and what is no time
 */
export function parseTime(text: string): number | null {
  if (/^\d{1,12}$/.test(text)) return Number(text) === 0 ? null : Number(text) * 1000;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/**
 * A time limit: `30:00`, `2:00:00`, `1-00:00:00`, also `5:00` for five minutes.
 * @returns ms; null for UNLIMITED, Partition_Limit, NOT_SET and what is none
 */
export function parseTimeLimit(text: string): number | null {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text);
  if (!match) return null;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}

export interface ArrayTasks {
  /** How many tasks stand behind the record. */
  readonly tasks: number;
  /** `%2` at the end: so many may run at one time; null = no limit. */
  readonly limit: number | null;
}

/**
 * Counts the tasks of an array index: `7`, `1-500,700%2`, `0-1000:2` (a step). `N/A` is an ordinary job.
 * @returns null when it cannot be counted: rubbish, or shortened with `...` because SLURM_BITSTR_LEN did not get through
 */
export function countTasks(index: string): ArrayTasks | null {
  if (index === 'N/A' || index === '') return { tasks: 1, limit: null };
  const match = /^([\d,:-]+)(?:%(\d+))?$/.exec(index);
  if (!match) return null;
  let tasks = 0;
  for (const piece of (match[1] ?? '').split(',')) {
    const range = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(piece);
    if (!range) return null;
    const [from, to, step] = [Number(range[1]), Number(range[2] ?? range[1]), Number(range[3] ?? 1)];
    if (to < from || step === 0) return null;
    tasks += Math.floor((to - from) / step) + 1;
  }
  // a limit of 0 is what Slurm keeps for "none"
  return { tasks, limit: Number(match[2] ?? 0) || null };
}
