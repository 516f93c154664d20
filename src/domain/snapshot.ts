/**
 * Snapshot: everything the planner may know, at one time. It is made only from complete readings: when the batch
 * system or the cloud does not answer, there is no snapshot, and so nothing is created, drained or deleted.
 */
import type { CloudErrorKind } from './errors.ts';
import type { HostRecord } from './host.ts';
import type { Job } from './job.ts';
import type { Machine } from './machine.ts';
import type { BatchNode } from './node.ts';
import type { Pool } from './pool.ts';
import type { Usage } from './usage.ts';

/** Durable clocks of the queue; epoch ms since when without a break, or null. They survive restarts. */
export interface QueueClocks {
  /** No waiting and no running job. */
  readonly emptySince: number | null;
  /** No waiting job (policy classic: the specification's wait starts here, step 2 of its main control). */
  readonly noWaitingSince: number | null;
}

/** May machines be created now? Durable, so that a restart does not forget that the quota is used up. */
export interface CreationBrake {
  /** Why creation is paused; null = it is not. `boot` = the breaker: nodes keep failing to come up. */
  readonly kind: CloudErrorKind | 'boot' | null;
  readonly message: string;
  /** Creation is paused until then (epoch ms); null with a kind = until something changes. */
  readonly until: number | null;
  /** How often in a row creation was refused: the pause grows with it. One accepted machine sets it to 0. */
  readonly strikes: number;
  /** Machines in a row that never became ready. One that does sets it to 0. */
  readonly bootFailures: number;
  /** A cloud that throttles is asked for so many machines at one time; missing = for any number. */
  readonly atMost?: number;
}

/** One cloud of a pool that has several. */
export interface CloudState {
  readonly name: string;
  /** Never more machines of this cloud. */
  readonly maxNodes: number;
  readonly brake: CreationBrake;
  /** Its list was read completely. Else nothing is done among its hosts, and they count as they were. */
  readonly answers: boolean;
  /** When that reading began, epoch ms. */
  readonly readAt: number;
  /** Its complete readings in a row. */
  readonly completeReads: number;
  /** What its machines have cost; only where prices or budgets are set. */
  readonly usage?: Usage;
}

export interface Snapshot {
  /** Now, epoch ms. */
  readonly at: number;
  readonly pool: Pool;
  /** In the order of hosts.json. */
  readonly hosts: readonly HostRecord[];
  /** Hosts taken out of hosts.json while they had a machine: they are only brought to their end. Names. */
  readonly retired: ReadonlySet<string>;
  readonly nodes: ReadonlyMap<string, BatchNode>;
  /** Jobs of the queue, highest priority first. */
  readonly jobs: readonly Job[];
  /** Our machines by host name. */
  readonly machines: ReadonlyMap<string, Machine>;
  /** Machines the cloud lists that are not ours to touch, or a second one for a host. */
  readonly strangers: readonly Machine[];
  /** When the reading of the batch system began, epoch ms: it cannot know of anything later. */
  readonly batchReadAt: number;
  /** When the reading of the cloud began, epoch ms. */
  readonly cloudReadAt: number;
  /** Complete readings in a row since the service started; the first drain or delete waits for the second. */
  readonly completeReads: number;
  readonly clocks: QueueClocks;
  readonly brake: CreationBrake;
  /** Hosts with a call under way (create, prepare, delete): they are left alone until it ends. */
  readonly underWay: ReadonlySet<string>;
  /** Hosts whose last delete the cloud has accepted; without it every one is taken for accepted. */
  readonly accepted?: ReadonlySet<string>;
  /** When a create, prepare or delete for this host may be tried again after an error, epoch ms. */
  readonly retryCallAt: ReadonlyMap<string, number>;
  /** In the order of preference; only where the pool has several. `brake` and `cloudReadAt` then say nothing. */
  readonly clouds?: readonly CloudState[];
  /** Ready and draining hosts whose daemon does not answer the batch system, and since when without a break, epoch ms. */
  readonly unanswered?: ReadonlyMap<string, number>;
  /** By waiting job: hosts that were idle and would do for it for so long that the batch system will not start it there. */
  readonly refused?: ReadonlyMap<string, ReadonlySet<string>>;
  /** Hosts whose cloud did not answer or is configured no more: no step for them. */
  readonly silent?: ReadonlySet<string>;
  /** What the pool's machines have cost; only where prices or budgets are set. */
  readonly usage?: Usage;
}
