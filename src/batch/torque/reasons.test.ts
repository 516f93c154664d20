import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Waiting } from '../pbs-family/verdict.ts';
import { judge } from './reasons.ts';

const CASES: readonly (readonly [Partial<Waiting>, 'yes' | 'no' | 'unknown', RegExp])[] = [
  [{}, 'yes', /^$/],
  [{ eligible: false }, 'no', /not made it ready/],
  [{ comment: 'Not Running: Not enough of the right type of nodes are available' }, 'yes', /^$/],
  [{ comment: 'Not Running: No available resources on nodes' }, 'yes', /^$/],
  [
    {
      comment:
        'Not Running - PBS Error: Resource temporarily unavailable MSG=job allocation request exceeds currently available cluster nodes, 1 requested, 0 available',
    },
    'yes',
    /^$/,
  ],
  [{ comment: 'Job started on Mon Nov 23 at 12:21' }, 'yes', /^$/],
  [{ comment: 'Not Running: Draining system to allow 5.tqhead starving job to run' }, 'yes', /^$/],
  [{ comment: 'Not Running - PBS Error: Unknown node-attribute ' }, 'no', /cannot read what it asks for/],
  [{ comment: 'Not Running: User has reached queue running job limit.' }, 'no', /limit of running jobs/],
  [{ comment: 'Not Running: Queue job limit has been reached.' }, 'no', /limit of running jobs/],
  [{ comment: 'Not Running: Queue not started.' }, 'no', /queue is stopped/],
  [{ comment: 'Not Running: Job would cross dedicated time boundry' }, 'no', /dedicated time/],
  [{ comment: 'something a site wrote' }, 'unknown', /^$/],
  [{ code: 'H', holds: 'u' }, 'no', /it is held; its owner/],
  [{ code: 'H', holds: 'so' }, 'no', /it is held/],
  [{ code: 'H', holds: 'l' }, 'no', /own limit/],
  [{ code: 'H', holds: 's', depend: 'afterok:43.tqhead' }, 'no', /until another job ends: afterok:43/],
  [{ code: 'H', holds: 's', depend: 'beforeok:47.tqhead' }, 'no', /held by the system/],
  [{ code: 'H', holds: 'n' }, 'no', /it is held/],
  [{ code: 'W', startAfter: 1_893_456_000_000 }, 'no', /start time has not come: 2030-01-01 00:00 UTC/],
  [{ code: 'T' }, 'no', /being moved/],
];

for (const [given, helped, because] of CASES) {
  test(`${JSON.stringify(given)}: ${helped}`, () => {
    const verdict = judge({
      code: 'Q',
      holds: 'n',
      depend: '',
      comment: '',
      eligible: true,
      startAfter: null,
      ...given,
    });
    assert.equal(verdict.helped, helped);
    assert.match(verdict.because, because);
    assert.notEqual(verdict.reason, '');
  });
}
