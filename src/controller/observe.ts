/**
 * Observe: reads both sides at the same time and makes one Snapshot of them, or says which side did not answer. Of
 * several clouds one may be silent: its hosts then count as they were, and nothing is done among them.
 */
import type { Batch, QueueStatus } from '../batch/batch.ts';
import { sayError } from '../domain/errors.ts';
import type { HostRecord } from '../domain/host.ts';
import { WITH_MACHINE } from '../domain/lifecycle.ts';
import type { Machine } from '../domain/machine.ts';
import type { Pool } from '../domain/pool.ts';
import type { CloudState, Snapshot } from '../domain/snapshot.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Absence } from './absence.ts';
import type { Clouds, NamedCloud } from './clouds.ts';
import { poolAt } from './schedule.ts';

/** How the leases begin that we give. */
export const LEASE = 'hc-';

/** One side's answer: a value, or one line why there is none. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T; readonly beganAt: number; readonly took: number }
  | { readonly ok: false; readonly error: unknown; readonly message: string; readonly took: number };

export interface Readings {
  readonly batch: Reading<QueueStatus>;
  /** In the order of the clouds. */
  readonly clouds: readonly CloudReading[];
}

export interface CloudReading {
  readonly from: NamedCloud;
  readonly reading: Reading<readonly Machine[]>;
}

export interface Eyes {
  readonly batch: Batch;
  readonly clouds: Clouds;
  readonly store: Store;
  readonly clock: Clock;
  readonly pool: Pool;
  /** Does this machine belong to a host of another pool? That pool minds it. Absent: there is no other. */
  readonly elsewhere?: (machine: Machine) => boolean;
}

