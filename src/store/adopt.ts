/**
 * Which pool a row belongs to when the configuration changed: a database that knew one pool, a pool with a new name,
 * a host that went from one pool to another, a pool that was taken out.
 */
import type { DatabaseSync } from 'node:sqlite';
import { type HostState, WITH_MACHINE } from '../domain/lifecycle.ts';

export interface PoolNames {
  readonly name: string;
  readonly hosts: readonly { readonly name: string }[];
}

/** A host with a machine whose pool is configured no more: nobody may touch it, and somebody must be told. */
export interface Orphan {
  readonly host: string;
  readonly pool: string;
  readonly machineId: string | null;
}

/**
 * Gives every row to a pool of the configuration, before the pools register their hosts.
 * A host with a machine stays with the pool that made it, as long as that is configured.
 */
export function adoptPools(db: DatabaseSync, pools: readonly PoolNames[]): readonly Orphan[] {
  db.exec('BEGIN IMMEDIATE');
  try {
    adoptOnly(db, pools);
    const orphans = adoptHosts(db, pools);
    db.exec('COMMIT');
    return orphans;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

/** One pool before and one pool now: it is the same, whatever its name was. */
function adoptOnly(db: DatabaseSync, pools: readonly PoolNames[]): void {
  const [only] = pools;
  if (only === undefined || pools.length > 1) return;
  const rows = db.prepare('SELECT pool FROM hosts UNION SELECT pool FROM facts').all() as { pool: string }[];
  const [before] = rows;
  if (rows.length !== 1 || before === undefined || before.pool === only.name) return;
  for (const table of ['hosts', 'facts', 'journal', 'events', 'lives']) {
    db.prepare(`UPDATE ${table} SET pool = ? WHERE pool = ?`).run(only.name, before.pool);
  }
}

function adoptHosts(db: DatabaseSync, pools: readonly PoolNames[]): readonly Orphan[] {
  const configured = new Set(pools.map((pool) => pool.name));
  const owner = new Map(pools.flatMap((pool) => pool.hosts.map((host): [string, string] => [host.name, pool.name])));
  const give = db.prepare('UPDATE hosts SET pool = ? WHERE name = ?');
  const drop = db.prepare('DELETE FROM hosts WHERE name = ?');
  const rows = db.prepare('SELECT name, pool, state, machine_id FROM hosts').all() as {
    name: string;
    pool: string;
    state: HostState;
    machine_id: string | null;
  }[];
  const orphans: Orphan[] = [];
  for (const { name, pool, state, machine_id: machineId } of rows) {
    const to = owner.get(name);
    const alive = WITH_MACHINE.has(state);
    if (to === pool || (configured.has(pool) && (alive || to === undefined))) continue;
    if (to !== undefined) give.run(to, name);
    else if (alive) orphans.push({ host: name, pool, machineId });
    else drop.run(name);
  }
  return orphans;
}
