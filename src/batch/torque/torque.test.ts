/**
 * Trouble of every kind, on output as recorded or as other versions print it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BatchError } from '../../domain/errors.ts';
import { manualClock } from '../../lib/clock.ts';
import { makePbs } from '../pbs/pbs.ts';
import { type Answer, type Answers, replayed } from '../pbs-family/fixtures/replay.ts';
import { makeTorque } from './torque.ts';

const file = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
const NODES = file('qstat_mixed_pbsnodes_x.xml');
const JOBS = file('qstat_mixed_t_x.xml');
const read = (answers: Answers) =>
  replayed(makeTorque, { nodes: NODES, jobs: JOBS, ...answers }).batch.getStatus('cloud', ['t1', 't2']);

test('hosts that a job names are asked for by name, however its groups are written', async () => {
  for (const [nodes, count, hosts] of [
    ['t1:ppn=2+t2:ppn=2', 2, ['t1', 't2']],
    ['t2+1', 2, ['t2']],
    ['t2+1:bigmem', 2, ['t2']],
    ['1:bigmem+1', 2, undefined],
    ['2:ppn=2', 2, undefined],
  ] as const) {
    const { jobs } = await read({
      nodes: NODES.replaceAll('<np>', '<properties>bigmem</properties><np>'),
      jobs: JOBS.replace('<Resource_List><nodes>2:ppn=2', `<Resource_List><nodes>${nodes}`),
    });
    const ask = jobs.find((job) => job.id === '49.tqhead')?.ask;
    assert.deepEqual([ask?.nodes, ask?.hosts], [count, hosts], nodes);
  }
});

describe('bad input', () => {
  test('half a document is refused, wherever it ends', async () => {
    for (const part of [0.1, 0.5, 0.9, 0.999]) {
      const cut = { jobs: JOBS.slice(0, Math.floor(JOBS.length * part)) };
      await assert.rejects(read(cut), (error) => error instanceof BatchError && error.kind === 'garbled');
      const nodes = { nodes: NODES.slice(0, Math.floor(NODES.length * part)) };
      await assert.rejects(read(nodes), (error) => error instanceof BatchError && error.kind === 'garbled');
    }
  });

  test('no output at all is no job (before 4.2), but never no node', async () => {
    assert.deepEqual((await read({ jobs: '' })).jobs, []);
    await assert.rejects(read({ nodes: '' }), (error) => error instanceof BatchError && error.kind === 'garbled');
  });

  test('control characters and ]]> in a name stay in the name', async () => {
    const name = 'x]]&gt;\u0007\u001b[2J&lt;job_state&gt;R';
    const { jobs, unreadable } = await read({ jobs: JOBS.replace('<Job_Name>multi<', `<Job_Name>${name}<`) });
    assert.deepEqual(unreadable, []);
    assert.equal(jobs.find((job) => job.id === '49.tqhead')?.name, 'x]]> [2J<job_state>R');
  });

  test('one record among many that cannot be read is shown, and the rest is used', async () => {
    for (const [from, to, says] of [
      ['<Job_Id>49.tqhead</Job_Id>', '<Job_Id>49.tqhead', /^a job record/],
      ['<Resource_List><nodes>2:ppn=2', '<Resource_List><nodes>2::', /^job 49\.tqhead: request/],
      ['<Job_Id>49.tqhead</Job_Id>', '<Job_Id></Job_Id>', /^job : id/],
    ] as const) {
      const all = (await read({})).jobs.length;
      const { jobs, unreadable } = await read({ jobs: JOBS.replace(from, to) });
      assert.equal(jobs.length, all - 1, to);
      assert.equal(unreadable.length, 1);
      assert.match(unreadable[0] ?? '', says);
    }
  });

  test('a running job that cannot be read keeps the machine of its node', async () => {
    const free = NODES.replace('<state>job-exclusive</state>', '<state>free</state>').replace(/<jobs>.*?<\/jobs>/, '');
    const jobs = JOBS.replace('<exec_host>t1/0-1</exec_host>', '<exec_host>t1/0-1/?</exec_host>');
    const node = (await read({ nodes: free, jobs })).nodes[0];
    assert.deepEqual([node?.state, node?.hasJob], ['busy', true]);
  });

  test('a word of a state that nobody knows makes the node unknown, and it keeps its machine', async () => {
    const node = (await read({ nodes: NODES.replace('job-exclusive', 'resting') })).nodes[0];
    assert.deepEqual([node?.state, node?.hasJob, node?.closed], ['unknown', true, 'theirs']);
  });
});

test('what a job takes that started between the two readings is not told as free', async () => {
  const before = NODES.replace('<state>job-exclusive</state>', '<state>free</state>')
    .replace(/<jobs>.*?<\/jobs>/, '')
    .replace(/,jobs=[^<]*/, ',jobs=');
  const [late] = (await read({ nodes: before })).nodes;
  const [counted] = (await read({})).nodes;
  assert.deepEqual([late?.state, late?.hasJob, late?.cpusFree], ['busy', true, 0]);
  assert.deepEqual(late?.cpusFree, counted?.cpusFree);
});

test('a job of the mom that the server has already ended keeps the node busy, while the mom lives', async () => {
  const free = NODES.replace('<state>job-exclusive</state>', '<state>free</state>').replace(/<jobs>.*?<\/jobs>/, '');
  const status = (jobs: string, state = 'free'): string =>
    free.replace('jobs=</status>', `jobs=${jobs}</status>`).replace('<state>free</state>', `<state>${state}</state>`);
  const nodes = async (text: string) => (await read({ nodes: text, jobs: '<Data></Data>' })).nodes[0];
  assert.deepEqual((await nodes(status('9.tqhead 8.tqhead')))?.jobs, ['9.tqhead', '8.tqhead']);
  assert.deepEqual((await nodes(status('9.tqhead(cput=0,mem=5kb)')))?.jobs, ['9.tqhead']);
  const down = await nodes(status('9.tqhead', 'down'));
  assert.deepEqual([down?.state, down?.hasJob], ['down', false], 'what a lost mom said is old');
});

