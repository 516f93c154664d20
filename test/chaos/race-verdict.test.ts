/** Whose fault it is that a job of the races was cut short: judged from made-up accounts, without a lab. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readRuns } from './race-jobs.ts';
import { type Break, judge, type RaceJob, readTakenBack, type World } from './race-verdict.ts';

const job = (text: string, more: Partial<RaceJob> = {}): RaceJob => ({
  ...{ number: 1, id: '7', tasks: [0], runs: readRuns(text), states: ['COMPLETED'] },
  ...more,
});
const CALM: World = { deletes: [], takenBack: new Map(), breaks: [] };
const CABLE: Break = { what: 'cable', host: 'c1', from: 10_500, to: 12_000 };
const WELL = 'start 0 0 c1 10.000\nend 0 0 c1 11.000\n';
const TWICE = 'start 0 0 c1 10.000\nstart 0 1 c2 50.000\nend 0 1 c2 51.000\n';
const BACK = new Map([['7', [13_000]]]);
const lost = (one: RaceJob, world: Partial<World> = {}) => judge([one], { ...CALM, ...world }).lost;

describe('the verdict on a job of the races', () => {
  test('a job that ran once to its end is well, whatever was broken', () => {
    assert.deepEqual(lost(job(WELL)), []);
    assert.deepEqual(lost(job(WELL), { breaks: [CABLE], deletes: [{ at: 11_001, host: 'c1' }] }), []);
    assert.deepEqual(lost(job(WELL, { states: [] })), []);
  });

  test('a machine deleted while its job ran is the fault of the service, also where we broke something', () => {
    const deletes = [{ at: 10_700, host: 'c1' }];
    assert.match(lost(job(WELL), { deletes })[0] ?? '', /c1 deleted under it/);
    assert.match(lost(job(TWICE), { deletes, breaks: [CABLE], takenBack: BACK })[0] ?? '', /c1 deleted under it/);
    assert.match(
      lost(job('start 0 0 c[1-2] 10.000\n'), { deletes: [{ at: 99_000, host: 'c2' }] })[0] ?? '',
      /c2 deleted/,
    );
    assert.deepEqual(lost(job(WELL), { deletes: [{ at: 10_700, host: 'c2' }] }), []);
  });

  test('a job that Slurm put back after a break where it ran is nobody`s fault but ours', () => {
    const world = { breaks: [CABLE], takenBack: BACK, deletes: [{ at: 13_500, host: 'c1' }] };
    assert.deepEqual(lost(job(TWICE), world), []);
    assert.equal(judge([job(TWICE)], { ...CALM, ...world }).putBack, 1);
  });

  test('a job that ran again is lost when nothing was broken there, when Slurm did not say so, or when it is the same run', () => {
    const again = /ran again/;
    assert.match(lost(job(TWICE), { takenBack: BACK })[0] ?? '', again);
    assert.match(lost(job(TWICE), { takenBack: BACK, breaks: [{ ...CABLE, host: 'c2' }] })[0] ?? '', again);
    assert.match(
      lost(job(TWICE), { takenBack: BACK, breaks: [{ ...CABLE, from: 14_000, to: 15_000 }] })[0] ?? '',
      again,
    );
    assert.match(lost(job(TWICE), { breaks: [CABLE] })[0] ?? '', again);
    const same = TWICE.replace('0 1 c2 50', '0 0 c2 50').replace('0 1 c2 51', '0 0 c2 51');
    assert.match(lost(job(same), { breaks: [CABLE], takenBack: BACK })[0] ?? '', again);
    assert.deepEqual(lost(job(TWICE), { takenBack: BACK, breaks: [{ ...CABLE, host: null }] }), []);
  });

  test('a job that never ran, did not end, or ended badly is lost', () => {
    assert.match(lost(job('', { states: ['PENDING'] }))[0] ?? '', /never ran; Slurm says PENDING/);
    assert.match(
      lost(job('start 0 0 c3 10.000\n', { states: ['NODE_FAIL'] }))[0] ?? '',
      /did not end on c3; .*NODE_FAIL/,
    );
    assert.match(lost(job(WELL, { states: ['CANCELLED'] }))[0] ?? '', /CANCELLED/);
    assert.match(lost(job(WELL.replaceAll(' 0 0 ', ' 2 0 '), { tasks: [1, 2] }))[0] ?? '', /task 1 never ran$/);
  });

  test('when Slurm put jobs back is read from its log', () => {
    const log = [
      '[2026-11-25T10:00:00.500] _job_complete: requeue JobId=7 due to node failure',
      '[2026-11-25T10:00:01.000] Batch JobId=9_2(12) missing from batch node c1 (not found BatchStartTime after startup), Requeuing job',
      '[2026-11-25T10:00:02.000] _slurm_rpc_submit_batch_job: JobId=8 InitPrio=1 usec=300',
    ].join('\n');
    const at = (text: string) => new Date(`2026-11-25T${text}`).getTime();
    assert.deepEqual(
      [...readTakenBack(log)],
      [
        ['7', [at('10:00:00.500')]],
        ['9', [at('10:00:01.000')]],
      ],
    );
  });
});
