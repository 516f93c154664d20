/**
 * The store in one SQLite file.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { HostRecord } from '../domain/host.ts';
import { type HostState, mayMove, WITH_MACHINE } from '../domain/lifecycle.ts';
import type { CreationBrake, QueueClocks } from '../domain/snapshot.ts';
import type { HostChanges, Store, StoredEvent } from './store.ts';

/** Machines of so long ago count in no budget any more, ms. */
const KEEP_LIVES = 400 * 24 * 3_600_000;

/** Rows kept; older ones are dropped now and then, so the file stays bounded. */
const KEEP = { journal: 20_000, events: 10_000 };

export interface SqliteOptions {
  /** Whose rows these are; several pools share one database. Each sees its own, and events of the service as a whole. */
  readonly pool?: string;
  /** How many rows of the journal and of the events are kept, about: they are dropped now and then. */
  readonly journal?: number;
  readonly events?: number;
}

/** The store of one pool. Disposing it closes the database, for all. */
export function sqliteStore(db: DatabaseSync, options: SqliteOptions = {}): Store {
  const keep = { ...KEEP, ...options };
  const { pool = '' } = options;
  const sql = statements(db);
  const get = (host: string): HostRecord => {
    const row = sql.host.get(pool, host);
    if (row === undefined) throw new Error(`no such host in the store: ${host}`);
    return record(row as unknown as HostRow);
  };
  const change = (host: string, changes: Partial<HostRow>) => {
    const keys = Object.keys(changes);
    if (keys.length === 0) return;
    const set = keys.map((key) => `${key} = :${key}`).join(', ');
    const values = { ...changes, name: host, pool } as Record<string, SQLInputValue>;
    db.prepare(`UPDATE hosts SET ${set} WHERE name = :name AND pool = :pool`).run(values);
  };
  const fact = <T>(key: string, empty: T): T => {
    const row = sql.fact.get(pool, key) as { value: string } | undefined;
    return row === undefined ? empty : (JSON.parse(row.value) as T);
  };
  // The first write prunes, too: a service that dies often would never come to it.
  let sincePrune = Number.MAX_SAFE_INTEGER - 1;
  const prune = () => {
    if (++sincePrune < Math.min(500, keep.events)) return;
    sincePrune = 0;
    db.exec(`DELETE FROM journal WHERE id <= (SELECT MAX(id) FROM journal) - ${keep.journal};
             DELETE FROM events WHERE id <= (SELECT MAX(id) FROM events) - ${keep.events};`);
  };

  return {
    register(hosts, at) {
      return transaction(db, () => {
        sql.unplace.run(pool);
        for (const [position, host] of hosts.entries()) {
          const known = sql.anyHost.get(host.name) as unknown as HostRow | undefined;
          if (known === undefined) sql.insert.run(host.name, host.ip, host.cloud ?? null, pool, position, at);
          else if (known.pool === pool) {
            const alive = WITH_MACHINE.has(known.state);
            const cloud = alive && known.cloud !== null ? known.cloud : (host.cloud ?? null);
            sql.place.run(position, alive ? known.ip : host.ip, cloud, host.name);
          }
        }
        sql.forget.run(pool);
        return (sql.retired.all(pool) as { name: string }[]).map((row) => row.name);
      });
    },

    hosts: () => (sql.hosts.all(pool) as unknown as HostRow[]).map(record),
    host(name) {
      const row = sql.host.get(pool, name);
      return row === undefined ? undefined : record(row as unknown as HostRow);
    },

    move(host, to, reason, at, changes = {}) {
      return transaction(db, () => {
        const before = get(host);
        if (!mayMove(before.state, to)) throw new Error(`${host} may not go from ${before.state} to ${to} (${reason})`);
        change(host, { ...columns(changes), state: to, since: at, reason });
        sql.journal.run(pool, at, host, before.state, to, changes.lease ?? before.lease, reason);
        prune();
        return get(host);
      });
    },

    touch: (host, changes) => change(host, columns(changes)),
    hold: (host, held) => change(host, { held: held ? 1 : 0 }),

    clocks: () => fact<QueueClocks>('clocks', { emptySince: null, noWaitingSince: null }),
    setClocks: (clocks) => void sql.setFact.run(pool, 'clocks', JSON.stringify(clocks)),
    brake: (cloud) => fact<CreationBrake>(brakeKey(cloud), NO_BRAKE),
    setBrake: (brake, cloud) => void sql.setFact.run(pool, brakeKey(cloud), JSON.stringify(brake)),

    event(level, subject, text, at) {
      sql.event.run(pool, at, level, subject, text);
      prune();
    },
    events: (limit, after = 0) => (sql.events.all(pool, after, limit) as unknown as StoredEvent[]).reverse(),

    seen(lives, at) {
      transaction(db, () => {
        for (const { host, machine, cloud, began, price } of lives)
          sql.seen.run(pool, host, machine, cloud, Math.min(began, at), at, price);
        sql.forgetLives.run(pool, at - KEEP_LIVES);
      });
    },
    spent(from) {
      const rows = sql.spent.all(from, from, pool, from) as unknown as {
        cloud: string;
        hours: number;
        money: number;
      }[];
      return new Map(rows.map(({ cloud, hours, money }) => [cloud, { nodeHours: hours, money }]));
    },

    note: (key) => fact<string | null>(`note:${key}`, null),
    setNote(key, value) {
      if (value === null) sql.dropFact.run(pool, `note:${key}`);
      else sql.setFact.run(pool, `note:${key}`, JSON.stringify(value));
    },

    [Symbol.dispose]() {
      if (db.isOpen) db.close();
    },
  };
}

