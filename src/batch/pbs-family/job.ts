/**
 * Jobs of Torque and PBS on their way to our own words.
 */
import type { Job } from '../../domain/job.ts';

/** A job and what only its family's reader can say of it. */
export interface JobFacts {
  readonly job: Job;
  /** What some or all of its hosts must be, by name; null = any will do. */
  readonly wants: Wants | null;
}

export interface Wants {
  /** What a host must be, by name: `bigmem`, `t1`, `host=p1`. */
  readonly names: readonly string[];
  /** How many such hosts. */
  readonly hosts: number;
  /** All hosts of the job must be so, not only some. */
  readonly all: boolean;
  /** Names that its other groups of hosts ask for, when there are any. */
  readonly others?: readonly string[];
}

export interface JobReading {
  readonly jobs: readonly JobFacts[];
  /** Records that cannot be read: one line for people, and the text that may name hosts. */
  readonly broken: readonly { readonly line: string; readonly text: string }[];
}

/** A job that may not start is behind all that may. */
const BEHIND = 1_000_000;

/**
 * What the family's own priority is for the order of starting. Neither system lowers the priority of a held job, so it
 * is put behind here.
 */
export function priorityOf(priority: number, helped: Job['helped']): number {
  return helped === 'no' ? priority - BEHIND : priority;
}

/** Highest priority first; of one priority the older first, then by number. */
export function byPriority(a: Job, b: Job): number {
  return (
    b.priority - a.priority ||
    (a.submittedAt ?? 0) - (b.submittedAt ?? 0) ||
    Number.parseInt(a.id, 10) - Number.parseInt(b.id, 10) ||
    (a.id < b.id ? -1 : 1)
  );
}

/** `15[3].server` belongs to `15[].server`; null for a job that is no member of an array. */
export function arrayOf(id: string): { array: string; index: number } | null {
  const match = /^(\d+)\[(\d+)\](.*)$/.exec(id);
  return match ? { array: `${match[1]}[]${match[3]}`, index: Number(match[2]) } : null;
}

/** `0-3,7` for 0 1 2 3 7. */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; i++) {
    const from = sorted[i];
    while (sorted[i + 1] === (sorted[i] ?? 0) + 1) i++;
    parts.push(sorted[i] === from ? `${from}` : `${from}-${sorted[i]}`);
  }
  return parts.join(',');
}

/**
 * Which of these hosts a text may speak of. Used for records that cannot be read: a job on a node must not be lost
 * because its record is damaged, so in doubt a host counts as mentioned.
 */
export function mentions(text: string, hosts: readonly string[]): string[] {
  const words = new Set(text.match(/[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*/g) ?? []);
  return hosts.filter((host) => words.has(host) || [...words].some((word) => word.startsWith(`${host}.`)));
}
