/**
 * The store of a replay: the same promises as the real one, in memory, since a replay moves hosts a million times and
 * forgets them all at its end. It keeps no journal; warnings are counted, so that a replay can tell of them.
 */
import type { HostRecord } from '../domain/host.ts';
import { mayMove } from '../domain/lifecycle.ts';
import type { CreationBrake, QueueClocks } from '../domain/snapshot.ts';
import type { Store, StoredEvent } from '../store/store.ts';

export interface ReplayStore extends Store {
  /** Texts of warnings and errors, and how often each was said; hosts are `cN` in them. */
  readonly warnings: ReadonlyMap<string, number>;
  /** Grows with every move. */
  readonly moves: number;
}

/** Different texts that are kept. */
const MOST_WARNINGS = 50;

export function replayStore(): ReplayStore {
  const records = new Map<string, HostRecord>();
  const notes = new Map<string, string>();
  const warnings = new Map<string, number>();
  let list: readonly HostRecord[] | null = null;
  let clocks: QueueClocks = { emptySince: null, noWaitingSince: null };
  let brake: CreationBrake = { kind: null, message: '', until: null, strikes: 0, bootFailures: 0 };
  let moves = 0;
  const put = (record: HostRecord): HostRecord => {
    records.set(record.name, record);
    list = null;
    return record;
  };
  const get = (host: string): HostRecord => {
    const record = records.get(host);
    if (record === undefined) throw new Error(`no such host in the store: ${host}`);
    return record;
  };

  return {
    warnings,
    get moves() {
      return moves;
    },
    register(hosts, at) {
      for (const host of hosts) if (!records.has(host.name)) put(newcomer(host.name, host.ip, at));
      return [];
    },
    hosts() {
      list ??= [...records.values()];
      return list;
    },
    host: (name) => records.get(name),
    move(host, to, reason, at, changes = {}) {
      const before = get(host);
      if (!mayMove(before.state, to)) throw new Error(`${host} may not go from ${before.state} to ${to} (${reason})`);
      moves++;
      return put({ ...before, ...changes, state: to, since: at, reason });
    },
    touch: (host, changes) => void put({ ...get(host), ...changes }),
    hold: (host, held) => void put({ ...get(host), held }),
    clocks: () => clocks,
    setClocks(next) {
      clocks = next;
    },
    brake: () => brake, // a replay has one cloud
    setBrake(next) {
      brake = next;
    },
    event(level, _subject, text) {
      if (level === 'info') return;
      // Said of a thousand hosts, it is one warning.
      const said = text.replace(/\bc\d+\b/g, 'cN');
      if (warnings.size < MOST_WARNINGS || warnings.has(said)) warnings.set(said, (warnings.get(said) ?? 0) + 1);
    },
    events: (): readonly StoredEvent[] => [],
    // A replay has no budget.
    seen() {},
    spent: () => new Map(),
    note: (key) => notes.get(key) ?? null,
    setNote: (key, value) => void (value === null ? notes.delete(key) : notes.set(key, value)),
    [Symbol.dispose]() {},
  };
}

function newcomer(name: string, ip: string, at: number): HostRecord {
  return {
    name,
    ip,
    state: 'free',
    since: at,
    reason: 'registered in hosts.json',
    lease: null,
    machineId: null,
    registrationBefore: null,
    bornAt: null,
    failures: 0,
    retryAt: null,
    idleSince: null,
    missingSince: null,
    held: false,
    drainedBy: null,
  };
}
