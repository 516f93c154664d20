/**
 * BatchNode: one of our hosts as the batch system sees it.
 */

/**
 * - `idle`     open, answers, no job
 * - `busy`     open, has a job
 * - `draining` closed for new jobs, still has one
 * - `drained`  closed, no job
 * - `down`     the batch system does not reach it (a node without a machine looks like this)
 * - `unknown`  known to the batch system, state not readable: never treated as idle
 * - `absent`   the batch system does not know this host at all
 */
export type NodeState = 'idle' | 'busy' | 'draining' | 'drained' | 'down' | 'unknown' | 'absent';

/** Who closed the node: us (our mark in the reason), somebody else, or nobody. */
export type Closed = 'ours' | 'theirs' | 'no';

export interface BatchNode {
  readonly host: string;
  readonly state: NodeState;
  /** A closed node gets no new jobs. Kept apart from `state`: a node can be down and closed. */
  readonly closed: Closed;
  /** Its daemon answers the batch system. */
  readonly responding: boolean;
  /** It has a job, by the node's own record or by any job's node list. Unknown counts as true: fail towards keeping. */
  readonly hasJob: boolean;
  readonly jobs: readonly string[];
  /**
   * Changes each time the node's daemon registers anew (Slurm: SlurmdStartTime); null when never seen.
   * A machine counts as registered when this differs from the value seen before the machine was created, so an old
   * daemon that the batch system has not missed yet is not mistaken for the new one. No clock is compared.
   */
  readonly registration: string | null;
  /** Is the host in the queue we watch? A host that is elsewhere must not be started for it. */
  readonly inQueue: boolean;
  readonly cpus: number;
  readonly cpusFree: number;
  readonly memoryMiB: number;
  readonly memoryFreeMiB: number;
  /** Countable things it has: `{ gpu: 4, 'gpu:a100': 4 }`; a kind with a type counts under both names. */
  readonly gres?: Readonly<Record<string, number>>;
  /** What of these no job has; the same as `gres` when nothing runs. */
  readonly gresFree?: Readonly<Record<string, number>>;
  readonly features?: readonly string[];
  /** The batch system's own words for the state, for people: `IDLE+DRAIN`. */
  readonly words: string;
  /** The reason somebody gave for closing it or that the batch system gave for losing it. */
  readonly reason: string;
}
