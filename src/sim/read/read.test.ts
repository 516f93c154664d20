import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { pbsDuration, pbsMemory, slurmDuration, slurmMemory, slurmTime } from './fields.ts';
import { LogError, readTrace } from './read.ts';
import type { TraceJob } from './trace.ts';

let folder = '';
let files = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hc-read-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function read(...texts: readonly (string | Buffer)[]) {
  const names = texts.map(() => join(folder, `log-${files++}`));
  for (const [at, text] of texts.entries()) await writeFile(names[at] ?? '', text);
  return readTrace(names);
}

const SWF = `; Computer: made up
; UnixStartTime: 1000000
; MaxNodes: 4
; MaxProcs: 16
1 0 10 100 8 -1 2048 8 3600 2048 1 1 1 1 2 -1 -1 -1
2 50 -1 100 4 -1 -1 -1 -1 -1 -1 1 1 1 -1 -1 -1 -1
`;

test('SWF: seconds, processors asked for before those given, memory per processor, the header', async () => {
  const trace = await read(SWF);
  assert.deepEqual(trace.formats, ['swf']);
  assert.deepEqual(trace.machine, { nodes: 4, cpus: 16 });
  assert.deepEqual(trace.jobs, [
    { id: '1', submit: 1e9, run: 100_000, limit: 3_600_000, nodes: 1, cpus: 8, memoryMiB: 16, queue: '2' },
    { id: '2', submit: 1e9 + 50_000, run: 100_000, limit: null, nodes: 1, cpus: 4, memoryMiB: 0, queue: '' },
  ]);
});

test('SWF: what has no place in a replay is counted by reason; what cannot be read is told with its line', async () => {
  const row = (run: number, procs: number, status: number) =>
    `9 5 0 ${run} ${procs} -1 -1 -1 -1 -1 ${status} 1 1 1 1 1 -1 -1`;
  const trace = await read(
    `${SWF}${row(-1, 4, 0)}\n${row(0, 4, 5)}\n${row(5, -1, 1)}\n${row(5, 4, 2)}\n1 2 3\n9 5 0 1x 4 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1\n`,
  );
  assert.deepEqual(Object.fromEntries(trace.leftOut), {
    'never ran': 1,
    'cancelled before it ran': 1,
    'does not tell its processors': 1,
    'part of a job that was taken up again': 1,
  });
  assert.equal(trace.unreadable, 2);
  assert.match(trace.examples[0] ?? '', /log-\d+:11: 3 fields instead of 18$/);
  assert.match(trace.examples[1] ?? '', /:12: run time is no whole number: "1x"$/);
});

test('a log in gzip is the same log', async () => {
  assert.deepEqual(await read(gzipSync(SWF)), await read(SWF));
});

const HEAD = 'JobID|Submit|Eligible|Start|End|Elapsed|NNodes|NCPUS|ReqMem|Timelimit|State|Partition';
const one = (changes: Partial<Record<string, string>> = {}) => {
  const row: Record<string, string> = {
    JobID: '18',
    Submit: '2026-01-05T10:00:00',
    Eligible: '2026-01-05T10:00:00',
    Start: '2026-01-05T10:01:00',
    End: '2026-01-05T12:01:00',
    Elapsed: '02:00:00',
    NNodes: '2',
    NCPUS: '8',
    ReqMem: '4G',
    Timelimit: '1-00:00:00',
    State: 'COMPLETED',
    Partition: 'cloud',
    ...(changes as Record<string, string>),
  };
  return HEAD.split('|')
    .map((name) => row[name] ?? '')
    .join('|');
};

test('sacct: times, limits and memory in their units', async () => {
  const trace = await read(`${HEAD}\n${one()}\n`);
  assert.deepEqual(trace.jobs, [
    {
      id: '18',
      submit: Date.parse('2026-01-05T10:00:00Z'),
      run: 7_200_000,
      limit: 86_400_000,
      nodes: 2,
      cpus: 8,
      memoryMiB: 4096,
      queue: 'cloud',
    } satisfies TraceJob,
  ]);
  assert.equal(trace.machine, null);
});

