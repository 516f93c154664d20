/**
 * The port to a batch system. The four functions are the specification's Base script functions; the comments are the
 * contract, `batch.contract.ts` proves it, and every adapter and the fake run that proof.
 *
 * Every method may throw BatchError and nothing else. An error is never an empty answer: when a reading is not
 * complete, the method throws.
 */
import type { Job } from '../domain/job.ts';
import type { BatchNode } from '../domain/node.ts';

export interface BatchVersion {
  /** `slurm`, `torque`... */
  readonly family: string;
  /** As the system prints it: `slurm-wlm 22.05.8`. */
  readonly text: string;
}

export interface QueueStatus {
  /** Jobs by the batch system's own state code, array tasks counted one by one: `{ PD: 3, R: 1 }`. */
  readonly tally: Readonly<Record<string, number>>;
  /** Highest priority first; finished jobs are not among them. */
  readonly jobs: readonly Job[];
  /** One for every host asked for, also for those the batch system does not know (`absent`). */
  readonly nodes: readonly BatchNode[];
  /** Records that could not be read, each in one line. They never stop the rest, and a node among them is `unknown`. */
  readonly unreadable: readonly string[];
  /** How long the batch system took to answer, ms: the loop stretches its interval with it. */
  readonly took: number;
}

export interface HostOutcome {
  readonly host: string;
  /**
   * `done` the node is as asked, read back from the batch system (also when it was so before);
   * `not-yet` the batch system cannot do it now (its daemon has not registered): ask again later;
   * `left-alone` a person closed this node, or it is not ours to change;
   * `failed` refused.
   */
  readonly result: 'done' | 'not-yet' | 'left-alone' | 'failed';
  /** Why, for every result but `done`. */
  readonly message: string;
}

export interface Batch {
  readonly family: string;

  /**
   * The commands exist, run, and the version is known.
   * @throws BatchError `missing` naming the command and the package to install, `version`, `permission`, `silent`.
   */
  checkVersion(signal?: AbortSignal): Promise<BatchVersion>;

  /**
   * Waiting and running jobs of the queue and the state of our hosts. Two calls to the scheduler at most, whatever the
   * number of jobs. Nodes are read first, then jobs: a job that starts in between is then seen as running, and its node
   * counts as busy because the job names it. So a node is never idle in an answer while a job runs on it.
   * @throws BatchError `no-queue`, `silent`, `garbled`, `missing`, `permission`.
   */
  getStatus(queue: string, hosts: readonly string[], signal?: AbortSignal): Promise<QueueStatus>;

  /**
   * These hosts may get jobs: lifts exactly our own mark. Idempotent; grouped; read back. A node that a person closed
   * stays closed (`left-alone`); a node whose daemon does not answer is `not-yet` and stays closed, since jobs sent to
   * it would be lost.
   */
  joinCluster(hosts: readonly string[], signal?: AbortSignal): Promise<readonly HostOutcome[]>;

  /**
   * No new jobs; running ones go on. Idempotent; works on nodes that are down. The reason carries our mark. A node
   * that a person closed keeps that person's reason (`left-alone`).
   * @param reason one line for people, without our mark
   */
  leaveCluster(hosts: readonly string[], reason: string, signal?: AbortSignal): Promise<readonly HostOutcome[]>;

  /**
   * Puts a line where the job's owner sees it. Optional; best effort: a failure is no trouble.
   */
  tell?(job: string, text: string, signal?: AbortSignal): Promise<void>;
}

/** Our mark: every reason we write begins with it, so a person's own drain is recognised and left alone. */
export const MARK = 'hybrid-cloud:';