test('a node opened by us that is down until its mom reports counts as before, for a while', async () => {
  const clock = manualClock();
  const node = (state: string, rectime: number, note = ''): string =>
    `<Data><Node><name>t1</name><state>${state}</state><np>2</np><status>physmem=1kb,rectime=${rectime},jobs=</status><note>${note}</note></Node></Data>`;
  let nodes = node('offline', 100, 'hybrid-cloud: waits');
  const answers: Answers = {
    get nodes() {
      return nodes;
    },
    jobs: '<Data></Data>',
    other: (command): Answer => {
      if (command.startsWith('pbsnodes -c')) nodes = node('down', 100);
      return '';
    },
  };
  const { batch } = replayed(makeTorque, answers, clock);
  const state = async () => (await batch.getStatus('cloud', ['t1'])).nodes[0]?.state;
  assert.deepEqual(await batch.joinCluster(['t1']), [{ host: 't1', result: 'done', message: '' }]);
  assert.equal(await state(), 'idle');
  await clock.advance(60_000);
  assert.equal(await state(), 'idle');
  nodes = node('down', 160);
  assert.equal(await state(), 'down', 'its mom has reported: it is down for another reason');
  nodes = node('down', 100);
  assert.equal(await state(), 'down', 'and it is not forgiven again');
});

test('the scheduler is told of a node when it is back and jobs wait, once, and only when nobody switched it off', async () => {
  for (const scheduling of ['True', 'False']) {
    const node = (state: string, rectime: number): string =>
      `<Data><Node><name>t1</name><state>${state}</state><np>2</np><status>physmem=1kb,rectime=${rectime},jobs=</status><note>hybrid-cloud: x</note></Node></Data>`;
    let nodes = node('offline', 100);
    const answers: Answers = {
      get nodes() {
        return nodes;
      },
      jobs: JOBS.replace(/<Job><Job_Id>4[13].*?<\/Job>/g, ''),
      server: `Server: tqhead\n    scheduling = ${scheduling}\n`,
      other: (command): Answer => {
        if (command.startsWith('pbsnodes -c')) nodes = node('down', 100).replace('hybrid-cloud: x', '');
        return '';
      },
    };
    const { batch, commands } = replayed(makeTorque, answers);
    await batch.joinCluster(['t1']);
    const looks = async (): Promise<string[]> => {
      commands.length = 0;
      await batch.getStatus('cloud', ['t1']);
      return commands.slice(2);
    };
    assert.deepEqual(await looks(), [], 'it is not back yet');
    nodes = node('free', 145).replace('hybrid-cloud: x', '');
    const told = scheduling === 'True' ? ['qmgr -c set server scheduling = True'] : [];
    assert.deepEqual(await looks(), ['qstat -B -f', ...told]);
    assert.deepEqual(await looks(), [], 'once');
  }
});

describe('versions', () => {
  const says = (text: string, code = 0): Answers => ({ other: () => ({ stdout: text, code }) });
  const cases: readonly (readonly [typeof makeTorque, string, number, string | null, RegExp])[] = [
    [makeTorque, 'Version: 6.1.3\nCommit: \n', 0, null, /Torque 6\.1\.3/],
    [makeTorque, 'version: 4.2.10\n', 0, null, /Torque 4\.2\.10/],
    [makeTorque, 'version: 2.5.13\n', 0, 'version', /4, 5 and 6 are known.*6\.1\.3/],
    [makeTorque, 'pbs_version = 23.06.06\n', 0, 'version', /BATCH_SYSTEM=pbs/],
    [makeTorque, 'GE 6.2u5\nusage: qstat [options]\n [-ext] view\n', 1, 'version', /BATCH_SYSTEM=gridengine/],
    [makeTorque, 'hello\n', 0, 'version', /this is not Torque/],
    [makePbs, 'pbs_version = 23.06.06\n', 0, null, /PBS 23\.06\.06/],
    [makePbs, 'pbs_version = 2022.1.1\n', 0, null, /PBS 2022\.1\.1/],
    [makePbs, 'pbs_version = 19.1.3\n', 0, null, /PBS 19\.1\.3/],
    [makePbs, 'pbs_version = 13.1\n', 0, 'version', /19 to 23 are known/],
    [makePbs, 'pbs_version = 25.01.0\n', 0, 'version', /tested with 23\.06\.06/],
    [makePbs, 'Version: 6.1.3\n', 0, 'version', /BATCH_SYSTEM=torque/],
  ];
  for (const [make, text, code, kind, pattern] of cases) {
    test(`${make.name} and ${JSON.stringify(text.slice(0, 30))}: ${kind ?? 'fine'}`, async () => {
      const { batch } = replayed(make, says(text, code));
      if (kind === null) assert.match((await batch.checkVersion()).text, pattern);
      else {
        await assert.rejects(batch.checkVersion(), (error) => {
          assert.ok(error instanceof BatchError);
          assert.equal(error.kind, kind);
          assert.match(`${error.message} ${error.hint}`, pattern);
          return true;
        });
      }
    });
  }

  test('commands that are not there are named', async () => {
    const { batch } = replayed(makeTorque, { other: () => ({ code: null, notFound: true }) });
    await assert.rejects(batch.checkVersion(), (error) => {
      assert.ok(error instanceof BatchError && error.kind === 'missing');
      assert.match(error.message, /qstat/);
      return true;
    });
  });
});
