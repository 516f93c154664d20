/**
 * Everything a real OpenPBS 23.06.06 was recorded to print by qstat and pbsnodes, each as the answer to our own
 * question: what the adapter says of it stands in fixtures/expected.json, or the kind of error it must be.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { recordings, replayed, type Told, told } from '../pbs-family/fixtures/replay.ts';
import { makePbs } from './pbs.ts';

const folder = join(import.meta.dirname, 'fixtures');
const HOSTS = ['p1', 'p2', 'g1'];
const all = recordings(folder);
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, Told>;
const NO_JOBS = '{\n\t"pbs_version":\t"23.06.06",\n\t"pbs_server":\t"pbhead"\n}\n';

describe('recorded from OpenPBS 23.06.06', () => {
  for (const { name, command, code, stdout, stderr } of all) {
    test(`${name}: ${command}`, async () => {
      const answer = { stdout, stderr, code };
      const answers = /(^|\s)pbsnodes /.test(command)
        ? { nodes: answer, jobs: beside(name, 'qstat-f-t-json') ?? NO_JOBS }
        : {
            nodes: beside(name, 'pbsnodes-av-json') ?? beside('nodes-extra-x', 'pbsnodes-av-json') ?? '',
            jobs: answer,
          };
      const { batch } = replayed(makePbs, {
        ...answers,
        ...{ queue: beside(name, 'qstat-Qf') ?? beside('idle-x', 'qstat-Qf') ?? '' },
        ...{ server: beside(name, 'qstat-Bf') ?? beside('idle-x', 'qstat-Bf') ?? '' },
      });
      assert.deepEqual(await told(batch.getStatus('cloud', HOSTS)), expected[name]);
    });
  }

  test('every recording is in the table, and the table has no other', () => {
    assert.deepEqual(Object.keys(expected).sort(), all.map(({ name }) => name).sort());
  });

  test('only what the adapter itself asks for is taken for an answer', () => {
    const strange = all.filter(
      ({ name, command }) => !('error' in (expected[name] ?? { error: '' })) && !command.includes('-F json'),
    );
    assert.deepEqual(
      strange.map(({ name, stdout }) => [name, stdout]),
      // no node is defined at all: an empty list, in words
      strange.map(({ name }) => [name, '']),
    );
  });
});

/** What another command printed in the same situation. */
function beside(name: string, other: string): string | undefined {
  const situation = /^(.*?)-(qstat|pbsnodes|x)/.exec(name)?.[1] ?? '';
  const path = join(folder, `${situation}-${other}.stdout`);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text.trim() === '' ? undefined : text;
}
