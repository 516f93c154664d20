/**
 * Observe: reads both sides at the same time and makes one Snapshot of them, or says which side did not answer.
 */
import type { Batch, QueueStatus } from '../batch/batch.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { sayError } from '../domain/errors.ts';
import type { HostRecord } from '../domain/host.ts';
import type { Machine } from '../domain/machine.ts';
import type { Pool } from '../domain/pool.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Absence } from './absence.ts';

/** How the leases begin that we give. */
export const LEASE = 'hc-';

/** One side's answer: a value, or one line why there is none. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T; readonly beganAt: number; readonly took: number }
  | { readonly ok: false; readonly error: unknown; readonly message: string; readonly took: number };

export interface Readings {
  readonly batch: Reading<QueueStatus>;
  readonly cloud: Reading<readonly Machine[]>;
}

export interface Eyes {
  readonly batch: Batch;
  readonly cloud: Cloud;
  readonly store: Store;
  readonly clock: Clock;
  readonly pool: Pool;
}

/** Reads the batch system and the cloud in parallel; never throws for what they do. */
export async function observe(eyes: Eyes, signal: AbortSignal): Promise<Readings> {
  const names = eyes.store.hosts().map((host) => host.name);
  const [batch, cloud] = await Promise.all([
    reading(eyes.clock, () => eyes.batch.getStatus(eyes.pool.queue, names, signal)),
    reading(eyes.clock, () => eyes.cloud.list(signal)),
  ]);
  return { batch, cloud };
}

async function reading<T>(clock: Clock, read: () => Promise<T>): Promise<Reading<T>> {
  const beganAt = clock.now();
  const start = clock.monotonic();
  try {
    const value = await read();
    return { ok: true, value, beganAt, took: clock.monotonic() - start };
  } catch (error) {
    return { ok: false, error, message: sayError(error), took: clock.monotonic() - start };
  }
}

export interface Memory {
  readonly completeReads: number;
  readonly underWay: ReadonlySet<string>;
  readonly retryCallAt: ReadonlyMap<string, number>;
  readonly accepted?: ReadonlySet<string>;
  /** Since when the batch system has not named a host (see absence.ts). */
  readonly absence?: Absence;
}

/** The snapshot of two complete readings; null when one is missing. */
export function snapshotOf(eyes: Eyes, readings: Readings, memory: Memory): Snapshot | null {
  const { batch, cloud } = readings;
  if (!batch.ok || !cloud.ok) return null;
  const hosts = eyes.store.hosts();
  const nodes = memory.absence?.doubt(batch.value.nodes, hosts) ?? batch.value.nodes;
  const registered = new Set(eyes.pool.hosts.map((host) => host.name));
  const { machines, strangers } = tellApart(hosts, cloud.value);
  return {
    at: eyes.clock.now(),
    pool: eyes.pool,
    hosts,
    retired: new Set(hosts.map((host) => host.name).filter((name) => !registered.has(name))),
    nodes: new Map(nodes.map((node) => [node.host, node])),
    jobs: batch.value.jobs,
    machines,
    strangers,
    batchReadAt: batch.beganAt,
    cloudReadAt: cloud.beganAt,
    completeReads: memory.completeReads,
    clocks: eyes.store.clocks(),
    brake: eyes.store.brake(),
    underWay: memory.underWay,
    ...(memory.accepted ? { accepted: memory.accepted } : {}),
    retryCallAt: memory.retryCallAt,
  };
}

/**
 * Ours is a machine with the name and the address of one registered host. Of two such machines for one host, ours is
 * the one we know by id or lease; the other is a stranger: shown, never touched.
 */
export function tellApart(
  hosts: readonly HostRecord[],
  listed: readonly Machine[],
): { machines: Map<string, Machine>; strangers: Machine[] } {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const ips = new Set(hosts.map((host) => host.ip));
  const machines = new Map<string, Machine>();
  const strangers: Machine[] = [];
  for (const machine of listed) {
    const host = byName.get(machine.host);
    if (host === undefined || host.ip !== machine.ip) {
      // Machines that have nothing to do with our names and addresses are nobody's business here; but one with a lease
      // of ours was made for a host that hosts.json and a lost database have both forgotten: that must be said.
      const ours = machine.lease?.startsWith(LEASE) === true;
      if (host !== undefined || ips.has(machine.ip) || ours) strangers.push(machine);
      continue;
    }
    const other = machines.get(machine.host);
    if (other === undefined) machines.set(machine.host, machine);
    else if (known(host, machine) && !known(host, other)) {
      machines.set(machine.host, machine);
      strangers.push(other);
    } else strangers.push(machine);
  }
  return { machines, strangers };
}

function known(host: HostRecord, machine: Machine): boolean {
  return machine.id === host.machineId || (machine.lease !== null && machine.lease === host.lease);
}
