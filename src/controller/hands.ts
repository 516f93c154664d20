/**
 * What carrying out a plan needs, and what its parts share.
 */
import type { Batch } from '../batch/batch.ts';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import type { Cloud } from '../cloud/cloud.ts';
import type { HostRecord } from '../domain/host.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Clouds } from './clouds.ts';
import type { Errands } from './errands.ts';
import type { Recorder } from './record.ts';

export interface Hands {
  readonly batch: Batch;
  readonly clouds: Clouds;
  readonly bootstrap: Bootstrap;
  readonly store: Store;
  readonly clock: Clock;
  readonly errands: Errands;
  readonly recorder: Recorder;
  /** When a call for a host may be tried again; written here, read by the planner. */
  readonly retryCallAt: Map<string, number>;
  /** Hosts whose last delete the cloud has accepted; written here, read by the planner. */
  readonly accepted: Set<string>;
}

/** Time limits of calls, ms. The cloud's own programs have their own limits below these. */
export const CALL_LIMIT = 300_000;
/** A call that was accepted is asked again after so long when its effect is not seen; after an error sooner. */
export const ASK_AGAIN = 30_000;
export const ASK_AGAIN_AFTER_ERROR = 10_000;

/** One call per cloud: a slow one does not keep the others waiting. */
export function byCloud<T>(hands: Hands, all: readonly T[], nameOf: (one: T) => string): Map<Cloud, T[]> {
  const groups = new Map<Cloud, T[]>();
  for (const one of all) {
    const cloud = hands.clouds.of(recordOf(hands, nameOf(one)))?.cloud;
    if (cloud !== undefined) groups.set(cloud, [...(groups.get(cloud) ?? []), one]);
  }
  return groups;
}

/** @throws Error when the store does not know it: a defect */
export function recordOf(hands: Hands, host: string): HostRecord {
  const record = hands.store.host(host);
  if (record === undefined) throw new Error(`no such host: ${host}`);
  return record;
}
