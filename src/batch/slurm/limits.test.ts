/**
 * What keeps a job waiting besides nodes, as 22.05.8 printed it: in the moment after the submission, when the scheduler
 * has not looked at most of the jobs, and later.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Job } from '../../domain/job.ts';
import { parseTimeLimit } from './amounts.ts';
import { waitsForJobs } from './dependency.ts';
import { fixture, slurmOf } from './fixtures/replay.ts';
import { parseWish, readLicences, withLicences } from './licences.ts';

const C = ['c1', 'c2', 'c3', 'c4'];
const SUBMITTED = 1_795_599_264_000;

async function jobsOf(name: string, style: 'long' | 'short', now: number): Promise<readonly Job[]> {
  const { batch } = slurmOf(
    {
      nodes: fixture('22.05/nodes-drained-before-birth.txt'),
      jobs: (asked) => (asked === style ? fixture(`22.05/${name}.${style}.txt`) : 'x\n'),
      other: (command) =>
        command.endsWith('show licenses')
          ? fixture('22.05/licenses.txt')
          : fixture(`22.05/partition-${name.startsWith('jobs-down') ? 'down' : 'up'}.txt`),
    },
    now,
  );
  const { jobs, unreadable } = await batch.getStatus('cloud', C);
  assert.deepEqual(unreadable, []);
  return jobs;
}

const fate = ({ name, helped, because }: Job) => [name, helped === 'yes' ? 'helped' : because];

const FATES = [
  ['first', 'helped'],
  ['depends', 'it waits for another job'],
  ['depends on either', 'it waits for another job'],
  ['single', 'helped'],
  ['single', 'it waits for another job'],
  ['later', 'its begin time has not come'],
  ['soon', 'its begin time has not come'],
  ['two licences', 'helped'],
  ['no licence left', 'it waits for licences (matlab)'],
  ['two kinds', 'it waits for licences (octave, matlab)'],
  ['array with licences', 'helped'],
  ['array of two at a time', 'helped'],
  ['array that depends', 'it waits for another job'],
  ['two tasks on each', 'helped'],
  ['two tasks on each, four in all', 'helped'],
  ['one task of two CPUs on each', 'helped'],
  ['one to three nodes', 'helped'],
  ['four CPUs on its node', 'helped'],
  ['a day', 'helped'],
];

for (const style of ['long', 'short'] as const) {
  describe(`${style} format`, () => {
    test('in the moment after the submission every job is judged by itself, though the reason says nothing', async () => {
      const jobs = await jobsOf('jobs-limits-at-once', style, SUBMITTED + 500);
      assert.ok(jobs.every((job) => job.reason.startsWith('ReqNodeNotAvail')));
      assert.deepEqual(jobs.map(fate), FATES);
    });

    test('eight seconds later the same holds, and the begin time that came has come', async () => {
      const jobs = await jobsOf('jobs-limits', style, SUBMITTED + 8_500);
      const now = new Map(jobs.map((job) => fate(job) as [string, string]));
      for (const [name, said] of FATES.filter(([one]) => one !== 'single')) {
        assert.equal(now.get(String(name)), name === 'soon' ? 'helped' : said, String(name));
      }
    });

    test('what they ask for', async () => {
      const jobs = await jobsOf('jobs-limits-at-once', style, SUBMITTED + 500);
      const of = (name: string) => jobs.find((job) => job.name === name);
      const asked = (name: string) => [of(name)?.ask.nodes, of(name)?.ask.cpus, of(name)?.ask.cpusPerNode];
      assert.deepEqual(asked('two tasks on each'), [2, 4, 2]);
      assert.deepEqual(asked('two tasks on each, four in all'), [2, 4, 2]);
      assert.deepEqual(asked('one task of two CPUs on each'), [4, 8, 2]);
      assert.deepEqual(asked('one to three nodes'), [3, 3, 1], 'as many as it may have');
      assert.deepEqual(asked('four CPUs on its node'), [1, 4, 4]);
      assert.deepEqual(
        [of('first')?.timeLimit, of('a day')?.timeLimit, of('single')?.timeLimit],
        [30 * 60_000, 86_400_000, null],
      );
      assert.deepEqual([of('later')?.notBefore, of('soon')?.notBefore], [SUBMITTED + 600_000, SUBMITTED + 3_000]);
      assert.deepEqual([of('array with licences')?.tasks, of('array with licences')?.mayStart], [3, 1]);
      assert.deepEqual([of('array of two at a time')?.tasks, of('array of two at a time')?.taskLimit], [5, 2]);
    });

    test('hosts that they name', async () => {
      const jobs = await jobsOf('jobs-named', style, 1_795_610_329_000);
      assert.deepEqual(
        jobs.map(({ name, helped, ask }) => [name, helped, ask.nodes, ask.hosts ?? []]),
        [
          ['-w c2', 'yes', 1, ['c2']],
          ['-N2 -w c2,c4', 'yes', 2, ['c2', 'c4']],
          ['-N3 -w c[1-2]', 'yes', 3, ['c1', 'c2']],
          ['-x c1', 'yes', 1, []],
          ['plain', 'yes', 1, []],
          ['--array=1-3 -w c4', 'yes', 1, ['c4']],
        ],
      );
    });

    test('a dependency that can never be fulfilled, and one that was', async () => {
      const jobs = await jobsOf('jobs-limits-cancelled', style, SUBMITTED + 30_000);
      const now = new Map(jobs.map((job) => fate(job) as [string, string]));
      assert.equal(now.get('depends'), 'it depends on a job that will never end as asked');
      assert.equal(now.get('depends on either'), 'helped', 'afterany is fulfilled by a cancelled job');
      assert.equal(now.get('array that depends'), 'it depends on a job that will never end as asked');
    });

    test('no job of a partition that is down is helped once the scheduler has looked', async () => {
      const jobs = await jobsOf('jobs-down', style, SUBMITTED + 15_000);
      assert.deepEqual(
        jobs.filter((job) => job.helped !== 'no'),
        [],
      );
    });
  });
}

test('a job of a partition that is down is not helped, also before the scheduler has looked at it', async () => {
  const jobs = await jobsOf('jobs-down-at-once', 'long', SUBMITTED + 9_000);
  const job = jobs.find((one) => one.name === 'while down');
  assert.match(job?.reason ?? '', /^ReqNodeNotAvail/);
  assert.deepEqual([job?.helped, job?.because], ['no', 'the partition is down or takes no jobs']);
});

test('a third command is rare: for a new job twice a minute, for licences once', async () => {
  const { batch, commands } = slurmOf(
    { nodes: fixture('22.05/nodes-drained-before-birth.txt'), jobs: fixture('22.05/jobs-limits-at-once.long.txt') },
    SUBMITTED + 500,
  );
  const asked = async () => {
    commands.length = 0;
    await batch.getStatus('cloud', C);
    return commands.map((command) => / (show \w+|squeue) /.exec(`${command} `)?.[1]);
  };
  assert.deepEqual(await asked(), ['show node', 'squeue', 'show partition', 'show licenses']);
  assert.deepEqual(await asked(), ['show node', 'squeue']);
});

test('dependencies of all forms and releases', () => {
  const [waits, never] = ['it waits for another job', 'it depends on a job that will never end as asked'];
  for (const [text, says] of [
    ['', null],
    ['(null)', null],
    ['afterok:12', waits],
    ['afterok:12,afterany:13', waits],
    ['afterok:12(unfulfilled)', waits],
    ['after:12+30(unfulfilled)', waits],
    ['singleton(unfulfilled)', waits],
    ['aftercorr:12_*(unfulfilled)', waits],
    ['afterok:12(failed)', never],
    ['afterok:12(unfulfilled),afterok:13(failed)', never],
    ['afterok:12(unfulfilled)?afterok:13(failed)', waits],
    ['afterok:12(failed)?afterok:13(failed)', never],
    ['afterok:12(fulfilled)?afterok:13(unfulfilled)', null],
    ['afterok:12(fulfilled),afterok:13(unfulfilled)', waits],
    ['afterok:12(fulfilled)', null],
  ] as const) {
    assert.equal(waitsForJobs(text), says, text);
  }
});

test('time limits of all forms', () => {
  for (const [text, ms] of [
    ['30:00', 1_800_000],
    ['0:30', 30_000],
    ['2:00:00', 7_200_000],
    ['1-00:00:00', 86_400_000],
    ['UNLIMITED', null],
    ['Partition_Limit', null],
    ['NOT_SET', null],
    ['INVALID', null],
    ['', null],
  ] as const) {
    assert.equal(parseTimeLimit(text), ms, text);
  }
});

describe('licences', () => {
  test('what a job asks for', () => {
    assert.equal(parseWish('(null)'), null);
    assert.equal(parseWish(''), null);
    assert.deepEqual(parseWish('matlab'), [[['matlab', 1]]]);
    assert.deepEqual(parseWish('matlab:2,abaqus@server:3'), [
      [
        ['matlab', 2],
        ['abaqus@server', 3],
      ],
    ]);
    assert.deepEqual(parseWish('matlab:2|octave'), [[['matlab', 2]], [['octave', 1]]]);
  });

  test('they are handed out in the order of the queue; either will do; one nobody tells of is no obstacle', () => {
    const free = readLicences(fixture('22.05/licenses.txt'));
    assert.deepEqual(
      [...free],
      [
        ['matlab', 2],
        ['octave', 1],
      ],
    );
    const base = { state: 'waiting', helped: 'yes', because: '', tasks: 1, taskLimit: null } as unknown as Job;
    const asks = ['octave:1', 'matlab:1|octave:1', 'matlab:1|octave:1', 'octave:1|matlab:1', 'elsewhere:9'];
    const jobs = asks.map((id) => ({ ...base, id }));
    const held = { ...base, id: 'matlab:2', helped: 'no' as const };
    const after = withLicences([held, ...jobs], (job) => parseWish(job.id), free);
    assert.deepEqual(
      after.map((job) => job.helped),
      ['no', 'yes', 'yes', 'yes', 'no', 'yes'],
    );
  });
});
