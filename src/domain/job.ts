/**
 * A job of the cloud queue, in our own words. An adapter turns its batch system's records into this;
 * nothing behind this file knows what a partition state code or an XML tag is.
 */

/** `waiting` has not started; `running` holds nodes (also while it starts up or cleans up behind itself). */
export type JobState = 'waiting' | 'running';

/** What one job (or one task of an array) asks for. 0 means "not said". */
export interface Ask {
  /** How many hosts, at least. */
  readonly nodes: number;
  /** CPUs of the whole job. */
  readonly cpus: number;
  /** CPUs on each of its hosts, at least. */
  readonly cpusPerNode: number;
  /** Memory on each of its hosts, MiB. */
  readonly memoryMiB: number;
  /** The job shares its hosts with nobody. */
  readonly exclusive: boolean;
  /** Countable things on each of its hosts: `{ gpu: 2, 'gpu:a100': 1 }`. */
  readonly gres?: Readonly<Record<string, number>>;
  /** What its hosts must have: any one of these sets, all of its words. `a&b|c` is `[['a', 'b'], ['c']]`. */
  readonly features?: readonly (readonly string[])[];
  /** Hosts by name that must all be among its hosts; whether they are ours is not said. */
  readonly hosts?: readonly string[];
}

export interface Job {
  /** As the user knows it: `18`, `18_3`, `18_[4-9]`. Unique within one reading. */
  readonly id: string;
  /** The array it belongs to, or null. */
  readonly array: string | null;
  readonly user: string;
  readonly name: string;
  readonly state: JobState;
  /** The batch system's own short code, for the tally of the specification: `PD`, `R`, `CG`... */
  readonly code: string;
  /** Why it waits, in the batch system's own words; empty when it runs. */
  readonly reason: string;
  /** Would a further node let it start? `unknown` counts as yes, with one warning. Only meaningful while waiting. */
  readonly helped: 'yes' | 'no' | 'unknown';
  /** Sentence for a person: why nodes do not help. Empty when they do. */
  readonly because: string;
  readonly ask: Ask;
  /** Array tasks that still wait behind this record; 1 for an ordinary job. */
  readonly tasks: number;
  /** How many tasks of the array may run at one time (`--array=1-9%2` gives 2), or null. */
  readonly taskLimit: number | null;
  /** Higher starts first. */
  readonly priority: number;
  /** When it was submitted, epoch ms, or null. */
  readonly submittedAt: number | null;
  /** Hosts it runs on. */
  readonly hosts: readonly string[];
  /** So many of its tasks could start now if there were nodes, e.g. for want of licences; null or absent: all. */
  readonly mayStart?: number | null;
  /** It does not want to start before this time, epoch ms; null or absent: at any time. */
  readonly notBefore?: number | null;
  /** The longest it may run, ms; null or absent: no limit, or not known. */
  readonly timeLimit?: number | null;
  /** When it began to run, epoch ms; null or absent: it waits, or not known. */
  readonly startedAt?: number | null;
}
