/**
 * The known faults of PBS's JSON: repaired where it can be done, refused where not, and never at the cost of the rest.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BatchError } from '../../domain/errors.ts';
import { type Answers, replayed } from '../pbs-family/fixtures/replay.ts';
import { isNamed, readJson } from './json.ts';
import { makePbs } from './pbs.ts';

const file = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', `${name}.stdout`), 'utf8');
const JOBS = file('held-qstat-f-t-json');
const NODES = file('held-pbsnodes-av-json');
const read = (answers: Answers) =>
  replayed(makePbs, { nodes: NODES, jobs: JOBS, ...answers }).batch.getStatus('cloud', ['p1', 'p2']);

test('quotes and control characters in a value are repaired', () => {
  for (const value of ['a"b', '"""', 'x\\y', 'tab\there', 'bell\u0007', 'C:\\new "and" more']) {
    const spoiled = JOBS.replace(/"Submit_arguments":\t".*"/, () => `"Submit_arguments":\t"${value}"`);
    const { entries, broken, cut } = readJson(spoiled, 'Jobs');
    assert.deepEqual([entries.size, broken, cut], [8, [], false], JSON.stringify(value));
  }
});

test('an entry that cannot be repaired is shown, and the others are read', async () => {
  const spoiled = JOBS.replace('"job_state":\t"H",', '"job_state":\t H{,');
  const { jobs, unreadable } = await read({ jobs: spoiled });
  assert.equal(jobs.length, 7);
  assert.match(unreadable[0] ?? '', /^job 7\.pbhead: a damaged record$/);
});

test('a running job that cannot be read keeps the machine of its node', async () => {
  const nodes = NODES.replaceAll(/"jobs":.*\n/g, '')
    .replaceAll('"job-busy"', '"free"')
    .replaceAll(/"ncpus":\t2\n\t\t\t\},\n\t\t\t"(comment|resv)/g, '"x":\t0\n\t\t\t},\n\t\t\t"$1');
  const spoiled = JOBS.replace(/"exec_vnode":\t"\(p1/, '"exec_vnode":\t "(p1');
  assert.notEqual(spoiled, JOBS);
  const { nodes: views } = await read({ nodes, jobs: spoiled.replace('"substate":\t42', '"substate":\t4 2') });
  assert.deepEqual(
    views.map((node) => [node.host, node.hasJob]),
    [
      ['p1', true],
      ['p2', true],
    ],
  );
});

test('two entries of one id are none', () => {
  const twice = JOBS.replaceAll('"8.pbhead":\t{', '"7.pbhead":\t{');
  const { entries, broken } = readJson(twice, 'Jobs');
  assert.equal(entries.has('7.pbhead'), false);
  assert.deepEqual(
    broken.map(({ id }) => id),
    ['7.pbhead'],
  );
});

test('a document that was cut, or is another, is refused', async () => {
  for (const text of [JOBS.slice(0, -3), JOBS.slice(0, 2000), '{}', '[]', 'null', '{"Jobs":{}}', 'Job id  Name']) {
    await assert.rejects(
      read({ jobs: text }),
      (error) => error instanceof BatchError && error.kind === 'garbled',
      text.slice(-20),
    );
  }
});

test('with the server down a whole document is printed: the exit code is what counts', async () => {
  const answer = {
    stdout: file('srvdown-qstat-f-t-F-json'),
    stderr: 'Connection refused\nqstat: cannot connect to server pbhead (errno=15010)\n',
    code: 255,
  };
  await assert.rejects(read({ jobs: answer }), (error) => error instanceof BatchError && error.kind === 'silent');
});

test('jobs that a node names and the list forgot are asked for again, and the server counts', async () => {
  const without = (text: string): string => text.replace(/\t\t"4\.pbhead":\t\{.*?\n\t\t\},\n/s, '');
  assert.notEqual(without(JOBS), JOBS);
  const server = (running: number): string =>
    `Server: pbhead\n    state_count = Transit:0 Queued:2 Held:4 Waiting:1 Running:${running} Exiting:0 Begun\n\t:0 \n`;
  // it ended between the two commands: the counters agree with the list
  assert.equal((await read({ jobs: without(JOBS), server: server(0) })).jobs.length, 7);
  await assert.rejects(read({ jobs: without(JOBS), server: server(1) }), (error) => {
    assert.ok(error instanceof BatchError && error.kind === 'garbled');
    assert.match(error.message, /left out jobs that the server counts/);
    return true;
  });
});

test('a queue whose name PBS took for a number is found', () => {
  assert.equal(isNamed(7, '007'), true);
  assert.equal(isNamed(true, 'true'), true);
  assert.equal(isNamed('cloud', 'cloud'), true);
  assert.equal(isNamed(7, 'cloud'), false);
  assert.equal(isNamed(undefined, 'undefined'), false);
});
