/**
 * The store in one SQLite file.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { HostRecord } from '../domain/host.ts';
import { type HostState, mayMove, WITH_MACHINE } from '../domain/lifecycle.ts';
import type { CreationBrake, QueueClocks } from '../domain/snapshot.ts';
import type { HostChanges, Store, StoredEvent } from './store.ts';

/** Rows kept; older ones are dropped now and then, so the file stays bounded. */
const KEEP = { journal: 20_000, events: 10_000 };

/** @param keep how many rows of the journal and of the events are kept, about: they are dropped now and then */
export function sqliteStore(db: DatabaseSync, keep = KEEP): Store {
  const sql = statements(db);
  const get = (host: string): HostRecord => {
    const row = sql.host.get(host);
    if (row === undefined) throw new Error(`no such host in the store: ${host}`);
    return record(row as unknown as HostRow);
  };
  const change = (host: string, changes: Partial<HostRow>) => {
    const keys = Object.keys(changes);
    if (keys.length === 0) return;
    const set = keys.map((key) => `${key} = :${key}`).join(', ');
    db.prepare(`UPDATE hosts SET ${set} WHERE name = :name`).run({ ...changes, name: host } as Record<
      string,
      SQLInputValue
    >);
  };
  const fact = <T>(key: string, empty: T): T => {
    const row = sql.fact.get(key) as { value: string } | undefined;
    return row === undefined ? empty : (JSON.parse(row.value) as T);
  };
  let sincePrune = 0;
  const prune = () => {
    if (++sincePrune < Math.min(500, keep.events)) return;
    sincePrune = 0;
    db.exec(`DELETE FROM journal WHERE id <= (SELECT MAX(id) FROM journal) - ${keep.journal};
             DELETE FROM events WHERE id <= (SELECT MAX(id) FROM events) - ${keep.events};`);
  };

  return {
    register(hosts, at) {
      return transaction(db, () => {
        db.exec('UPDATE hosts SET registered = 0, position = position + 1000000 WHERE registered = 1');
        for (const [position, host] of hosts.entries()) {
          const known = sql.host.get(host.name) as unknown as HostRow | undefined;
          if (known === undefined) sql.insert.run(host.name, host.ip, position, at);
          else {
            const ip = WITH_MACHINE.has(known.state) ? known.ip : host.ip;
            sql.place.run(position, ip, host.name);
          }
        }
        db.exec(`DELETE FROM hosts WHERE registered = 0 AND state IN ('free','cooling','quarantined')`);
        return (sql.retired.all() as { name: string }[]).map((row) => row.name);
      });
    },

    hosts: () => (sql.hosts.all() as unknown as HostRow[]).map(record),
    host(name) {
      const row = sql.host.get(name);
      return row === undefined ? undefined : record(row as unknown as HostRow);
    },

    move(host, to, reason, at, changes = {}) {
      return transaction(db, () => {
        const before = get(host);
        if (!mayMove(before.state, to)) throw new Error(`${host} may not go from ${before.state} to ${to} (${reason})`);
        change(host, { ...columns(changes), state: to, since: at, reason });
        sql.journal.run(at, host, before.state, to, changes.lease ?? before.lease, reason);
        prune();
        return get(host);
      });
    },

    touch: (host, changes) => change(host, columns(changes)),
    hold: (host, held) => change(host, { held: held ? 1 : 0 }),

    shiftTimes(by) {
      const moved = (at: number | null) => (at === null ? null : at + by);
      transaction(db, () => {
        sql.shift.run({ by });
        const clocks = fact<QueueClocks | null>('clocks', null);
        if (clocks !== null) {
          const { emptySince, noWaitingSince } = clocks;
          const value = { emptySince: moved(emptySince), noWaitingSince: moved(noWaitingSince) };
          sql.setFact.run('clocks', JSON.stringify(value));
        }
        const brake = fact<CreationBrake | null>('brake', null);
        if (brake !== null) sql.setFact.run('brake', JSON.stringify({ ...brake, until: moved(brake.until) }));
      });
    },

    clocks: () => fact<QueueClocks>('clocks', { emptySince: null, noWaitingSince: null }),
    setClocks: (clocks) => void sql.setFact.run('clocks', JSON.stringify(clocks)),
    brake: () => fact<CreationBrake>('brake', NO_BRAKE),
    setBrake: (brake) => void sql.setFact.run('brake', JSON.stringify(brake)),

    event(level, subject, text, at) {
      sql.event.run(at, level, subject, text);
      prune();
    },
    events: (limit, after = 0) => (sql.events.all(after, limit) as unknown as StoredEvent[]).reverse(),

    note: (key) => fact<string | null>(`note:${key}`, null),
    setNote(key, value) {
      if (value === null) sql.dropFact.run(`note:${key}`);
      else sql.setFact.run(`note:${key}`, JSON.stringify(value));
    },

    [Symbol.dispose]: () => db.close(),
  };
}

