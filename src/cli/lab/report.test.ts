import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabJob } from './batch.ts';
import { printReport } from './print.ts';
import { makeReport, type Seen } from './report.ts';
import { type SampleJob, sampleJobs } from './sample.ts';

const START = 1_795_000_000_000;
const MARKER = 'the on-premises files of lab 0123';
const at = (seconds: number) => START + seconds * 1000;

function record(id: string, job: SampleJob, task: number, nodeList: string, from: number | null, to: number): LabJob {
  return {
    id,
    root: job.name,
    task,
    state: from === null ? 'CANCELLED' : 'COMPLETED',
    reason: 'None',
    submittedAt: at(0),
    startedAt: from === null ? null : at(from),
    endedAt: at(to),
    exit: '0:0',
    restarts: 0,
    nodeList,
  };
}

/** A sample as it should end: its jobs on c1 and c2, which came after 8 s and went after 40 s. */
function good(): Seen {
  const sample = sampleJobs(4);
  const results = new Map<string, string>();
  const jobs = sample.flatMap((job) => {
    const tasks = Array.from({ length: Math.max(1, job.tasks) }, (_, i) => (job.tasks === 0 ? 0 : i + 1));
    return tasks.map((task, i) => {
      if (job.fate !== 'runs') return record(job.name, job, 0, '', null, 30);
      const nodeList = job.nodes > 1 ? 'c[1-2]' : 'c1';
      for (const host of job.nodes > 1 ? ['c1', 'c2'] : ['c1']) results.set(`${job.name}.${task}.${host}`, MARKER);
      // Two tasks at a time: 8-12, 8-12, 12-16, 12-16.
      const from = 8 + 4 * Math.floor(i / 2);
      return record(`${job.name}.${task}`, job, task, nodeList, from, from + 4);
    });
  });
  const life = (id: string, host: string) => ({
    id,
    host,
    lease: `lease-${id}`,
    createdAt: at(1),
    runningAt: at(6),
    failedAt: null,
    deletedAt: at(39),
    goneAt: at(40),
  });
  return {
    sample,
    ids: new Map(sample.map((job) => [job.name, job.name])),
    jobs,
    marker: MARKER,
    results,
    lives: [life('vm-1', 'c1'), life('vm-2', 'c2')],
    moves: [
      { host: 'c1', state: 'ready', at: at(8), reason: 'it takes jobs' },
      { host: 'c1', state: 'draining', at: at(38), reason: 'the queue was empty for 20 s' },
    ],
    events: [],
    verdicts: new Map([
      ['too-big', { kind: 'never', because: 'it asks for 5 nodes and the pool has 4' }],
      ['held', { kind: 'not-helped', because: 'its user holds it' }],
    ]),
    maxNodes: 4,
    left: [],
    startedAt: at(0),
    endedAt: at(41),
    trouble: null,
    more: [],
  };
}

const change = (job: string, changes: Partial<LabJob>): Partial<Seen> => ({
  jobs: good().jobs.map((one) => (one.root === job ? { ...one, ...changes } : one)),
});
const failures = (seen: Seen) =>
  makeReport(seen)
    .checks.filter((check) => !check.ok)
    .map((check) => `${check.name}: ${check.seen}`);

test('a sample that ran as it should passes every check', () => {
  const report = makeReport(good());
  assert.deepEqual(failures(good()), []);
  assert.equal(report.ok, true);
  assert.equal(report.mostMachines, 2);
  assert.equal(report.took, 41_000);
  const [first] = report.jobs;
  assert.deepEqual([first?.name, first?.waited, first?.ran, first?.hosts], ['single-1', 8000, 4000, ['c1']]);
});

test('the tasks of an array have a line each, with their own number', () => {
  const names = makeReport(good()).jobs.flatMap((job) => (job.name.startsWith('array') ? [job.name, job.id] : []));
  assert.deepEqual(names.slice(0, 4), ['array[1]', 'array_1', 'array[2]', 'array_2']);
  assert.equal(names.length, 8);
});

test('a node line brings together the account of the cloud, the moves of the service and the jobs of Slurm', () => {
  const [c1, c2] = makeReport(good()).nodes;
  assert.deepEqual(
    [c1?.createdAt, c1?.upAt, c1?.joinedAt, c1?.drainedAt, c1?.goneAt],
    [at(1), at(6), at(8), at(38), at(40)],
  );
  assert.equal(c1?.why, 'the queue was empty for 20 s');
  assert.deepEqual(c2?.jobs, ['two-nodes']);
  assert.equal(c2?.joinedAt, null);
});

