/**
 * Pool: one cloud queue, its hosts, the cloud that serves it, and its limits. All durations are milliseconds: the
 * configuration speaks seconds and is converted once, where it is loaded.
 */
import type { Host } from './host.ts';

export type Policy = 'demand' | 'classic';

export interface Limits {
  /** Keep at least so many machines. */
  readonly minNodes: number;
  /** Never more machines than this. */
  readonly maxNodes: number;
  /** Never more on their way up at one time. */
  readonly maxStarting: number;
}

export interface Timing {
  /** CLEANUP_NODE_WAIT_TIME: the queue is empty for so long, then all nodes go. */
  readonly cleanup: number;
  /** IDLE_NODE_WAIT_TIME: one node idle and unwanted for so long goes; null = never. */
  readonly idle: number | null;
  readonly boot: number;
  readonly prepare: number;
  readonly join: number;
  readonly stop: number;
}

export interface Pool {
  readonly name: string;
  /** The queue (Slurm: partition) that is watched. */
  readonly queue: string;
  readonly policy: Policy;
  /** In the order of hosts.json: the first free one is taken first. */
  readonly hosts: readonly Host[];
  readonly limits: Limits;
  readonly timing: Timing;
}
