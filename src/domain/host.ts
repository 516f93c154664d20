/**
 * Host: one registered `ip -> hostname` pair of a pool, and what we remember of it.
 */
import type { HostState } from './lifecycle.ts';

/** As the administrator registered it in hosts.json. */
export interface Host {
  readonly name: string;
  readonly ip: string;
  /** Which cloud of the pool makes its machines; absent where the pool has only one. */
  readonly cloud?: string;
}

/** One row of the store. Times are epoch ms. */
export interface HostRecord extends Host {
  readonly state: HostState;
  /** When it entered this state; each state has its own deadline counted from here. */
  readonly since: number;
  /** Why it entered this state: a sentence for people. */
  readonly reason: string;
  /** Our id for this life of the host; null when it has no machine. Written before the cloud is asked. */
  readonly lease: string | null;
  /** The cloud's id of its machine, once known. */
  readonly machineId: string | null;
  /** `BatchNode.registration` seen before the machine was asked for. */
  readonly registrationBefore: string | null;
  /** When this life began (the create step), for "how long did it take". */
  readonly bornAt: number | null;
  /** Lives in a row that never became ready. One success sets it to 0. */
  readonly failures: number;
  /** Quarantined until then; null elsewhere. */
  readonly retryAt: number | null;
  /** Ready, without a job, wanted by nobody, without a break since then. Survives restarts. */
  readonly idleSince: number | null;
  /** We expect a machine, the cloud does not list it, without a break since then. */
  readonly missingSince: number | null;
  /** An operator's flag: never drained, never deleted. */
  readonly held: boolean;
  /** Who asked for the drain: an operator's drain is not called off when demand comes back. */
  readonly drainedBy: 'rule' | 'operator' | null;
}