/** Reads the batch system and the clouds in parallel; never throws for what they do. */
export async function observe(eyes: Eyes, signal: AbortSignal): Promise<Readings> {
  const names = eyes.store.hosts().map((host) => host.name);
  const [batch, clouds] = await Promise.all([
    reading(eyes.clock, () => eyes.batch.getStatus(eyes.pool.queue, names, signal)),
    Promise.all(
      eyes.clouds.all.map(
        async (from): Promise<CloudReading> => ({
          from,
          reading: await reading(eyes.clock, () => from.cloud.list(signal)),
        }),
      ),
    ),
  ]);
  return { batch, clouds };
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

/** What is remembered of each cloud between looks, by name. */
export type Sight = ReadonlyMap<
  string,
  { readonly completeReads: number; readonly machines: ReadonlyMap<string, Machine> }
>;

export interface Memory {
  readonly completeReads: number;
  readonly sight: Sight;
  readonly underWay: ReadonlySet<string>;
  readonly retryCallAt: ReadonlyMap<string, number>;
  readonly accepted?: ReadonlySet<string>;
  /** Since when the batch system has not named a host (see absence.ts). */
  readonly absence?: Absence;
}

/** The snapshot of complete readings; null when the batch system is silent, or every cloud is. */
export function snapshotOf(eyes: Eyes, readings: Readings, memory: Memory): Snapshot | null {
  const { batch } = readings;
  const answered = readings.clouds.flatMap(({ from, reading }) => (reading.ok ? [{ from, ...reading }] : []));
  const [first] = answered;
  if (!batch.ok || first === undefined) return null;
  const hosts = eyes.store.hosts();
  const nodes = memory.absence?.doubt(batch.value.nodes, hosts) ?? batch.value.nodes;
  const registered = new Set(eyes.pool.hosts.map((host) => host.name));
  const several = readings.clouds.length > 1;
  const { machines, strangers } = several ? tellAllApart(eyes.clouds, hosts, answered) : tellApart(hosts, first.value);
  const silent = several ? silentHosts(eyes, readings, hosts) : [];
  for (const host of silent) {
    const before = asItWas(host, memory.sight.get(host.cloud ?? '')?.machines.get(host.name));
    if (before !== null) machines.set(host.name, before);
  }
  const now = eyes.clock.now();
  return {
    at: now,
    pool: poolAt(eyes.pool, now),
    hosts,
    retired: new Set(hosts.map((host) => host.name).filter((name) => !registered.has(name))),
    nodes: new Map(nodes.map((node) => [node.host, node])),
    jobs: batch.value.jobs,
    machines,
    strangers: strangers.filter((machine) => eyes.elsewhere?.(machine) !== true),
    batchReadAt: batch.beganAt,
    cloudReadAt: Math.min(...answered.map((one) => one.beganAt)),
    completeReads: memory.completeReads,
    clocks: eyes.store.clocks(),
    brake: eyes.store.brake(),
    underWay: memory.underWay,
    ...(memory.accepted ? { accepted: memory.accepted } : {}),
    retryCallAt: memory.retryCallAt,
    ...(several && {
      clouds: readings.clouds.map((one) => stateOf(eyes, one, memory)),
      silent: new Set(silent.map((host) => host.name)),
    }),
  };
}

function stateOf(eyes: Eyes, { from, reading }: CloudReading, memory: Memory): CloudState {
  const { name } = from;
  const offer = eyes.pool.clouds?.find((one) => one.name === name);
  return {
    name,
    maxNodes: offer?.maxNodes ?? Number.POSITIVE_INFINITY,
    brake: eyes.store.brake(name),
    answers: reading.ok,
    readAt: reading.ok ? reading.beganAt : 0,
    completeReads: reading.ok ? (memory.sight.get(name)?.completeReads ?? 0) + 1 : 0,
  };
}

/** Hosts of clouds that do not answer, and of clouds that are configured no more. */
function silentHosts(eyes: Eyes, readings: Readings, hosts: readonly HostRecord[]): readonly HostRecord[] {
  const answer = new Set(readings.clouds.filter(({ reading }) => reading.ok).map(({ from }) => from));
  return hosts.filter((host) => {
    const from = eyes.clouds.of(host);
    return from === null || !answer.has(from);
  });
}

/** The machine of a host whose cloud is silent: as it was listed last, or as our own record has it. */
function asItWas(host: HostRecord, last: Machine | undefined): Machine | null {
  if (!WITH_MACHINE.has(host.state)) return null;
  if (last !== undefined && (host.machineId === null || host.machineId === last.id)) return last;
  if (host.machineId === null) return null;
  const { name, ip, lease, machineId: id } = host;
  return { id, host: name, ip, state: 'unknown', lease, since: null, message: 'its cloud does not answer' };
}

/** What is remembered after a look with these readings. */
export function seenNow(before: Sight, readings: Readings, s: Snapshot, clouds: Clouds): Sight {
  const machinesOf = (from: NamedCloud) =>
    new Map(
      s.hosts.flatMap((host) => {
        const machine = s.machines.get(host.name);
        return machine !== undefined && clouds.of(host) === from ? [[host.name, machine] as const] : [];
      }),
    );
  return new Map(
    readings.clouds.map(({ from, reading }) => {
      const known = before.get(from.name) ?? { completeReads: 0, machines: new Map() };
      return [
        from.name,
        reading.ok
          ? { completeReads: known.completeReads + 1, machines: machinesOf(from) }
          : { ...known, completeReads: 0 },
      ];
    }),
  );
}

/**
 * The same for several clouds: a machine is ours only where its host belongs. One that another cloud lists under a name
 * or address of that host is a stranger, unless it is the very same machine: two entries may look into one account.
 */
function tellAllApart(
  clouds: Clouds,
  hosts: readonly HostRecord[],
  listed: readonly { readonly from: NamedCloud; readonly value: readonly Machine[] }[],
): { machines: Map<string, Machine>; strangers: Machine[] } {
  const machines = new Map<string, Machine>();
  const strangers = new Set<Machine>();
  for (const { from, value } of listed) {
    const own = tellApart(
      hosts.filter((host) => clouds.of(host) === from),
      value,
    );
    for (const [name, machine] of own.machines) machines.set(name, machine);
    for (const machine of own.strangers) strangers.add(machine);
  }
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const byIp = new Map(hosts.map((host) => [host.ip, host]));
  for (const { from, value } of listed) {
    for (const machine of value) {
      const host = byName.get(machine.host) ?? byIp.get(machine.ip);
      if (host === undefined || clouds.of(host) === from) continue;
      const same = machines.get(host.name)?.id === machine.id || known(host, machine);
      if (!same) strangers.add(machine);
    }
  }
  return { machines, strangers: [...strangers] };
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