const WRONG: readonly { readonly title: string; readonly seen: Partial<Seen>; readonly says: RegExp }[] = [
  {
    title: 'a run that was cut short',
    seen: { trouble: 'jobs did not end within 200 s' },
    says: /^the sample ran to its end: jobs did not/,
  },
  {
    title: 'a job that failed',
    seen: change('single-1', { state: 'FAILED' }),
    says: /^all 10 jobs .*single-1 is FAILED/,
  },
  {
    title: 'a job that Slurm forgot',
    seen: { jobs: good().jobs.filter((job) => job.root !== 'single-2') },
    says: /^all 10 jobs .*: 9 did/,
  },
  {
    title: 'a job without its proof',
    seen: { results: new Map([...good().results].filter(([name]) => name !== 'two-nodes.0.c2')) },
    says: /^every job saw the shared files.*two-nodes/,
  },
  {
    title: 'a proof with other files than those of the server',
    seen: { results: new Map([...good().results, ['single-3.0.c1', 'something else']]) },
    says: /^every job saw the shared files.*single-3/,
  },
  {
    title: 'a two-node job on one node',
    seen: change('two-nodes', { nodeList: 'c1' }),
    says: /^two-nodes ran on 2 nodes at once: it ran on c1/,
  },
  {
    title: 'an array whose tasks all ran at once',
    seen: change('array', { startedAt: at(8), endedAt: at(12) }),
    says: /^array kept to 2 tasks at a time: 4 at one time/,
  },
  {
    title: 'a job that was started twice',
    seen: change('single-1', { restarts: 1 }),
    says: /^no job was lost .*started 2 times/,
  },
  { title: 'more machines than allowed', seen: { maxNodes: 1 }, says: /^never more than 1 machine: 2 at one time/ },
  {
    title: 'two machines of one lease',
    seen: { lives: good().lives.map((life) => ({ ...life, lease: 'one' })) },
    says: /^no lease made two machines: one/,
  },
  {
    title: 'a held job that ran',
    seen: change('held', { startedAt: at(9), nodeList: 'c1' }),
    says: /^held never ran: it ran/,
  },
  {
    title: 'an impossible job that nobody explained',
    seen: { verdicts: new Map([['too-big', { kind: 'coming', because: 'soon' }]]) },
    says: /^the service said why too-big can never run: it said coming: soon/,
  },
  { title: 'a node that stayed', seen: { left: ['c2'] }, says: /^all nodes are gone at the end: still there: c2/ },
];

for (const { title, seen, says } of WRONG) {
  test(`${title} fails the report`, () => {
    const all = { ...good(), ...seen };
    assert.equal(makeReport(all).ok, false);
    assert.equal(failures(all).length, 1, failures(all).join('\n'));
    assert.match(failures(all)[0] ?? '', says);
  });
}

test('nothing at all fails the report instead of passing for want of a counterexample', () => {
  const empty = { ...good(), jobs: [], lives: [], moves: [], results: new Map(), verdicts: new Map() };
  const names = failures(empty).map((text) => text.split(':')[0]);
  assert.ok(names.includes('all 10 jobs and array tasks that could run ended well'));
  assert.ok(names.includes('every job saw the shared files on every node it ran on'));
  assert.ok(names.includes('never more than 4 machines'));
  assert.ok(names.includes('held never ran'));
});

for (const columns of [80, 120]) {
  test(`the printed report fits into ${columns} columns and says what failed`, () => {
    const report = makeReport({ ...good(), left: ['c2'] });
    const lines = printReport(report, { columns, color: false, now: at(50) });
    assert.deepEqual(
      lines.filter((line) => line.length > columns),
      [],
    );
    const text = lines.join('\n');
    assert.match(text, /two-nodes\s+2 nodes\s+8 s\s+4 s\s+c1,c2\s+done/);
    assert.match(text, /FAILED\s+all nodes are gone at the end: still there: c2/);
    assert.match(text, /1 check of 12 failed\./);
    assert.match(text, /average wait 9 s, at most 2 of 4 machines/);
  });
}
