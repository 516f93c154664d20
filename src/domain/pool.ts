/**
 * Pool: one cloud queue, its hosts, the clouds that serve it, and its limits. All durations are milliseconds: the
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

/** What may be spent at most. null = no limit. Days and months are those of the calendar where the service runs. */
export interface Budget {
  /** Machines at one time. */
  readonly nodes: number | null;
  readonly nodeHoursPerDay: number | null;
  readonly nodeHoursPerMonth: number | null;
  readonly moneyPerDay: number | null;
  readonly moneyPerMonth: number | null;
  /** Part of a limit, 0 to 1, at which one warning is told. */
  readonly warnAt: number;
}

/** One of the clouds that make machines for a pool. */
export interface CloudOffer {
  /** Unique in its pool. */
  readonly name: string;
  /** What one machine costs in an hour, in the currency of the budgets; 0 = nothing, or not said. */
  readonly pricePerHour: number;
  /** Never more machines of this cloud. */
  readonly maxNodes: number;
  readonly budget?: Budget;
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
  /** In the order of preference. Absent: one cloud, of which nothing is known but that it makes machines. */
  readonly clouds?: readonly CloudOffer[];
  readonly budget?: Budget;
}
