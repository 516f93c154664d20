import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixture } from './fixtures/replay.ts';
import { judgeReason } from './reasons.ts';

const NOW = 1_800_000_000_000;
const all = fixture('reasons.txt')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

test('every reason of Slurm’s source is judged, and each no has a sentence', () => {
  assert.ok(all.length > 220, `${all.length} reasons`);
  for (const reason of all) {
    const { helped, because } = judgeReason(reason, null, NOW);
    assert.notEqual(helped, 'unknown', reason);
    assert.equal(because === '', helped === 'yes', `${reason}: ${because}`);
    assert.doesNotMatch(because, /\n/);
  }
});

test('nodes help exactly these', () => {
  assert.deepEqual(
    all.filter((reason) => judgeReason(reason, null, NOW).helped === 'yes'),
    [
      'None',
      'Priority',
      'Resources',
      'ReqNodeNotAvail',
      'NodeDown',
      'MpiPortsBusy',
      'Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions',
      'ReqNodeNotAvail, May be reserved for other job',
      'ReqNodeNotAvail, UnavailableNodes:c[1-4]',
      'ReqNodeNotAvail(Unavailable:c[1-4])',
    ],
  );
});

for (const [text, helped] of [
  ['(Resources)', 'yes'],
  ['(ReqNodeNotAvail, UnavailableNodes:c[1-4])', 'yes'],
  ['ReqNodeNotAvail, UnavailableNodes:c1,c2,x[1-3]', 'yes'],
  ['ReqNodeNotAvail, Reserved for maintenance', 'no'],
  ['', 'yes'],
  ['(null)', 'yes'],
  ['Resources,JobArrayTaskLimit', 'yes'],
  ['JobArrayTaskLimit,Resources', 'yes'],
  ['JobHeldUser,JobArrayTaskLimit', 'no'],
  ['ReqNodeNotAvail, UnavailableNodes:c1,JobArrayTaskLimit', 'yes'],
  ['BurstBufferOperation: teardown: the file system said no', 'no'],
  ['Dependency (afterok:12)', 'no'],
  ['SomethingEntirelyNew', 'unknown'],
  ['SomethingEntirelyNew,JobHeldUser', 'unknown'],
  ['InvaildReason', 'unknown'],
  ['toString', 'unknown'],
  ['218', 'unknown'],
] as const) {
  test(`${JSON.stringify(text)}: nodes help = ${helped}`, () => {
    assert.equal(judgeReason(text, null, NOW).helped, helped);
  });
}

test('a begin time holds a job until it has come, whatever the word says', () => {
  assert.equal(judgeReason('BeginTime', NOW + 1, NOW).helped, 'no');
  assert.equal(judgeReason('BeginTime', NOW, NOW).helped, 'yes');
  assert.equal(judgeReason('(BeginTime)', NOW - 60_000, NOW).helped, 'yes');
  assert.equal(judgeReason('BeginTime', null, NOW).helped, 'no', 'not known: wait for Slurm to look again');
});
