/**
 * Damaged output: whatever happens to a recording, the adapter throws a BatchError or answers, and a node that was not
 * idle before does not become idle. An idle node may be deleted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz, fuzzRuns } from '../../../test/support/fuzz.ts';
import { BatchError } from '../../domain/errors.ts';
import type { QueueStatus } from '../batch.ts';
import { type Answers, gridEngineOf, scene } from './fixtures/replay.ts';

const RUNS = 3000;
const MOMENTS = [
  'run-pend',
  'pe',
  'suspended',
  'disabled',
  'alldisabled',
  'qerror',
  'unreachable',
  'ke',
  'array',
  'marks',
];
const hostsOf = (moment: string): string[] => (moment === 'marks' ? ['c1', 'c2', 'c3', 'c4'] : ['g1', 'g2']);
const textOf = (answer: Answers['qstat']): string => (typeof answer === 'string' ? answer : '');

/** The answer, or null for a BatchError; with `before`, the adapter has had a whole reading already. */
async function read(moment: string, answers: Answers, before: boolean): Promise<QueueStatus | null> {
  const whole = scene(moment);
  let now: Answers = before ? whole : answers;
  const { batch } = gridEngineOf({
    ...whole,
    get qstat() {
      return now.qstat ?? '';
    },
    get qhost() {
      return now.qhost ?? '';
    },
    details: (numbers) => now.details?.(numbers) ?? '',
  });
  if (before) await batch.getStatus('cloud', hostsOf(moment));
  now = answers;
  try {
    return await batch.getStatus('cloud', hostsOf(moment));
  } catch (error) {
    assert.ok(error instanceof BatchError, `not a BatchError: ${error}`);
    return null;
  }
}

const idle = (status: QueueStatus | null): string[] =>
  (status?.nodes ?? []).filter((node) => node.state === 'idle' || !node.hasJob).map((node) => node.host);

const hit = fc.record({
  at: fc.integer({ min: 0, max: 99_999 }).map((place) => place / 100_000),
  length: fc.integer({ min: 1, max: 40 }),
  kind: fc.constantFrom('cut', 'drop', 'double', 'noise', 'drop-tag'),
  noise: fc.oneof(fc.string({ minLength: 1, maxLength: 6 }), fc.constantFrom('0', '<', '>', '&', 'd', 'u', '</state>')),
});

type Hit = typeof hit extends fc.Arbitrary<infer T> ? T : never;

/** `drop-tag` takes a whole element away, which leaves a document that can be read. */
function spoil(text: string, hits: readonly Hit[]): string {
  let out = text;
  for (const { at, length, kind, noise } of hits) {
    const from = Math.floor(at * out.length);
    if (kind === 'cut') out = out.slice(0, from);
    else if (kind === 'drop') out = out.slice(0, from) + out.slice(from + length);
    else if (kind === 'double') out = out.slice(0, from + length) + out.slice(from);
    else if (kind === 'drop-tag')
      out = out.slice(0, from) + out.slice(from).replace(/<(\w[\w-]*)[^<>]*>[^<>]*<\/\1>\s*/, '');
    else out = out.slice(0, from) + noise + out.slice(from + noise.length);
  }
  return out;
}

const hits = fc.array(hit, { minLength: 1, maxLength: 3 });
const moment = fc.constantFrom(...MOMENTS);

const usually = new Map<string, string[]>();

async function holds(name: string, answers: Answers, before: boolean): Promise<boolean> {
  const key = `${name} ${before}`;
  const usual = usually.get(key) ?? idle(await read(name, scene(name), before));
  usually.set(key, usual);
  const status = await read(name, answers, before);
  for (const host of idle(status)) {
    assert.ok(usual.includes(host), `${name}: ${host} became idle: ${JSON.stringify(status?.nodes)}`);
  }
  return status !== null;
}

test('a damaged qstat: no node becomes idle, at the first reading or later', async () => {
  let answered = 0;
  await fuzz(
    fc.asyncProperty(moment, hits, fc.boolean(), async (name, some, before) => {
      const whole = scene(name);
      if (await holds(name, { ...whole, qstat: spoil(textOf(whole.qstat), some) }, before)) answered++;
    }),
    { numRuns: RUNS },
  );
  assert.ok(answered > fuzzRuns(RUNS) / 20, `${answered} readings survived`);
});

test('a damaged qhost: no node becomes idle', async () => {
  await fuzz(
    fc.asyncProperty(moment, hits, async (name, some) => {
      const whole = scene(name);
      await holds(name, { ...whole, qhost: spoil(textOf(whole.qhost), some) }, false);
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
});

test('damaged details of jobs: the answer is an error or has the same jobs and nodes', async () => {
  await fuzz(
    fc.asyncProperty(moment, hits, async (name, some) => {
      const whole = scene(name);
      const details = (numbers: readonly string[]): string => spoil(textOf(whole.details?.(numbers) ?? ''), some);
      const usual = await read(name, whole, false);
      const status = await read(name, { ...whole, details }, false);
      if (status === null) return;
      assert.deepEqual(
        status.nodes.map(({ state }) => state),
        usual?.nodes.map(({ state }) => state),
      );
      assert.deepEqual(status.jobs.map(({ id }) => id).sort(), usual?.jobs.map(({ id }) => id).sort());
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
});

test('single letters of a state, changed one by one, never make an idle node', async () => {
  for (const name of MOMENTS) {
    const text = textOf(scene(name).qstat);
    for (const { index } of text.matchAll(/<state>/g)) {
      const end = text.indexOf('<', index + 1);
      for (let i = index + 7; i <= end; i++) {
        for (const c of ['X', 'd', 'u', '', ' ', '&amp;']) {
          await holds(name, { ...scene(name), qstat: text.slice(0, i) + c + text.slice(i + (i < end ? 1 : 0)) }, true);
        }
      }
    }
  }
});

test('any text at all is an error', async () => {
  await fuzz(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
      assert.equal(await read('pe', { ...scene('pe'), qstat: text }, false), null);
      assert.equal(await read('pe', { ...scene('pe'), qhost: text }, false), null);
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
});
