/**
 * Damaged output of Torque and PBS: whatever happens to a recording, the adapter throws a BatchError or answers, and a
 * node that was not idle before does not become idle: an idle node may be deleted.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fuzz, fuzzRuns } from '../../../test/support/fuzz.ts';
import { BatchError } from '../../domain/errors.ts';
import type { QueueStatus } from '../batch.ts';
import { makePbs } from '../pbs/pbs.ts';
import { makeTorque } from '../torque/torque.ts';
import { type Answers, recordings, replayed } from './fixtures/replay.ts';

const RUNS = 3000;

interface Damage {
  readonly at: number;
  readonly length: number;
  readonly kind: 'cut' | 'drop' | 'double' | 'noise' | 'swap';
  readonly noise: string;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  // an integer on purpose: fc.double is even over bit patterns, and would nearly always hit the first characters
  at: fc.integer({ min: 0, max: 99_999 }).map((place) => place / 100_000),
  length: fc.integer({ min: 1, max: 60 }),
  kind: fc.constantFrom('cut', 'drop', 'double', 'noise', 'swap'),
  noise: fc.oneof(
    fc.string({ minLength: 1, maxLength: 6 }),
    fc.constantFrom('free', '</Job>', '<Node>', '"', '\\', '\n', '{', '}', ',', '0', '&amp;', ']]>', '\u0000', '\t\t}'),
  ),
});

function spoil(text: string, hits: readonly Damage[]): string {
  let out = text;
  for (const { at, length, kind, noise } of hits) {
    const from = Math.floor(at * out.length);
    if (kind === 'cut') out = out.slice(0, from);
    else if (kind === 'drop') out = out.slice(0, from) + out.slice(from + length);
    else if (kind === 'double') out = out.slice(0, from + length) + out.slice(from);
    else if (kind === 'noise') out = out.slice(0, from) + noise + out.slice(from + noise.length);
    else
      out =
        out.slice(0, from) +
        out.slice(from + length, from + 2 * length) +
        out.slice(from, from + length) +
        out.slice(from + 2 * length);
  }
  return out;
}

interface Pair {
  readonly name: string;
  readonly nodes: string;
  readonly jobs: string;
}

const FAMILIES = [
  {
    name: 'Torque',
    make: makeTorque,
    hosts: ['t1', 't2', 't3'],
    pairs: pairsOf(
      'torque',
      (name) => /^qstat_(array_0-9|array_limit|mixed|multinode|predefined|routing)_t_x\.xml$/.test(name),
      (name) => name.replace('_t_x.xml', '_pbsnodes_x.xml'),
    ),
  },
  {
    name: 'PBS',
    make: makePbs,
    hosts: ['p1', 'p2', 'g1'],
    pairs: pairsOf(
      'pbs',
      (name) => name.endsWith('-qstat-f-t-json'),
      (name) => name.replace('qstat-f-t-json', 'pbsnodes-av-json'),
    ),
  },
];

function pairsOf(family: string, isJobs: (name: string) => boolean, nodesOf: (name: string) => string): Pair[] {
  const all = recordings(join(import.meta.dirname, '..', family, 'fixtures'));
  return all.flatMap(({ name, stdout }) => {
    const nodes = all.find((other) => other.name === nodesOf(name))?.stdout ?? '';
    return isJobs(name) && nodes.trim() !== '' ? [{ name, nodes, jobs: stdout }] : [];
  });
}

for (const { name, make, hosts, pairs } of FAMILIES) {
  describe(`damaged output of ${name}`, () => {
    const read = async (answers: Answers): Promise<QueueStatus | null> => {
      try {
        return await replayed(make, answers).batch.getStatus('cloud', hosts);
      } catch (error) {
        assert.ok(error instanceof BatchError, `not a BatchError: ${error}`);
        return null;
      }
    };
    const idle = (status: QueueStatus | null): string[] =>
      (status?.nodes ?? []).filter((node) => node.state === 'idle').map((node) => node.host);
    const free = (status: QueueStatus | null): string[] =>
      (status?.nodes ?? []).filter((node) => !node.hasJob && node.state !== 'absent').map((node) => node.host);

    for (const spoiled of ['nodes', 'jobs'] as const) {
      test(`${spoiled}: no busy node looks idle`, async () => {
        assert.ok(pairs.length >= 6, `${pairs.length} recordings`);
        const before = new Map<string, readonly [string[], string[]]>();
        for (const pair of pairs) {
          const status = await read(pair);
          assert.ok(status, pair.name);
          before.set(pair.name, [idle(status), free(status)]);
        }
        let answered = 0;
        await fuzz(
          fc.asyncProperty(
            fc.constantFrom(...pairs),
            fc.array(damage, { minLength: 1, maxLength: 3 }),
            async (pair, hits) => {
              const status = await read({ ...pair, [spoiled]: spoil(pair[spoiled], hits) });
              if (status) answered++;
              const [wasIdle, wasFree] = before.get(pair.name) ?? [[], []];
              for (const host of idle(status)) assert.ok(wasIdle.includes(host), `${host} became idle`);
              for (const host of free(status)) assert.ok(wasFree.includes(host), `${host} lost its job`);
            },
          ),
          { numRuns: Math.ceil(RUNS / 4) },
        );
        assert.ok(answered > fuzzRuns(RUNS) / 100, `${answered} readings survived`);
      });
    }

    test('any text at all is an error or an answer without an idle node', async () => {
      await fuzz(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }), async (a, b) => {
          assert.deepEqual(idle(await read({ nodes: a, jobs: b })), []);
        }),
        { numRuns: Math.ceil(RUNS / 10) },
      );
    });
  });
}
