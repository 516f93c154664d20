import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pool } from '../domain/pool.ts';
import { POOL } from '../planner/snapshot.fixture.ts';
import { poolAt } from './schedule.ts';

test('limits follow the time of the week; of several that apply the last counts', () => {
  const when = (from: number, to: number) => ({ days: [1, 2, 3, 4, 5], from: from * 60, to: to * 60, zone: 'UTC' });
  const pool: Pool = {
    ...POOL,
    limits: { ...POOL.limits, minNodes: 1 },
    schedule: [
      { limit: 'minNodes', nodes: 4, when: when(8, 18) },
      { limit: 'minNodes', nodes: 2, when: when(12, 13) },
      { limit: 'spareNodes', nodes: 1, when: when(12, 20) },
    ],
  };
  const at = (time: string) => {
    const { minNodes, spareNodes } = poolAt(pool, Date.parse(`2026-11-23T${time}:00Z`)).limits;
    return [minNodes, spareNodes];
  };
  assert.deepEqual(at('07:59'), [1, undefined]);
  assert.deepEqual(at('08:00'), [4, undefined]);
  assert.deepEqual(at('12:30'), [2, 1]);
  assert.deepEqual(at('13:00'), [4, 1]);
  assert.deepEqual(at('18:00'), [1, 1]);
  assert.deepEqual(at('20:00'), [1, undefined]);
  assert.equal(poolAt(POOL, 0), POOL, 'a pool without times stays itself');
});