describe('sacct, one job', () => {
  const cases: readonly [
    string,
    Partial<Record<string, string>>,
    Partial<TraceJob> | 'left out' | 'unreadable' | 'passed over',
  ][] = [
    ['failed, but it ran', { State: 'FAILED' }, { run: 7_200_000 }],
    ['cancelled by somebody while it ran', { State: 'CANCELLED by 1000' }, { run: 7_200_000 }],
    [
      'cancelled while it waited',
      { State: 'CANCELLED by 1000', Start: 'None', Elapsed: '00:00:00', NNodes: '1' },
      'left out',
    ],
    ['still running', { State: 'RUNNING', End: 'Unknown' }, 'left out'],
    ['waiting', { State: 'PENDING', Start: 'Unknown', End: 'Unknown' }, 'left out'],
    ['ran for less than a second', { Elapsed: '00:00:00' }, { run: 0 }],
    ['a task of an array', { JobID: '18_3' }, { id: '18_3' }],
    ['a part of a job', { JobID: '18.batch' }, 'passed over'],
    [
      'waited for another job first',
      { Eligible: '2026-01-05T10:00:50' },
      { submit: Date.parse('2026-01-05T10:00:50Z') },
    ],
    ['memory for each node', { ReqMem: '4Gn' }, { memoryMiB: 8192 }],
    ['memory for each CPU', { ReqMem: '500Mc' }, { memoryMiB: 4000 }],
    ['no limit', { Timelimit: 'UNLIMITED' }, { limit: null }],
    ['the limit of the partition', { Timelimit: 'Partition_Limit' }, { limit: null }],
    ['seconds since 1970', { Submit: '1767607200', Eligible: '' }, { submit: 1_767_607_200_000 }],
    [
      'a time with its zone',
      { Submit: '2026-01-05T19:00:00+0900', Eligible: '' },
      { submit: Date.parse('2026-01-05T10:00:00Z') },
    ],
    ['put back into the queue (-D)', { State: 'REQUEUED' }, 'left out'],
    ['a node that failed', { State: 'NODE_FAIL' }, { run: 7_200_000 }],
    ['a part of a job of several kinds', { JobID: '18+1' }, { id: '18+1' }],
    ['tasks that nobody started', { JobID: '18_[3-9%2]', State: 'PENDING', Start: 'Unknown' }, 'left out'],
    ['a step of a task', { JobID: '18_3.extern' }, 'passed over'],
    ['a bar in a name', { Partition: 'clo|ud' }, 'unreadable'],
    ['memory in a unit nobody knows', { ReqMem: '4X' }, 'unreadable'],
    ['a day of its own', { Submit: '05/01/2026' }, 'unreadable'],
    ['no duration', { Elapsed: 'long' }, 'unreadable'],
    ['no number', { NCPUS: '8.5' }, 'unreadable'],
  ];
  for (const [title, changes, expected] of cases) {
    test(title, async () => {
      const trace = await read(`${HEAD}\n${one({ JobID: '1' })}\n${one(changes)}\n`);
      const [, job] = trace.jobs;
      if (expected === 'left out') assert.equal([...trace.leftOut.values()][0], 1);
      else if (expected === 'unreadable') assert.equal(trace.unreadable, 1);
      else if (expected === 'passed over')
        assert.deepEqual([trace.jobs.length, trace.leftOut.size, trace.unreadable], [1, 0, 0]);
      else
        assert.partialDeepStrictEqual(
          [...trace.jobs].find((each) => each.id === (expected.id ?? '18')) ?? job,
          expected,
        );
    });
  }
});

test('sacct without a column that is needed says which, and how to get it', async () => {
  await assert.rejects(read('JobID|Submit|State\n1|2026-01-05T10:00:00|COMPLETED\n'), (error) => {
    assert.ok(error instanceof LogError);
    assert.match(error.message, /has no column Elapsed, NNodes, NCPUS; write it with: TZ=UTC sacct -a -X -P/);
    return true;
  });
});

const E = (rest: string) =>
  `01/05/2026 12:01:00;E;407.head;user=taro group=users jobname=my run.sh queue=cloud ${rest}\n`;

