/** What people see, as they see it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aJob, aNode, aPlan, aReading, aStatus, aVerdict, NOW } from '../../service/fake-control.ts';
import { renderCheck } from './check.ts';
import { renderEvents } from './events.ts';
import { renderJobs } from './jobs.ts';
import { renderNodes } from './nodes.ts';
import { renderExplain, renderPlan } from './plan.ts';
import type { Screen } from './screen.ts';
import { renderStatus } from './status.ts';
import { width } from './text.ts';

const wide: Screen = { columns: 80, color: false, now: NOW };
const narrow: Screen = { columns: 40, color: false, now: NOW };
const pipe: Screen = { columns: Infinity, color: false, now: NOW };

/** The text must be this, and fit. */
function shows(lines: readonly string[], screen: Screen, text: string): void {
  assert.equal(lines.join('\n'), text.replace(/^\n/, '').replace(/\n$/, ''));
  for (const line of lines) assert.ok(width(line) <= screen.columns, `too wide: ${line}`);
}

test('status opens with the tally of the specification and says in a page what goes on', () => {
  shows(
    renderStatus(aStatus(), wide),
    wide,
    `
3 PD
1 R

nodes    1 ready, 2 starting, 1 free (4 registered)
waiting  3 jobs: their nodes are on the way
plan     3 jobs wait; c2 and c3 are starting; creating c4.
service  queue cloud, policy demand; slurm read 2 s ago, command 2 s ago, next
         look in 3 s; up 3 h, pid 4242, version 0.1.0
`,
  );
});

test('status names who is at work and who stands by, where somebody should', () => {
  const active = { token: 7, host: 'head-a', pid: 4242, since: NOW, expected: false, standbys: [] };
  const last = (more: object) => renderStatus(aStatus({ active: { ...active, ...more } }), pipe).at(-1);
  assert.match(last({}) ?? '', /^service /);
  assert.equal(last({ expected: true }), 'active   pid 4242 on head-a, token 7; nobody stands by');
  const standbys = [
    { host: 'head-b', pid: 11 },
    { host: 'head-c', pid: 12 },
  ];
  assert.equal(
    last({ standbys }),
    'active   pid 4242 on head-a, token 7; standing by: pid 11 on head-b, pid 12 on head-c',
  );
});

test('status of an empty queue keeps its shape', () => {
  const view = aStatus({
    tally: {},
    waiting: 0,
    running: 0,
    waitingBecause: [],
    hosts: { free: 4 },
    summary: 'Nothing to do.',
  });
  shows(
    renderStatus(view, wide).slice(0, 5),
    wide,
    `
0 PD
0 R

nodes    4 free (4 registered)
plan     Nothing to do.
`,
  );
});

test('status with everything in trouble says since when, what is safe, and when it goes on', () => {
  const view = aStatus({
    tally: { R: 3, CG: 1, PD: 12 },
    pool: 'aws',
    policy: 'classic',
    maxNodes: 3,
    batch: aReading({
      ok: false,
      lastGoodAt: NOW - 205_000,
      failingSince: NOW - 200_000,
      message: 'squeue gave no answer within 30 s',
    }),
    summary: 'Nothing changed because the batch system does not answer.',
    brake: { kind: 'quota', message: 'the account may have 4 machines', until: NOW + 600_000 },
    waitingBecause: [
      { text: 'their nodes are on the way', jobs: 11 },
      { text: 'held by its user (JobHeldUser)', jobs: 1 },
    ],
    warnings: ['the reason "Foo" is not known: taken as one that nodes help'],
  });
  shows(
    renderStatus(view, wide),
    wide,
    `
12 PD
 3 R
 1 CG

nodes    1 ready, 2 starting, 1 free (4 registered, 3 at one time)
waiting  11 jobs: their nodes are on the way
         1 job: held by its user (JobHeldUser)
plan     Nothing changed because the batch system does not answer.
trouble  No good answer from the batch system (slurm) for 3 min 20 s, last good
         reading 3 min 25 s ago: squeue gave no answer within 30 s
         Until it answers, no node is created, drained or deleted; running jobs
         go on. The figures above are from the last complete reading.
pause    No new nodes for 10 min more (quota): the account may have 4 machines
warning  the reason "Foo" is not known: taken as one that nodes help
service  queue cloud, pool aws, policy classic; slurm read 3 min 25 s ago,
         command 2 s ago, next look in 3 s; up 3 h, pid 4242, version 0.1.0
`,
  );
});

