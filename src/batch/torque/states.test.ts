/**
 * Every state of a job that Torque has (src/include/pbs_job.h, `PBS_JOBSTATE` in src/server/svr_jobfunc.c: T Q H W R E C,
 * and S where a job was stopped), and what it means for nodes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Job } from '../../domain/job.ts';
import { parseSpan } from '../pbs-family/amounts.ts';
import { readJobs } from './jobs.ts';

const record =
  /<Job><Job_Id>43\.tqhead.*?<\/Job>/s.exec(
    readFileSync(join(import.meta.dirname, 'fixtures/qstat_mixed_t_x.xml'), 'utf8'),
  )?.[0] ?? '';

function read(code: string, change = (text: string) => text) {
  const text = change(record.replace('<job_state>R<', `<job_state>${code}<`));
  const reading = readJobs(`<Data>${text}</Data>`, 'cloud');
  assert.notEqual(reading, 'garbled');
  return reading === 'garbled' ? { jobs: [], broken: [] } : reading;
}

/** A job that never ran: no hosts, no comment of a start. */
const fresh = (text: string) =>
  text.replace(
    /<exec_host>.*?<\/exec_host>|<comment>.*?<\/comment>|<start_time>.*?<\/start_time>|<depend>.*?<\/depend>/g,
    '',
  );

const STATES: readonly (readonly [code: string, state: Job['state'], helped: boolean, because: RegExp])[] = [
  ['Q', 'waiting', true, /^$/],
  ['H', 'waiting', false, /it is held/],
  ['W', 'waiting', false, /start time has not come/],
  ['T', 'waiting', false, /being moved to another queue/],
  ['R', 'running', true, /^$/],
  ['E', 'running', true, /^$/],
  ['S', 'running', true, /^$/],
];

for (const [code, state, helped, because] of STATES) {
  test(`${code}: ${state}${state === 'waiting' ? `, ${helped ? 'nodes help' : 'nodes do not help'}` : ', keeps its nodes'}`, () => {
    const [facts, ...more] = read(code, state === 'waiting' ? fresh : undefined).jobs;
    assert.deepEqual(more, []);
    assert.equal(facts?.job.state, state);
    assert.equal(facts?.job.helped === 'yes', helped);
    assert.match(facts?.job.because ?? '', because);
    assert.deepEqual(facts?.job.hosts, state === 'running' ? ['t1'] : []);
  });
}

test('C: it has ended', () => assert.deepEqual(read('C'), { jobs: [], broken: [] }));

test('a state nobody knows: the record cannot be read, and its host is still named', () => {
  const { jobs, broken } = read('Z');
  assert.deepEqual(jobs, []);
  assert.match(broken[0]?.line ?? '', /state "Z"/);
  assert.match(broken[0]?.text ?? '', /t1\/0-1/);
});

test('begin time, time limit and start', () => {
  const waits = read('W', (text) =>
    fresh(text).replace('<Hold_Types>', '<Execution_Time>1893456000</Execution_Time><Hold_Types>'),
  );
  assert.deepEqual([waits.jobs[0]?.job.notBefore, waits.jobs[0]?.job.timeLimit], [1_893_456_000_000, 7_200_000]);
  assert.deepEqual([read('R').jobs[0]?.job.startedAt, read('R').jobs[0]?.job.notBefore], [1_795_437_301_000, null]);
  for (const [text, ms] of [
    ['02:00:00', 7_200_000],
    ['1:00:00:00', 86_400_000],
    ['90', 90_000],
    ['05:00', 300_000],
    ['unlimited', null],
    [undefined, null],
  ] as const) {
    assert.equal(parseSpan(text), ms, String(text));
  }
});
