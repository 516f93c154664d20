/**
 * A cloud in memory, for tests and for the simulator. It has no timers: what a machine is at a time is computed from
 * the injected clock, so thousands of hosts cost nothing while time stands still, and one seed gives one history.
 */
import { CloudError, type CloudErrorKind } from '../domain/errors.ts';
import type { Machine } from '../domain/machine.ts';
import { count } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import type { Cloud, CreateOutcome, DeleteOutcome, Lease } from './cloud.ts';

export type Call = 'list' | 'create' | 'delete';

/** What goes wrong with a call. */
export type Fault =
  /** Refused with this kind; nothing happens. */
  | { readonly do: 'error'; readonly kind: CloudErrorKind }
  /** Never answers until it is aborted; with `after` it does its work first. */
  | { readonly do: 'hang'; readonly after?: boolean }
  /** Does its work, then the answer is lost: `ambiguous` (a list: `temporary`). */
  | { readonly do: 'lost' }
  /** Does its work and answers rubbish, which an adapter reports like a lost answer. */
  | { readonly do: 'garbled' }
  /** Only the first few of a batch; the others get an error of this kind each. */
  | { readonly do: 'partial'; readonly first: number; readonly kind: CloudErrorKind }
  /** Works, but only after so many ms. */
  | { readonly do: 'slow'; readonly ms: number }
  /** A list as it was so many ms ago. */
  | { readonly do: 'stale'; readonly ms: number }
  /** A list that lies: it lacks, doubles or renames what there is. */
  | { readonly do: 'lie'; readonly tell: (machines: readonly Machine[]) => readonly Machine[] };

export interface FakeCloudOptions {
  readonly clock: Clock;
  /** Milliseconds from create to running; a function of the host and of how many machines were made before. */
  bootTime?: number | ((host: string, nth: number) => number);
  /** Milliseconds from delete to gone. */
  stopTime?: number;
  /** Machines the cloud can hold; more are refused with `capacity`. */
  capacity?: number;
  /** Machines we may have; more are refused with `quota`. */
  quota?: number;
  /** A machine is listed only when it is this old, ms: real lists lag behind. */
  listLag?: number;
  /** Nobody looks whether an address is in use: whoever asks carelessly gets a second machine. */
  blind?: boolean;
  /** Called at the moment a machine is made or is taken away, for whoever watches. `others`: machines its host had before. */
  onMade?: (machine: Machine, others: readonly Machine[]) => void;
  onTaken?: (machine: Machine, ours: boolean) => void;
}

export interface FakeCloud extends Cloud {
  /** May be changed at any time; what was created before keeps its times. */
  readonly options: FakeCloudOptions;
  /** The next `times` calls of this kind go wrong; faults given one after the other are used in that order. */
  fault(call: Call, fault: Fault, times?: number): void;
  /** No more faults. */
  heal(): void;
  /** Creating this host fails from now on; null ends that. */
  refuse(host: string, kind: CloudErrorKind | null): void;
  /** Somebody we cannot see holds this address: creating on it fails with `ip-in-use`. */
  occupy(ip: string, held?: boolean): void;
  /** The host's next machine fails so many ms after its creation. */
  failNext(host: string, ms: number, message?: string): void;
  /** The host's machines need so many ms more to go away; Infinity = for ever. */
  linger(host: string, ms: number): void;
  /** The host's machines, or the one with this id, are gone, and nobody asked for it. */
  vanish(hostOrId: string): void;
  /** The host's next machine never runs. */
  stall(host: string): void;
  /** A machine that is listed and that we did not create. @returns its id */
  stranger(host: string, ip: string): string;
  /** A second machine for the host's lease. @returns its id */
  double(host: string): string;
  /** The truth now: no fault touches it and it is not counted. */
  machines(): readonly Machine[];
  readonly counts: { list: number; create: number; delete: number; made: number; deleted: number; most: number };
}

interface Entry extends Lease {
  readonly id: string;
  readonly ours: boolean;
  readonly madeAt: number;
  readonly runsAt: number;
  readonly failsAt: number;
  readonly failure: string;
  stopsAt: number;
  goneAt: number;
}

