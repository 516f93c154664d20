/**
 * Everything a real pbs_server 6.1.3 was recorded to print by qstat and pbsnodes, each as the answer to our own
 * question: what the adapter says of it stands in fixtures/expected.json, or the kind of error it must be.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { recordings, replayed, type Told, told } from '../pbs-family/fixtures/replay.ts';
import { makeTorque } from './torque.ts';

const folder = join(import.meta.dirname, 'fixtures');
const HOSTS = ['t1', 't2', 't3'];
const all = recordings(folder);
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, Told>;
const file = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('recorded from Torque 6.1.3', () => {
  for (const { name, command, code, stdout, stderr } of all) {
    test(`${name}: ${command}`, async () => {
      const answer = { stdout, stderr, code };
      const answers = command.startsWith('pbsnodes')
        ? { nodes: answer, jobs: '<Data></Data>' }
        : { nodes: file(nodesBeside(name)), jobs: answer };
      const { batch } = replayed(makeTorque, answers);
      assert.deepEqual(await told(batch.getStatus('cloud', HOSTS)), expected[name]);
    });
  }

  test('every recording is in the table, and the table has no other', () => {
    assert.deepEqual(Object.keys(expected).sort(), all.map(({ name }) => name).sort());
  });

  test('only what the adapter itself asks for is taken for an answer, and what is empty in both forms', () => {
    const strange = all.filter(({ name, command, stdout, code }) => {
      const asked = /^qstat .*-?x|^pbsnodes -x/.test(command);
      return !('error' in (expected[name] ?? { error: '' })) && !asked && !(stdout.trim() === '' && code <= 1);
    });
    assert.deepEqual(strange, []);
  });
});

/** The nodes as they were when these jobs were recorded. */
function nodesBeside(name: string): string {
  const situation = /^qstat_(array_0-9|array_limit|mixed|multinode|predefined|routing)_/.exec(name)?.[1];
  return situation === undefined ? 'pbsnodes_props_x.xml' : `qstat_${situation}_pbsnodes_x.xml`;
}