test('Torque: the records of ends, hosts and slots, limits and memory', async () => {
  const trace = await read(
    `01/05/2026 10:00:00;Q;407.head;queue=cloud\n${E(
      'ctime=1000 qtime=1000 etime=1010 start=1060 owner=taro@head exec_host=n1/0+n1/1+n2/0-2 Resource_List.nodect=2 Resource_List.walltime=01:30:00 Resource_List.mem=4gb session=7 end=2060 Exit_status=0 resources_used.walltime=00:16:40',
    )}`,
  );
  assert.deepEqual(trace.formats, ['torque']);
  assert.deepEqual(trace.jobs, [
    {
      id: '407.head',
      submit: 1_010_000,
      run: 1_000_000,
      limit: 5_400_000,
      nodes: 2,
      cpus: 5,
      memoryMiB: 4096,
      queue: 'cloud',
    },
  ]);
});

describe('Torque and PBS, one job', () => {
  const cases: readonly [string, string, Partial<TraceJob> | 'left out' | 'unreadable'][] = [
    ['PBS counts CPUs with a star', 'qtime=1 start=2 end=3 exec_host=n1/0*4+n2/1*4', { nodes: 2, cpus: 8 }],
    [
      'ncpus is more than its slots',
      'qtime=1 start=2 end=3 exec_host=n1/0 Resource_List.ncpus=6',
      { nodes: 1, cpus: 6 },
    ],
    [
      'without exec_host: what it asked for',
      'qtime=1 start=2 end=3 Resource_List.nodect=3 Resource_List.nodes=3:ppn=4',
      { nodes: 3, cpus: 12 },
    ],
    ['memory of each process', 'qtime=1 start=2 end=3 exec_host=n1/0-3 Resource_List.pmem=512mb', { memoryMiB: 2048 }],
    ['a job of an array', 'qtime=1 start=2 end=9 exec_host=n1/0', { run: 7000 }],
    ['never started', 'qtime=1 start=0 end=3 exec_host=n1/0', 'left out'],
    ['ends before it starts', 'qtime=1 start=5 end=3 exec_host=n1/0', 'unreadable'],
    ['no end', 'qtime=1 start=5 exec_host=n1/0', 'unreadable'],
    ['slots that nobody can count', 'qtime=1 start=5 end=9 exec_host=n1/x', 'unreadable'],
  ];
  for (const [title, rest, expected] of cases) {
    test(title, async () => {
      const trace = await read(`${E('qtime=1 start=1 end=2 exec_host=n9/0')}${E(rest)}`);
      if (expected === 'left out') assert.equal(trace.leftOut.get('cancelled before it ran'), 1);
      else if (expected === 'unreadable') assert.equal(trace.unreadable, 1);
      else assert.partialDeepStrictEqual(trace.jobs[1], expected);
    });
  }
});

test('several logs of one site are one log, in the order of submission', async () => {
  const trace = await read(
    E('qtime=500 start=500 end=600 exec_host=n1/0'),
    E('qtime=100 start=100 end=200 exec_host=n1/0'),
  );
  assert.deepEqual(
    trace.jobs.map((job) => job.submit),
    [100_000, 500_000],
  );
});

test('sacct -p, lines of Windows, a mark in front, and the names of the columns once more', async () => {
  const trace = await read(`\uFEFF${HEAD}|\r\n${one()}|\r\n${HEAD}|\r\n${one({ JobID: '19' })}|\r\n`);
  assert.deepEqual([trace.jobs.map(({ id }) => id), trace.unreadable], [['18', '19'], 0]);
});

test('a job that is in two logs counts once', async () => {
  const trace = await read(`${HEAD}\n${one()}\n`, `${HEAD}\n${one()}\n${one({ JobID: '19' })}\n`);
  assert.equal(trace.jobs.length, 2);
  assert.deepEqual(Object.fromEntries(trace.leftOut), { 'is in the logs twice': 1 });
});

test('PBS: the record of a whole array is none of a job; other kinds of records are passed over', async () => {
  const record = (type: string, id: string) =>
    `01/05/2026 12:01:00;${type};${id};queue=cloud qtime=1 start=2 end=9 exec_host=n1/0\n`;
  const trace = await read(
    ['Q', 'S', 'R', 'D', 'A'].map((type) => record(type, '7.head')).join('') +
      record('E', '8[1].head') +
      record('E', '8[].head'),
  );
  assert.deepEqual(
    trace.jobs.map(({ id }) => id),
    ['8[1].head'],
  );
  assert.deepEqual([trace.leftOut.size, trace.unreadable], [1, 0]);
});

