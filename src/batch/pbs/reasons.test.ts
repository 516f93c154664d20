import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Waiting } from '../pbs-family/verdict.ts';
import { judge } from './reasons.ts';

const CASES: readonly (readonly [Partial<Waiting>, 'yes' | 'no' | 'unknown', RegExp])[] = [
  [{}, 'yes', /^$/],
  [{ comment: 'Not Running: Not enough free nodes available' }, 'yes', /^$/],
  [{ comment: 'Not Running: Insufficient amount of resource: ncpus (R: 4 A: 3 T: 4)' }, 'yes', /^$/],
  // of the nodes that are defined, with the sizes that are known: not the last word
  [{ comment: 'Can Never Run: Insufficient amount of resource: ncpus (R: 99 A: 4 T: 4)' }, 'yes', /^$/],
  [{ comment: 'Can Never Run: Not enough total nodes available' }, 'yes', /^$/],
  [
    { comment: 'Can Never Run: Insufficient amount of resource: host (nosuch != p1,p2)' },
    'no',
    /no node is of the kind/,
  ],
  [{ comment: 'Not Running: Insufficient amount of queue resource: ncpus' }, 'no', /limit of resources/],
  [
    { comment: 'Not Running: Insufficient amount of server resource: ncpus (R: 4 A: 0 T: 8)' },
    'no',
    /limit of resources/,
  ],
  [{ comment: 'Not Running: User has reached queue cloud running job limit.' }, 'no', /limit of running jobs/],
  [{ comment: 'Not Running: Queue cloud job limit has been reached.' }, 'no', /limit of running jobs/],
  [
    { comment: "Not Running: Job would exceed queue cloud's per-user limit on resource ncpus" },
    'no',
    /limit of resources/,
  ],
  [{ comment: 'Not Running: Number of concurrent running subjobs limit reached' }, 'no', /own limit/],
  [{ comment: 'Not Running: Queue not started.' }, 'no', /queue is stopped/],
  [{ comment: 'Not Running: Job would conflict with reservation or top job' }, 'yes', /^$/],
  [{ comment: 'Job run at Mon Nov 23 at 13:05 on (p1:ncpus=2)' }, 'yes', /^$/],
  [{ comment: 'Job Array Began at Mon Nov 23 at 13:06' }, 'yes', /^$/],
  [{ comment: 'a hook of the site is thinking' }, 'unknown', /^$/],
  [{ code: 'H', holds: 'u' }, 'no', /it is held/],
  [
    { code: 'H', holds: 's', depend: 'afterok:21.pbhead@pbhead,beforeany:25.pbhead@pbhead' },
    'no',
    /ends: afterok:21\.pbhead@pbhead$/,
  ],
  [{ code: 'H', holds: 's', depend: 'on:1' }, 'no', /until another job ends: on:1/],
  [{ code: 'W', startAfter: 1_924_991_940_000 }, 'no', /start time has not come: 2030-12-31/],
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
