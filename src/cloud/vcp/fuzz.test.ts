/**
 * Whatever the Python side answers: an error of ours, or a record in which every field is what it should be.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../test/support/fuzz.ts';
import { spoil, spoiling } from '../../../test/support/spoil.ts';
import { CloudError } from '../../domain/errors.ts';
import { readChecked, readMade, readReading } from './answers.ts';

const RUNS = 3000;
const READING = JSON.stringify({
  group: { name: 'hybridcloud', state: 'RUNNING' },
  units: [
    {
      ...{ name: 'c1', state: 'RUNNING', why: '' },
      nodes: [{ id: 'n1', no: 1, state: 'RUNNING', address: '172.30.2.101', instance: 'i-1' }],
    },
    {
      ...{ name: 'c2', state: 'BOOTING', why: '' },
      nodes: [{ id: 'n2', no: null, state: 'BOOTING', address: '', instance: '' }],
    },
  ],
});

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof CloudError, `not a CloudError: ${error}`);
    return null;
  }
}

function check(answer: unknown): boolean {
  const reading = attempt(() => readReading(answer));
  for (const unit of reading?.units ?? [])
    for (const node of unit.nodes)
      assert.ok([node.id, node.state, node.address, node.instance].every((field) => typeof field === 'string'));
  const given = (answer as { units?: unknown[] } | null)?.units;
  if (reading !== null) assert.equal(reading.units.length, given?.length, 'a unit was left out');
  assert.ok(typeof (attempt(() => readMade(answer))?.made ?? true) === 'boolean');
  attempt(() => readChecked(answer));
  return reading !== null;
}

test('damaged answers and answers of any shape', () => {
  let read = 0;
  fuzz(
    fc.property(spoiling, fc.jsonValue(), (hits, any) => {
      let parsed: unknown = null;
      try {
        parsed = JSON.parse(spoil(READING, hits));
      } catch {
        // The line is not JSON: talk.ts drops it, and the call ends as one without an answer.
      }
      if (check(parsed)) read++;
      check(any);
      check({ group: any, units: [any] });
      check({ ...(JSON.parse(READING) as object), group: any });
    }),
    { numRuns: RUNS },
  );
  assert.ok(read > RUNS / 50, `${read} readings survived`);
});