test('status before the first reading does not pretend that the queue is empty', () => {
  const view = aStatus({
    tally: null,
    batch: aReading({ ok: false, lastGoodAt: null, message: 'squeue is not there' }),
  });
  assert.deepEqual(renderStatus(view, wide).slice(0, 3), ['? PD', '? R', '']);
  assert.match(renderStatus(view, pipe).join('\n'), /\(slurm\), never read completely: squeue is not there/);
});

test('status counts in the words of the batch system, waiting first', () => {
  const torque = aStatus({ batch: aReading({ kind: 'torque' }), tally: { R: 2, H: 1, C: 4, Q: 3 } });
  assert.deepEqual(renderStatus(torque, wide).slice(0, 5), ['3 Q', '2 R', '4 C', '1 H', '']);
});

test('nodes shows every host with its state, the word of the batch system and why', () => {
  const nodes = [
    aNode({ held: true }),
    aNode({
      host: 'c2',
      ip: '10.77.0.102',
      state: 'starting',
      deadlineAt: NOW + 900_000,
      reason: '1 job waits',
      batch: null,
    }),
    aNode({ host: 'c3', ip: '10.77.0.103', state: 'free', since: NOW - 7_260_000, reason: '', batch: null }),
  ];
  shows(
    renderNodes(nodes, wide),
    wide,
    `
HOST  IP           STATE              FOR  BATCH      JOBS  WHY
c1    10.77.0.101  ready, held      3 min  ALLOCATED  17    registered with the
                                                            batch system
c2    10.77.0.102  starting         3 min  -          -     1 job waits; given
                                                            up in 15 min
c3    10.77.0.103  free         2 h 1 min  -          -
`,
  );
});

test('a host in trouble says all that is known', () => {
  const node = aNode({
    state: 'quarantined',
    retired: true,
    failures: 3,
    retryAt: NOW + 600_000,
    reason: 'its machine did not boot within 1000 s',
    batch: { state: 'down', words: 'DOWN+DRAIN', reason: 'Not responding', jobs: [] },
    machine: {
      id: 'i-1',
      host: 'c1',
      ip: '10.77.0.101',
      state: 'failed',
      lease: null,
      since: null,
      message: 'no capacity',
    },
  });
  assert.equal(
    renderNodes([node], pipe)[1],
    'c1    10.77.0.101  quarantined, retired  3 min  DOWN+DRAIN  -     its machine did not boot within 1000 s; ' +
      'failed 3 times in a row; tried again in 10 min; batch system: Not responding; cloud: no capacity',
  );
});

const jobs = [
  aJob({ user: '山田太郎', name: '流体解析' }),
  aJob({
    id: '19_[1-500]',
    tasks: 500,
    name: 'evil\u001b[2J\nroot',
    verdict: aVerdict({ job: '19', kind: 'never', hosts: [], because: 'no host of the pool has 64 CPUs' }),
  }),
  aJob({ id: '17', code: 'R', state: 'running', hosts: ['c1', 'c3'], verdict: null }),
];

test('jobs in 80 columns, with Japanese names', () => {
  shows(
    renderJobs(jobs, wide),
    wide,
    `
JOB         USER      ST  TASKS  NODES  CPUS  WAITED  WHY
18          山田太郎  PD      1      1     2    75 s  c2 is starting for it
19_[1-500]  ubuntu    PD    500      1     2    75 s  no host of the pool has 64
                                                      CPUs
17          ubuntu    R       1      1     2       -  on c1 and c3
`,
  );
});

test('jobs in 40 columns: what can be missed goes, the verdict moves below', () => {
  shows(
    renderJobs(jobs, narrow),
    narrow,
    `
JOB         USER      ST  WAITED
    WHY
18          山田太郎  PD    75 s
    c2 is starting for it
19_[1-500]  ubuntu    PD    75 s
    no host of the pool has 64 CPUs
17          ubuntu    R        -
    on c1 and c3
`,
  );
});

test('jobs in a pipe: nothing is cut or wrapped, and nobody can be made to obey a job name', () => {
  shows(
    renderJobs(jobs, pipe),
    pipe,
    `
JOB         NAME           USER      ST  TASKS  NODES  CPUS  WAITED  WHY
18          流体解析       山田太郎  PD      1      1     2    75 s  c2 is starting for it
19_[1-500]  evil?[2J?root  ubuntu    PD    500      1     2    75 s  no host of the pool has 64 CPUs
17          run.sh         ubuntu    R       1      1     2       -  on c1 and c3
`,
  );
});