test('a log that begins in the middle of a record is read from the next one on', async () => {
  const trace = await read(`exec_host=n1/0 end=3\n${E('qtime=1 start=1 end=2 exec_host=n9/0')}`);
  assert.deepEqual([trace.jobs.length, trace.unreadable], [1, 1]);
  assert.match(trace.examples[0] ?? '', /:1: of no format that is known$/);
  await assert.rejects(
    read(`${'x y\n'.repeat(50)}${E('qtime=1 start=1 end=2 exec_host=n9/0')}`),
    /neither the Standard/,
  );
});

test('a file that is no log, an empty one and one that is not there are told apart', async () => {
  await assert.rejects(read('hello\n'), /log-\d+: neither the Standard Workload Format/);
  await assert.rejects(read(''), /no job that ran is in/);
  await assert.rejects(read(`${HEAD}\n${one({ State: 'RUNNING' })}\n`), /no job that ran is in .*: 1 has not ended$/);
  await assert.rejects(readTrace([join(folder, 'missing')]), /missing: ENOENT/);
  await assert.rejects(read(gzipSync(SWF).subarray(0, 60)), /unexpected end of file/);
});

test('whatever stands in the other lines, the good ones are read and the rest is counted', async () => {
  const bit = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('|', ';', '=', '2026-01-05T10:00:00', '9'.repeat(40)),
  );
  const broken = fc.array(fc.array(bit, { maxLength: 14 }).map((bits) => bits.join('').replaceAll(/[\r\n]/g, ' ')));
  const good = [SWF, `${HEAD}\n${one()}\n`, E('qtime=1 start=1 end=2 exec_host=n9/0')];
  const property = fc.asyncProperty(fc.constantFrom(...good), broken, async (log, rest) => {
    const trace = await read(`${log}${rest.join('\n')}\n`);
    assert.ok(trace.jobs.length >= 1);
    assert.ok(
      trace.jobs.every(({ submit, run: ran, cpus, nodes }) => [submit, ran, cpus, nodes].every(Number.isFinite)),
    );
    const told = [...trace.leftOut.values()].reduce((sum, times) => sum + times, trace.unreadable);
    assert.ok(told <= rest.length);
  });
  await fc.assert(property, { numRuns: 200 });
});

describe('fields', () => {
  const durations: readonly [(text: string, what: string) => number, string, number | null][] = [
    [slurmDuration, '00:01:40', 100],
    [slurmDuration, '01:40', 100],
    [slurmDuration, '2-03:00:00', 183_600],
    [slurmDuration, '2-03', 183_600],
    [slurmDuration, '100', null],
    [slurmDuration, '-1:00', null],
    [pbsDuration, '100', 100],
    [pbsDuration, '01:40', 100],
    [pbsDuration, '2:03:00:00', 183_600],
    [pbsDuration, '1d', null],
  ];
  for (const [parse, text, seconds] of durations) {
    test(`${parse.name} of "${text}" is ${seconds ?? 'none'}`, () => {
      if (seconds === null) assert.throws(() => parse(text, 'it'), /it is no duration/);
      else assert.equal(parse(text, 'it'), seconds * 1000);
    });
  }
  test('amounts of memory', () => {
    assert.deepEqual(
      [
        slurmMemory('', 1, 1),
        slurmMemory('512', 1, 1),
        slurmMemory('1.5G', 1, 1),
        slurmMemory('2048K', 1, 1),
        slurmMemory('1T', 1, 1),
      ],
      [0, 512, 1536, 2, 1_048_576],
    );
    assert.deepEqual([pbsMemory('1048576', 'm'), pbsMemory('2MB', 'm'), pbsMemory('1gw', 'm')], [1, 2, 8192]);
    for (const text of ['4', '4gib', 'gb', '-1gb']) {
      if (text === '4') assert.ok(pbsMemory(text, 'm') < 1);
      else assert.throws(() => pbsMemory(text, 'm'), /no amount of memory/);
    }
  });
  test('times', () => {
    assert.deepEqual([slurmTime('Unknown', 't'), slurmTime('None', 't'), slurmTime('', 't')], [null, null, null]);
    assert.throws(() => slurmTime('2026-13-05T10:00:00', 't'), /t is no time/);
  });
});
