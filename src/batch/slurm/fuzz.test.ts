/**
 * Damaged output: whatever happens to a recording, the adapter throws a BatchError or answers, and a node that was not
 * idle before does not become idle. An idle node may be deleted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../test/support/fuzz.ts';
import { BatchError } from '../../domain/errors.ts';
import type { QueueStatus } from '../batch.ts';
import { fixture, slurmOf } from './fixtures/replay.ts';

const HOSTS = ['c1', 'c2', 'c3', 'c4'];
const nodes = fixture('22.05/nodes-with-jobs.txt');
const jobs = fixture('22.05/jobs-running.long.txt');
const old = fixture('17.11/nodes.txt');
const oldHosts = Array.from({ length: 10 }, (_, i) => `c${i + 1}`);

async function read(nodeText: string, jobText: string, hosts: readonly string[]): Promise<QueueStatus | null> {
  try {
    return await slurmOf({ nodes: nodeText, jobs: jobText }).batch.getStatus('cloud', hosts);
  } catch (error) {
    assert.ok(error instanceof BatchError, `not a BatchError: ${error}`);
    return null;
  }
}

const idle = (status: QueueStatus | null): string[] =>
  (status?.nodes ?? []).filter((node) => node.state === 'idle' || !node.hasJob).map((node) => node.host);

/**
 * One damage: cut, drop, double or overwrite a piece. The place is an integer on purpose: fc.double is even over bit
 * patterns, so nearly all of its values between 0 and 1 are about 0, and only the first characters would be hit.
 */
const damage = fc.record({
  at: fc.integer({ min: 0, max: 99_999 }).map((place) => place / 100_000),
  length: fc.integer({ min: 1, max: 40 }),
  kind: fc.constantFrom('cut', 'drop', 'double', 'noise'),
  noise: fc.string({ minLength: 1, maxLength: 6 }),
});

function spoil(text: string, hits: readonly { at: number; length: number; kind: string; noise: string }[]): string {
  let out = text;
  for (const { at, length, kind, noise } of hits) {
    const from = Math.floor(at * out.length);
    if (kind === 'cut') out = out.slice(0, from);
    else if (kind === 'drop') out = out.slice(0, from) + out.slice(from + length);
    else if (kind === 'double') out = out.slice(0, from + length) + out.slice(from);
    else out = out.slice(0, from) + noise + out.slice(from + noise.length);
  }
  return out;
}

test('damaged nodes with whole jobs: no busy node looks idle', async () => {
  const before = idle(await read(nodes, jobs, HOSTS));
  assert.deepEqual(before, ['c4']);
  let answered = 0;
  await fuzz(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (hits) => {
      const status = await read(spoil(nodes, hits), jobs, HOSTS);
      if (status) answered++;
      for (const host of idle(status)) assert.ok(before.includes(host), `${host} became idle`);
    }),
    { numRuns: 1500 },
  );
  assert.ok(answered > 100, `${answered} readings survived`);
});

test('damaged jobs with whole nodes: no busy node looks idle', async () => {
  const before = idle(await read(nodes, jobs, HOSTS));
  await fuzz(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (hits) => {
      for (const host of idle(await read(nodes, spoil(jobs, hits), HOSTS))) assert.ok(before.includes(host));
    }),
    { numRuns: 1000 },
  );
});

test('single characters of a state, changed one by one, never make an idle node', async () => {
  const before = idle(await read(old, '', oldHosts));
  let at = -1;
  for (;;) {
    at = old.indexOf(' State=', at + 1);
    if (at < 0) break;
    const end = old.indexOf(' ', at + 1);
    for (let i = at + 7; i < end; i++) {
      for (const c of ['X', '+', '*', '']) {
        const status = await read(old.slice(0, i) + c + old.slice(i + 1), '', oldHosts);
        for (const host of idle(status)) assert.ok(before.includes(host), `${host} with ${c} at ${old.slice(at, end)}`);
      }
    }
  }
});

test('damaged GPUs and features: nothing is free that is not there, and every demand is made of numbers and words', async () => {
  const mixedNodes = fixture('22.05/nodes-mixed-with-jobs.txt');
  const mixedJobs = fixture('22.05/jobs-mixed-running.long.txt');
  const before = idle(await read(mixedNodes, mixedJobs, HOSTS));
  let answered = 0;
  await fuzz(
    fc.asyncProperty(
      fc.array(damage, { maxLength: 2 }),
      fc.array(damage, { maxLength: 2 }),
      async (onNodes, onJobs) => {
        const status = await read(spoil(mixedNodes, onNodes), spoil(mixedJobs, onJobs), HOSTS);
        for (const host of idle(status)) assert.ok(before.includes(host), `${host} became idle`);
        if (status) answered++;
        for (const { gres = {}, gresFree = {}, features = [] } of status?.nodes ?? []) {
          assert.deepEqual(Object.keys(gresFree), Object.keys(gres));
          for (const kind in gres) assert.ok((gresFree[kind] ?? -1) >= 0 && (gresFree[kind] ?? 0) <= (gres[kind] ?? 0));
          assert.ok(features.every((word) => word !== ''));
        }
        for (const { ask } of status?.jobs ?? []) {
          for (const count of Object.values(ask.gres ?? {})) assert.ok(count > 0, JSON.stringify(ask));
          for (const set of ask.features ?? []) assert.ok(set.length > 0 && !set.includes(''), JSON.stringify(ask));
          assert.ok(Number.isFinite(ask.nodes + ask.cpus + ask.memoryMiB), JSON.stringify(ask));
        }
      },
    ),
    { numRuns: 1000 },
  );
  assert.ok(answered > 100, `${answered} readings survived`);
});

test('any text at all is an error or an answer', async () => {
  await fuzz(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }), async (a, b) => {
      assert.equal(await read(a, b, HOSTS), null);
    }),
    { numRuns: 300 },
  );
});
