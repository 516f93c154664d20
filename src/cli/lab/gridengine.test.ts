import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../../lib/clock.ts';
import type { Run, RunResult } from '../../lib/run.ts';
import { labGridEngine, parseAccounting, parseQueue } from './gridengine.ts';
import { labPlace } from './place.ts';
import { type SampleJob, sampleJobs } from './sample.ts';

/** A line of the accounting file: what is read of it, the rest as Grid Engine 8.1.9 wrote it. */
function line(
  host: string,
  number: number,
  task: number,
  from: number,
  failed: number,
  exit: number,
  part = 'NONE',
): string {
  const usage = '2:0.0:0.0:4468.0:0:0:0:0:633:0:0:8.0:0:0:0:0:16:8:NONE:defaultdepartment:NONE:1';
  return `cloud:${host}:root:root:j:${number}:sge:0:${from - 5}:${from}:${from + 4}:${failed}:${exit}:${usage}:${task}:0.01:0.0:0.0:-q cloud:0.0:${part}:4726784.0:0:0\n`;
}

test('the accounting file becomes jobs: tasks apart, parts of a job put together, runs counted', () => {
  const text = [
    '# Version: 8.1.9\n#\n',
    line('c2', 1, 0, 1_795_466_703, 0, 0, '1.c2'),
    line('c1', 1, 0, 1_795_466_703, 0, 0),
    line('c1', 3, 1, 1_795_466_704, 0, 0),
    line('c2', 3, 2, 1_795_466_704, 0, 7),
    line('c1', 4, 0, 1_795_466_704, 19, 0),
    line('c2', 4, 0, 1_795_466_714, 0, 0),
    line('c2', 5, 0, 1_795_466_714, 100, 137),
    line('c2', 6, 0, 1_795_466_714, 0, 0, '1.c2'),
    'cloud:c1:root:half a li',
  ].join('');
  const jobs = parseAccounting(text);
  assert.deepEqual(
    jobs.map((job) => [job.id, job.root, job.task, job.state, job.nodeList, job.restarts]),
    [
      ['1', '1', 0, 'COMPLETED', 'c1,c2', 0],
      ['3.1', '3', 1, 'COMPLETED', 'c1', 0],
      ['3.2', '3', 2, 'FAILED', 'c2', 0],
      ['4', '4', 0, 'COMPLETED', 'c1,c2', 1],
      ['5', '5', 0, 'CANCELLED', 'c2', 0],
    ],
  );
  assert.deepEqual([jobs[0]?.startedAt, jobs[0]?.endedAt], [1_795_466_703_000, 1_795_466_707_000]);
});

const QUEUE = `<?xml version='1.0'?><job_info><queue_info>
<job_list state="running"><JB_job_number>7</JB_job_number><state>r</state><JAT_start_time>2026-11-23T20:03:32</JAT_start_time><queue_name>cloud@c1</queue_name><slots>1</slots><tasks>2</tasks></job_list>
</queue_info><job_info>
<job_list state="pending"><JB_job_number>7</JB_job_number><state>qw</state><queue_name></queue_name><tasks>3-4:1</tasks></job_list>
<job_list state="pending"><JB_job_number>8</JB_job_number><state>hqw</state><queue_name></queue_name></job_list>
</job_info></job_info>`;

test('qstat becomes jobs, running tasks and waiting ones apart', () => {
  assert.deepEqual(
    parseQueue(QUEUE, () => 1).map((job) => [
      job.id,
      job.root,
      job.task,
      job.state,
      job.nodeList,
      job.startedAt !== null,
    ]),
    [
      ['7.2', '7', 2, 'RUNNING', 'c1', true],
      ['7.3-4:1', '7', null, 'PENDING', '', false],
      ['8', '8', 0, 'PENDING', '', false],
    ],
  );
  assert.throws(() => parseQueue(QUEUE.slice(0, 200), () => 1), /qstat/);
});

test('sample jobs are submitted with the words of qsub, and one deleted before it began is remembered', async () => {
  const calls: { words: readonly string[]; stdin: string }[] = [];
  const run: Run = async (command, options) => {
    calls.push({ words: command, stdin: options.stdin ?? '' });
    const stdout = command.includes('qsub') ? `${calls.length}.1-4:1\n` : '<job_info></job_info>';
    return { command, code: 0, signal: null, stdout, stderr: '' } as RunResult;
  };
  const batch = labGridEngine(run, labPlace({ LAB_DIR: '/x', LAB_BATCH: 'gridengine' }), manualClock());
  const sample = new Map(sampleJobs(4).map((job) => [job.name, job]));
  const submit = async (name: string): Promise<string> => {
    const id = await batch.submit(sample.get(name) as SampleJob, new Map([['single-1', '12']]));
    return `${id}: ${calls.at(-1)?.words.join(' ')}`;
  };
  assert.match(await submit('array'), /^1: \/x\/gridengine\/head qsub .*-q cloud .*-t 1-4 -tc 2$/);
  assert.match(await submit('whole-node'), /-l exclusive=1$/);
  assert.match(await submit('single-2'), /-l mem=256M$/);
  assert.match(await submit('follower'), /-hold_jid 12$/);
  assert.match(await submit('two-nodes'), /-pe node1 2$/);
  assert.match(calls.at(-1)?.stdin ?? '', /qrsh -inherit -nostdin "\$host" sh "\$script" \|\| exit 3/);
  assert.match(await submit('held'), /-h$/);
  await batch.cancel(['6']);
  const held = (await batch.jobs()).find(({ id }) => id === '6');
  assert.deepEqual([held?.state, held?.startedAt], ['CANCELLED', null]);
});
