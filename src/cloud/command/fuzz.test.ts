/**
 * Whatever the site's program prints: an error of ours or an answer in our own words, for every host that was asked for,
 * and never a list with a hole where a record could not be read.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../test/support/fuzz.ts';
import { spoil, spoiling } from '../../../test/support/spoil.ts';
import { CloudError } from '../../domain/errors.ts';
import { systemClock } from '../../lib/clock.ts';
import { quietLog } from '../../lib/log.ts';
import type { Run } from '../../lib/run.ts';
import { makeCommandCloud } from './command.ts';

const RUNS = 3000;
const STATES = ['starting', 'running', 'stopping', 'failed', 'unknown'];
const machines = [1, 2, 3].map((n) => ({
  ...{ id: `vm-${n}`, hostname: `c${n}`, ip: `10.77.0.10${n}`, state: n === 3 ? 'starting' : 'running' },
  ...{ lease: `hc-${n}`, since: '2026-11-23T00:00:00Z' },
}));
const leases = machines.map(({ hostname, ip, lease }) => ({ name: hostname, ip, lease }));
const LIST = JSON.stringify({ machines });
const CREATED = JSON.stringify({
  results: [
    { hostname: 'c1', id: 'vm-1' },
    { hostname: 'c2', error: { kind: 'capacity', message: 'full' } },
    { hostname: 'c3', id: 'vm-3' },
  ],
});
const DELETED = JSON.stringify({ results: machines.map(({ id }) => ({ id })) });

function printing(stdout: string, code = 0) {
  const run: Run = async (command) => ({
    ...{ command, code, signal: null, stdout, stderr: '', took: 5 },
    ...{ timedOut: false, aborted: false, cut: false, notFound: false },
  });
  const values = { CLOUD_COMMAND: ['/opt/cloud'], CLOUD_TIMEOUT: 1000 };
  return makeCommandCloud(values, { run, clock: systemClock, log: quietLog, pool: { name: 'cloud' } });
}

/** The answer, or null for an error of ours. */
async function answer<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    assert.ok(error instanceof CloudError, `not a CloudError: ${error}`);
    return null;
  }
}

async function checkList(text: string): Promise<boolean> {
  const listed = await answer(printing(text).list());
  for (const one of listed ?? []) {
    assert.ok(one.id !== '' && one.host !== '' && STATES.includes(one.state), JSON.stringify(one));
    assert.ok(one.since === null || Number.isFinite(one.since));
  }
  const parsed = listed === null ? null : (JSON.parse(text) as { machines: unknown[] });
  if (listed !== null) assert.equal(listed.length, parsed?.machines.length, 'a record was left out');
  return listed !== null;
}

async function checkChanges(created: string, deleted: string): Promise<void> {
  const made = await answer(printing(created).create(leases));
  if (made !== null) {
    assert.deepEqual(
      made.map(({ host }) => host),
      ['c1', 'c2', 'c3'],
    );
    for (const { id, error } of made) assert.ok(error instanceof CloudError || (id !== null && id !== ''));
  }
  const asked = (await printing(LIST).list()) ?? [];
  const gone = await answer(printing(deleted).delete(asked));
  if (gone !== null) assert.equal(gone.length, 3);
}

test('damaged answers', async () => {
  let read = 0;
  await fuzz(
    fc.asyncProperty(spoiling, spoiling, spoiling, async (onList, onCreate, onDelete) => {
      if (await checkList(spoil(LIST, onList))) read++;
      await checkChanges(spoil(CREATED, onCreate), spoil(DELETED, onDelete));
    }),
    { numRuns: RUNS },
  );
  assert.ok(read > RUNS / 50, `${read} lists survived`);
});

test('records of any shape, and any text', async () => {
  const list = fc.array(fc.jsonValue(), { maxLength: 4 });
  await fuzz(
    fc.asyncProperty(
      list,
      list,
      fc.string({ unit: 'binary' }),
      fc.integer({ min: 0, max: 255 }),
      async (a, b, text, code) => {
        await checkList(JSON.stringify({ machines: a }));
        await checkChanges(JSON.stringify({ results: b }), JSON.stringify({ results: a, error: b }));
        assert.equal(await answer(printing(text, code).list()), null);
      },
    ),
    { numRuns: RUNS / 3 },
  );
});