function brakeKey(cloud = ''): string {
  return cloud === '' ? 'brake' : `brake:${cloud}`;
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
  cloud: string | null;
  pool: string;
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
    ...(row.cloud === null ? {} : { cloud: row.cloud }),
  };
}

function statements(db: DatabaseSync) {
  return {
    host: db.prepare('SELECT * FROM hosts WHERE pool = ? AND name = ?'),
    anyHost: db.prepare('SELECT * FROM hosts WHERE name = ?'),
    hosts: db.prepare('SELECT * FROM hosts WHERE pool = ? ORDER BY position'),
    retired: db.prepare('SELECT name FROM hosts WHERE pool = ? AND registered = 0 ORDER BY position'),
    insert:
      db.prepare(`INSERT INTO hosts (name, ip, cloud, pool, position, registered, state, since, reason, failures, held)
                        VALUES (?, ?, ?, ?, ?, 1, 'free', ?, 'registered in hosts.json', 0, 0)`),
    unplace: db.prepare(
      'UPDATE hosts SET registered = 0, position = position + 1000000 WHERE pool = ? AND registered = 1',
    ),
    place: db.prepare('UPDATE hosts SET registered = 1, position = ?, ip = ?, cloud = ? WHERE name = ?'),
    forget: db.prepare(
      `DELETE FROM hosts WHERE pool = ? AND registered = 0 AND state IN ('free','cooling','quarantined')`,
    ),
    journal: db.prepare(
      'INSERT INTO journal (pool, at, host, from_state, to_state, lease, reason) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    fact: db.prepare('SELECT value FROM facts WHERE pool = ? AND key = ?'),
    setFact: db.prepare(
      'INSERT INTO facts (pool, key, value) VALUES (?, ?, ?) ON CONFLICT (pool, key) DO UPDATE SET value = excluded.value',
    ),
    dropFact: db.prepare('DELETE FROM facts WHERE pool = ? AND key = ?'),
    seen: db.prepare(`INSERT INTO lives (pool, host, machine, cloud, began, seen, price) VALUES (?, ?, ?, ?, ?, ?, ?)
                      ON CONFLICT (pool, host, machine) DO UPDATE SET seen = max(seen, excluded.seen)`),
    forgetLives: db.prepare('DELETE FROM lives WHERE pool = ? AND seen < ?'),
    spent: db.prepare(`SELECT cloud, sum(max(0, seen - max(began, ?))) / 3600000.0 AS hours,
                              sum(max(0, seen - max(began, ?)) * price) / 3600000.0 AS money
                       FROM lives WHERE pool = ? AND seen > ? GROUP BY cloud`),
    event: db.prepare('INSERT INTO events (pool, at, level, subject, text) VALUES (?, ?, ?, ?, ?)'),
    events: db.prepare(
      `SELECT id, at, level, subject, text FROM events WHERE pool IN (?, '') AND id > ? ORDER BY id DESC LIMIT ?`,
    ),
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