const NO_BRAKE: CreationBrake = { kind: null, message: '', until: null, strikes: 0, bootFailures: 0 };

interface HostRow {
  name: string;
  ip: string;
  state: HostState;
  since: number;
  reason: string;
  lease: string | null;
  machine_id: string | null;
  registration_before: string | null;
  born_at: number | null;
  failures: number;
  retry_at: number | null;
  idle_since: number | null;
  missing_since: number | null;
  held: number;
  drained_by: HostRecord['drainedBy'];
}

const COLUMN: Readonly<Record<keyof HostChanges, keyof HostRow>> = {
  lease: 'lease',
  machineId: 'machine_id',
  registrationBefore: 'registration_before',
  bornAt: 'born_at',
  failures: 'failures',
  retryAt: 'retry_at',
  idleSince: 'idle_since',
  missingSince: 'missing_since',
  drainedBy: 'drained_by',
};

function columns(changes: HostChanges): Partial<HostRow> {
  return Object.fromEntries(Object.entries(changes).map(([key, value]) => [COLUMN[key as keyof HostChanges], value]));
}

function record(row: HostRow): HostRecord {
  return {
    name: row.name,
    ip: row.ip,
    state: row.state,
    since: row.since,
    reason: row.reason,
    lease: row.lease,
    machineId: row.machine_id,
    registrationBefore: row.registration_before,
    bornAt: row.born_at,
    failures: row.failures,
    retryAt: row.retry_at,
    idleSince: row.idle_since,
    missingSince: row.missing_since,
    held: row.held === 1,
    drainedBy: row.drained_by,
  };
}

function statements(db: DatabaseSync) {
  return {
    host: db.prepare('SELECT * FROM hosts WHERE name = ?'),
    hosts: db.prepare('SELECT * FROM hosts ORDER BY position'),
    retired: db.prepare('SELECT name FROM hosts WHERE registered = 0 ORDER BY position'),
    insert: db.prepare(`INSERT INTO hosts (name, ip, position, registered, state, since, reason, failures, held)
                        VALUES (?, ?, ?, 1, 'free', ?, 'registered in hosts.json', 0, 0)`),
    place: db.prepare('UPDATE hosts SET registered = 1, position = ?, ip = ? WHERE name = ?'),
    shift: db.prepare(`UPDATE hosts SET since = since + :by, born_at = born_at + :by, retry_at = retry_at + :by,
                       idle_since = idle_since + :by, missing_since = missing_since + :by`),
    journal: db.prepare(
      'INSERT INTO journal (at, host, from_state, to_state, lease, reason) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    fact: db.prepare('SELECT value FROM facts WHERE key = ?'),
    setFact: db.prepare(
      'INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    ),
    dropFact: db.prepare('DELETE FROM facts WHERE key = ?'),
    event: db.prepare('INSERT INTO events (at, level, subject, text) VALUES (?, ?, ?, ?)'),
    events: db.prepare('SELECT id, at, level, subject, text FROM events WHERE id > ? ORDER BY id DESC LIMIT ?'),
  };
}

function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
