import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run, RunResult } from '../../lib/run.ts';
import { labPlace } from './place.ts';
import { sampleJobs } from './sample.ts';
import { expandHosts, labSlurm, parseJobs } from './slurm.ts';

// Slurm 22.05.8, SLURM_TIME_FORMAT=%s, shortened to the fields around those that are read.
const TEXT = [
  'JobId=8 ArrayJobId=5 ArrayTaskId=2 JobName=array UserId=root(0) JobState=COMPLETED Reason=None Dependency=(null) Restarts=0 ExitCode=0:0 SubmitTime=1795461000 StartTime=1795461010 EndTime=1795461014 Partition=cloud NodeList=c[1-2] BatchHost=c1',
  'JobId=5 ArrayJobId=5 ArrayTaskId=3-4%2 ArrayTaskThrottle=2 JobName=array JobState=PENDING Reason=Resources Restarts=0 ExitCode=0:0 SubmitTime=1795461000 StartTime=1795469999 EndTime=1795999999 NodeList= SchedNodeList=c1',
  'JobId=9 JobName=held JobState=CANCELLED Reason=JobHeldUser Restarts=0 ExitCode=0:0 SubmitTime=1795461000 StartTime=1795461030 EndTime=1795461030 NodeList=(null)',
  '',
].join('\n');

test('records of scontrol become jobs, array tasks and waiting tasks apart', () => {
  const [task, waiting, cancelled, ...rest] = parseJobs(TEXT);
  assert.equal(rest.length, 0);
  assert.deepEqual(
    [task?.id, task?.root, task?.task, task?.state, task?.startedAt, task?.endedAt, task?.nodeList],
    ['8', '5', 2, 'COMPLETED', 1_795_461_010_000, 1_795_461_014_000, 'c[1-2]'],
  );
  assert.deepEqual([waiting?.root, waiting?.task, waiting?.startedAt, waiting?.endedAt], ['5', null, null, null]);
  assert.deepEqual([cancelled?.id, cancelled?.root, cancelled?.startedAt], ['9', '9', null]);
});

test('Slurm without jobs is an empty list', () => {
  assert.deepEqual(parseJobs('No jobs in the system\n'), []);
});

const LISTS: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['c1', ['c1']],
  ['c[1-2]', ['c1', 'c2']],
  ['c[1,3-4]', ['c1', 'c3', 'c4']],
  ['c1,d[2-3]', ['c1', 'd2', 'd3']],
];
for (const [list, hosts] of LISTS) {
  test(`the host list "${list}" is ${hosts.length} hosts`, () => assert.deepEqual(expandHosts(list), hosts));
}

test('a sample job is submitted to the cloud queue with its options and its script on standard input', async () => {
  const calls: { words: readonly string[]; stdin: string }[] = [];
  const run: Run = async (command, options) => {
    calls.push({ words: command, stdin: options.stdin ?? '' });
    return { command, code: 0, signal: null, stdout: '17;lab\n', stderr: '' } as RunResult;
  };
  const slurm = labSlurm(run, labPlace({ LAB_DIR: '/x' }));
  const follower = sampleJobs(4).find((job) => job.name === 'follower');
  assert.ok(follower);
  assert.equal(await slurm.submit(follower, new Map([['single-1', '12']])), '17');
  const [call] = calls;
  assert.ok(call?.words.includes('SLURM_CONF=/x/slurm.conf'));
  assert.ok(call?.words.includes('--partition=cloud'));
  assert.ok(call?.words.includes('--dependency=afterok:12'));
  assert.match(call?.stdin ?? '', /^#!\/bin\/sh\nread -r marker <\/x\/node\/shared\/marker \|\| exit 3\n/);
});

test('a command that Slurm refuses is an error with its last words', async () => {
  const run: Run = async (command) =>
    ({ command, code: 1, signal: null, stdout: '', stderr: 'sbatch: error: invalid partition\n' }) as RunResult;
  const [job] = sampleJobs(4);
  assert.ok(job);
  await assert.rejects(labSlurm(run, labPlace({})).submit(job, new Map()), /invalid partition/);
});

test('a job on several nodes leaves its proof on each of them', async () => {
  let script = '';
  const run: Run = async (command, options) => {
    script = options.stdin ?? '';
    return { command, code: 0, signal: null, stdout: '17\n', stderr: '' } as RunResult;
  };
  const pair = sampleJobs(4).find((job) => job.nodes === 2);
  assert.ok(pair);
  await labSlurm(run, labPlace({ LAB_DIR: '/x' })).submit(pair, new Map());
  assert.match(script, /srun --ntasks=2 --ntasks-per-node=1 sh -c 'read -r marker/);
});

test('the sample has every kind of job the lab promises', () => {
  const sample = sampleJobs(4);
  assert.ok(sample.length >= 8);
  assert.deepEqual(
    ['runs', 'held', 'never-fits'].map((fate) => sample.some((job) => job.fate === fate)),
    [true, true, true],
  );
  assert.ok(sample.some((job) => job.tasks > 1 && job.taskLimit > 0));
  assert.ok(sample.some((job) => job.nodes === 2));
  assert.equal(sample.find((job) => job.fate === 'never-fits')?.nodes, 5);
});