test('plan: the summary, then steps, then jobs, those with one fate together', () => {
  const because = '2 jobs wait and no node has room for them';
  const view = aPlan({
    steps: [
      { kind: 'create', host: 'c4', to: 'starting', because },
      { kind: 'create', host: 'c5', to: 'starting', because },
      { kind: 'drain', host: 'c1', to: 'draining', because: 'idle for 10 min and no job wants it' },
      { kind: 'wait', host: null, to: null, because: 'c2 is starting, for 4 min at most' },
    ],
    verdicts: [
      aVerdict({ job: '18' }),
      aVerdict({ job: '19', kind: 'creating', hosts: ['c4'], because }),
      aVerdict({ job: '20', kind: 'creating', hosts: ['c5'], because }),
      aVerdict({ job: '21', kind: 'not-helped', hosts: [], because: 'held by its user (JobHeldUser)' }),
    ],
    warnings: ['a machine named c9 is not ours'],
  });
  shows(
    renderPlan(view, wide),
    wide,
    `
3 jobs wait; c2 and c3 are starting; creating c4.

create c4 and c5: 2 jobs wait and no node has room for them
drain c1: idle for 10 min and no job wants it
wait: c2 is starting, for 4 min at most

job 18: nodes are coming (c2): c2 is starting for it
jobs 19 and 20: nodes are being created (c4 and c5): 2 jobs wait and no node has
  room for them
job 21: nodes would not help: held by its user (JobHeldUser)

warning: a machine named c9 is not ours
`,
  );
});

test('a plan with 10,000 jobs of one fate is one sentence', () => {
  const verdicts = Array.from({ length: 10_000 }, (_, at) => aVerdict({ job: String(at) }));
  const lines = renderPlan(aPlan({ steps: [], verdicts }), pipe);
  assert.equal(lines.length, 3);
  assert.match(lines[2] ?? '', /^jobs 0, 1, .* 10 and 9989 more: nodes are coming \(c2\)/);
});

test('explain is a sentence, wrapped', () => {
  shows(
    renderExplain({ kind: 'job', name: '18', text: 'Job 18 waits for c2, which is starting since 40 s.' }, narrow),
    narrow,
    `
Job 18 waits for c2, which is starting
since 40 s.
`,
  );
});

test('events: local time, level, subject, text', () => {
  const at = new Date(2026, 10, 23, 14, 3, 22).getTime();
  const events = [
    { id: 1, at, level: 'info', subject: 'c1', text: 'starting: 1 job waits and no node has room for it now' },
    { id: 2, at: at + 1000, level: 'error', subject: null, text: 'the cloud refused\u001b[1A: quota' },
    { id: 3, at: at + 2000, level: 'warn', subject: 'gpu-1', text: 'did not boot' },
  ] as const;
  shows(
    renderEvents(events, { ...wide, columns: 72 }),
    { ...wide, columns: 72 },
    `
11-23 14:03:22  info   c1     starting: 1 job waits and no node has room
                              for it now
11-23 14:03:23  error  -      the cloud refused?[1A: quota
11-23 14:03:24  warn   gpu-1  did not boot
`,
  );
});

test('check says what to do and ends with a verdict', () => {
  const lines = [
    { what: 'configuration', ok: 'ok', text: '12 settings from /etc/hybrid-cloud/env', hint: '' },
    {
      what: 'slurm',
      ok: 'wrong',
      text: 'scontrol may not be run',
      hint: 'let the service run it with sudo: see the manual',
    },
    { what: 'ssh', ok: 'note', text: 'not tried: no node runs', hint: '' },
  ] as const;
  shows(
    renderCheck(lines, wide),
    wide,
    `
ok     configuration  12 settings from /etc/hybrid-cloud/env
wrong  slurm          scontrol may not be run
                      what to do: let the service run it with sudo: see the
                      manual
note   ssh            not tried: no node runs

1 thing is wrong.
`,
  );
  assert.equal(renderCheck(lines.slice(0, 1), wide).at(-1), 'All is well.');
});

test('colours change nothing but the colour', () => {
  const bright = { ...wide, color: true };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours themselves
  const bare = (lines: readonly string[]) => lines.map((line) => line.replace(/\u001b\[\d+m/g, ''));
  const both: [readonly string[], readonly string[]][] = [
    [renderStatus(aStatus({ warnings: ['x'] }), bright), renderStatus(aStatus({ warnings: ['x'] }), wide)],
    [renderJobs(jobs, bright), renderJobs(jobs, wide)],
    [renderNodes([aNode()], bright), renderNodes([aNode()], wide)],
    [renderPlan(aPlan(), bright), renderPlan(aPlan(), wide)],
  ];
  for (const [painted, plainLines] of both) {
    assert.notDeepEqual(painted, plainLines);
    assert.deepEqual(bare(painted), plainLines);
  }
});
