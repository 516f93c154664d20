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
  /** SPARE_NODES: keep so many that no job needs, besides those that jobs need. Absent: none. */
  readonly spareNodes?: number;
}

/** Waiting on purpose before a machine is created; ms, 0 = not. */
export interface Patience {
  /** BURST_AFTER: only for jobs that have waited so long. */
  readonly burstAfter: number;
  /** GATHER_TIME: until the first job has waited so long, so that what is submitted together is decided together. */
  readonly gather: number;
}

/** How the cloud bills a machine from its birth on; ms. */
export interface Billing {
  /** BILLING_GRANULARITY: a period that has begun is paid whole. */
  readonly granularity: number;
  /** MINIMUM_CHARGE: so much is paid in any case. */
  readonly minimum: number;
  /** So long before the end of what is paid an idle node is let go. */
  readonly lead: number;
}

/** A time of the week, in a time zone. From `from` to `to`, minutes of the day; `to` at or before `from` is on the next day. */
export interface WeekTime {
  /** 0 = Sunday ... 6 = Saturday: the days on which it begins. */
  readonly days: readonly number[];
  readonly from: number;
  readonly to: number;
  /** IANA name; null = that of the machine. */
  readonly zone: string | null;
}

/** In this time these limits count instead of the pool's own. Of several that apply the last counts. */
export interface ScheduledLimit {
  readonly when: WeekTime;
  readonly limit: 'minNodes' | 'spareNodes';
  readonly nodes: number;
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
  /** How it bills; absent: as the pool says. */
  readonly billing?: Billing;
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
  /** Absent: a machine is created as soon as a job needs it. */
  readonly patience?: Patience;
  /** Absent: a machine is paid by the second. */
  readonly billing?: Billing;
  /** Absent: the limits are the same at all times. The planner sees limits that have been looked up already. */
  readonly schedule?: readonly ScheduledLimit[];
  /** In the order of preference. Absent: one cloud, of which nothing is known but that it makes machines. */
  readonly clouds?: readonly CloudOffer[];
  readonly budget?: Budget;
}