/** Entries gone for so long are forgotten (ms): no stale list reaches back that far. */
const KEEP = 3_600_000;

export function fakeCloud(options: FakeCloudOptions): FakeCloud {
  const { clock } = options;
  let entries: Entry[] = [];
  const faults: Record<Call, { fault: Fault; times: number }[]> = { list: [], create: [], delete: [] };
  const refused = new Map<string, CloudErrorKind>();
  const occupied = new Set<string>();
  const failing = new Map<string, { ms: number; message: string }>();
  const lingering = new Map<string, number>();
  const stalled = new Set<string>();
  const counts = { list: 0, create: 0, delete: 0, made: 0, deleted: 0, most: 0 };
  let ids = 0;

  function at(time: number): Machine[] {
    const lag = options.listLag ?? 0;
    return entries
      .filter((entry) => entry.madeAt <= time - lag && time < entry.goneAt)
      .map((entry) => toMachine(entry, time));
  }

  function alive(): Entry[] {
    const now = clock.now();
    return entries.filter((entry) => now < entry.goneAt);
  }

  function add(lease: Lease, ours: boolean): Entry {
    const now = clock.now();
    const { bootTime = 0 } = options;
    const fails = failing.get(lease.name);
    failing.delete(lease.name);
    const entry: Entry = {
      ...lease,
      id: `m-${++ids}`,
      ours,
      madeAt: now,
      runsAt: stalled.delete(lease.name)
        ? Number.POSITIVE_INFINITY
        : now + (typeof bootTime === 'number' ? bootTime : bootTime(lease.name, counts.made)),
      failsAt: fails ? now + fails.ms : Number.POSITIVE_INFINITY,
      failure: fails?.message ?? '',
      stopsAt: Number.POSITIVE_INFINITY,
      goneAt: Number.POSITIVE_INFINITY,
    };
    entries.push(entry);
    if (ours) counts.made += 1;
    return entry;
  }

  function createNow(leases: readonly Lease[]): CreateOutcome[] {
    const now = clock.now();
    if (entries.length > 1000) entries = entries.filter((entry) => now < entry.goneAt + KEEP);
    const living = alive();
    const byLease = new Map(living.filter(({ ours }) => ours).map((entry) => [entry.lease, entry]));
    const used = new Set([...living.map(({ ip }) => ip), ...occupied]);
    let number = byLease.size;
    const outcomes = leases.map((lease): CreateOutcome => {
      const before = byLease.get(lease.lease);
      if (before) return { host: lease.name, id: before.id, error: null };
      const kind =
        refused.get(lease.name) ??
        (used.has(lease.ip) && !options.blind ? 'ip-in-use' : null) ??
        (number >= (options.quota ?? Number.POSITIVE_INFINITY) ? 'quota' : null) ??
        (living.length + number - byLease.size >= (options.capacity ?? Number.POSITIVE_INFINITY) ? 'capacity' : null);
      if (kind) return { host: lease.name, id: null, error: said(kind, lease.name) };
      const entry = add(lease, true);
      const others = living.filter((one) => one.ours && one.name === lease.name);
      options.onMade?.(
        toMachine(entry, now),
        others.map((one) => toMachine(one, now)),
      );
      byLease.set(lease.lease, entry);
      living.push(entry);
      used.add(lease.ip);
      number += 1;
      return { host: lease.name, id: entry.id, error: null };
    });
    counts.most = Math.max(counts.most, byLease.size);
    return outcomes;
  }

  function deleteNow(machines: readonly Machine[]): DeleteOutcome[] {
    const now = clock.now();
    const byId = new Map(alive().map((entry) => [entry.id, entry]));
    return machines.map(({ id, host }) => {
      const entry = byId.get(id);
      if (entry && entry.stopsAt > now) {
        options.onTaken?.(toMachine(entry, now), entry.ours);
        entry.stopsAt = now;
        entry.goneAt = now + (options.stopTime ?? 0) + (lingering.get(entry.name) ?? 0);
        counts.deleted += 1;
      }
      return { host, error: null };
    });
  }

  /** Carries out one call with the fault whose turn it is. */
  async function call<T>(kind: Call, signal: AbortSignal | undefined, work: (fault: Fault | null) => T): Promise<T> {
    counts[kind] += 1;
    const unsure: CloudErrorKind = kind === 'list' ? 'temporary' : 'ambiguous';
    const fault = nextFault(faults[kind]);
    if (signal?.aborted) throw new CloudError('temporary', `${kind} was not asked: we were told to stop`);
    if (fault?.do === 'error') throw said(fault.kind, kind);
    if (fault?.do === 'slow') await clock.sleep(fault.ms, signal);
    if (fault?.do === 'hang') {
      if (fault.after) work(null);
      await aborted(signal);
    }
    if (signal?.aborted) throw new CloudError(unsure, `${kind} was stopped`);
    const result = work(fault);
    if (fault?.do === 'lost') throw new CloudError(unsure, `the answer to ${kind} was lost`);
    if (fault?.do === 'garbled') throw new CloudError(unsure, `the answer to ${kind} cannot be read`);
    return result;
  }

  return {
    kind: 'fake',
    options,
    counts,

    async check(signal) {
      return `list answers: ${count((await this.list(signal)).length, 'machine', 'machines')}`;
    },

    list: (signal) =>
      call('list', signal, (fault) => {
        const listed = at(fault?.do === 'stale' ? clock.now() - fault.ms : clock.now());
        return fault?.do === 'lie' ? fault.tell(listed) : listed;
      }),

    async create(leases, signal) {
      if (leases.length === 0) return [];
      return call('create', signal, (fault) => {
        if (fault?.do !== 'partial') return createNow(leases);
        const rest = leases.slice(fault.first);
        const failed = rest.map(({ name }) => ({ host: name, id: null, error: said(fault.kind, name) }));
        return [...createNow(leases.slice(0, fault.first)), ...failed];
      });
    },

    async delete(machines, signal) {
      if (machines.length === 0) return [];
      return call('delete', signal, (fault) => {
        if (fault?.do !== 'partial') return deleteNow(machines);
        const rest = machines.slice(fault.first);
        const failed = rest.map(({ host }) => ({ host, error: said(fault.kind, host) }));
        return [...deleteNow(machines.slice(0, fault.first)), ...failed];
      });
    },

    fault: (kind, fault, times = 1) => void faults[kind].push({ fault, times }),
    heal() {
      for (const queue of Object.values(faults)) queue.length = 0;
    },
    refuse: (host, kind) => void (kind === null ? refused.delete(host) : refused.set(host, kind)),
    occupy: (ip, held = true) => void (held ? occupied.add(ip) : occupied.delete(ip)),
    failNext: (host, ms, message = 'the machine did not come up') => void failing.set(host, { ms, message }),
    linger: (host, ms) => void lingering.set(host, ms),
    vanish(host) {
      for (const entry of alive()) if (entry.name === host || entry.id === host) entry.goneAt = clock.now();
    },
    stall: (host) => void stalled.add(host),
    stranger: (host, ip) => add({ name: host, ip, lease: '' }, false).id,
    double(host) {
      const first = alive().find((entry) => entry.name === host);
      if (!first) throw new Error(`${host} has no machine to double`);
      return add({ name: host, ip: first.ip, lease: first.lease }, true).id;
    },
    machines: () => alive().map((entry) => toMachine(entry, clock.now())),
  };
}

function toMachine(entry: Entry, time: number): Machine {
  const stopping = entry.stopsAt <= time;
  const failed = entry.failsAt <= time;
  const state = stopping ? 'stopping' : failed ? 'failed' : entry.runsAt <= time ? 'running' : 'starting';
  return {
    id: entry.id,
    host: entry.name,
    ip: entry.ip,
    state,
    lease: entry.lease || null,
    since: entry.madeAt,
    message: failed ? entry.failure : '',
  };
}

function nextFault(queue: { fault: Fault; times: number }[]): Fault | null {
  const first = queue[0];
  if (!first) return null;
  first.times -= 1;
  if (first.times <= 0) queue.shift();
  return first.fault;
}

function said(kind: CloudErrorKind, what: string): CloudError {
  return new CloudError(kind, `${what}: the cloud says ${kind}`);
}

/** Without a signal it never resolves: the caller asked for a call that nothing ends. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}
