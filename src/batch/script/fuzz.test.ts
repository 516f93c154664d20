/**
 * Damaged answers of get_status: an error or an answer, and no node becomes idle that was not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../test/support/fuzz.ts';
import { BatchError } from '../../domain/errors.ts';
import { manualClock } from '../../lib/clock.ts';
import { quietLog } from '../../lib/log.ts';
import { readAnswer } from './answer.ts';
import type { Called } from './driver.ts';
import { makeGateMemory } from './memory.ts';
import { toStatus } from './status.ts';

const RUNS = 3000;
const HOSTS = ['c1', 'c2', 'c3', 'c4'];
const ANSWER = JSON.stringify({
  jobs: [
    { id: '1', state: 'running', hosts: ['c1'], cpus: 2 },
    { id: '2', state: 'running', hosts: ['c2', 'c3'], nodes: 2, name: 'c4 "x"' },
    { id: '3', state: 'waiting', nodes: 2, memoryMiB: 100, priority: 5 },
  ],
  nodes: [
    { host: 'c1', state: 'busy', cpus: 4, cpusFree: 2, jobs: ['1'], registration: 'a' },
    { host: 'c2', state: 'draining', closed: 'theirs', reason: 'fan', cpus: 4, jobs: ['2'] },
    { host: 'c3', state: 'busy', cpus: 4, jobs: ['2'] },
    { host: 'c4', state: 'idle', cpus: 4 },
  ],
});

const called = (output: string): Called => ({
  ...{ code: 0, output, stderr: '', waitCount: undefined, runCount: undefined, hasCounts: false, took: 1 },
});

function idle(output: string): string[] {
  const clock = manualClock();
  try {
    const { nodes } = toStatus(readAnswer(called(output)), HOSTS, makeGateMemory(null, clock, quietLog), clock);
    return nodes
      .filter((node) => node.state === 'idle' || (!node.hasJob && node.state !== 'absent'))
      .map((node) => node.host);
  } catch (error) {
    assert.ok(error instanceof BatchError, `not a BatchError: ${error}`);
    return [];
  }
}

const damage = fc.record({
  at: fc.integer({ min: 0, max: ANSWER.length }),
  drop: fc.integer({ min: 0, max: 40 }),
  put: fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('"', '{', '}', '[]', ',', 'idle', '0', '\\', ':')),
});

test('two edits that take a job its hosts and swallow the list of nodes make no node idle', () => {
  const once = `${ANSWER.slice(0, 38)}:${ANSWER.slice(38 + 15)}`;
  assert.deepEqual(idle(`${once.slice(0, 180)}0${once.slice(180 + 37)}`), []);
});

test('damaged JSON makes no node idle', () => {
  assert.deepEqual(idle(ANSWER), ['c4']);
  fuzz(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (hits) => {
      const spoiled = hits.reduce((text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop), ANSWER);
      for (const host of idle(spoiled)) assert.equal(host, 'c4', spoiled);
    }),
    { numRuns: RUNS },
  );
});

test('an entry of any shape is an error or an answer', () => {
  fuzz(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 4 }),
      fc.array(fc.jsonValue(), { maxLength: 4 }),
      (jobs, nodes) => {
        idle(JSON.stringify({ jobs, nodes }));
      },
    ),
    { numRuns: Math.ceil(RUNS / 5) },
  );
});

test('any text, and any count, is an error or an answer', () => {
  fuzz(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.option(fc.string({ maxLength: 12 })),
      (text, count) => {
        idle(text);
        try {
          const answer = readAnswer({ ...called(''), waitCount: count ?? undefined, runCount: '1', hasCounts: true });
          assert.ok(answer.kind === 'counts' && answer.running === 1 && answer.waiting >= 0);
        } catch (error) {
          assert.ok(error instanceof BatchError && error.kind === 'garbled');
        }
      },
    ),
    { numRuns: Math.ceil(RUNS / 5) },
  );
});
