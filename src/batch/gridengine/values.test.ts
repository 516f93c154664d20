/** Small values: memory, slots, notes, queue requests, shapes of parallel jobs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../test/support/fuzz.ts';
import { MARK } from '../batch.ts';
import { fewest, parseMiB, parseSlots } from './amounts.ts';
import { needOf, type Sizes } from './ask.ts';
import type { Cell, Resource, Rule } from './cell.ts';
import { decodeNote, encodeNote, isOurs, notOursIn, ourNote } from './note.ts';
import { matches } from './queues.ts';
import type { JobRecord } from './records.ts';

test('memory', () => {
  for (const [text, mib] of [
    ['1000.000M', 1000],
    ['23.541G', 23.541 * 1024],
    ['1048576', 1],
    ['1024K', 1],
    ['1g', 1e9 / 2 ** 20],
    ['0.0', 0],
    ['infinity', null],
    ['-', null],
    ['', null],
    ['1.5X', null],
  ] as const) {
    assert.equal(parseMiB(text), mib, text);
  }
});

test('slots asked for', () => {
  assert.deepEqual(parseSlots('4'), [{ from: 4, to: 4 }]);
  assert.deepEqual(parseSlots('4-6,1,2'), [
    { from: 1, to: 1 },
    { from: 2, to: 2 },
    { from: 4, to: 6 },
  ]);
  assert.deepEqual(parseSlots('3-'), [{ from: 3, to: Number.MAX_SAFE_INTEGER }]);
  for (const text of ['', '-', 'x', '0', '5-2', '1,,2']) assert.equal(parseSlots(text), null, text);
  assert.equal(fewest([{ from: 3, to: 8 }], 4), 4);
  assert.equal(fewest([{ from: 5, to: 7 }], 4), null);
});

describe('the note', () => {
  test('any text comes back as it was, in one line', () => {
    fuzz(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab ,=%<>\\"\'é!;[]&'), maxLength: 80 }), (text) => {
        const written = encodeNote(text);
        assert.doesNotMatch(written, /[,=<\\"'\n]/);
        assert.equal(decodeNote(written), text.trim());
      }),
      { numRuns: 500 },
    );
    assert.equal(decodeNote('a%lt;b'), 'a<b', 'as qstat prints it when a person wrote it');
    assert.equal(encodeNote('two\nlines\u001b[2J'), 'two lines [2J');
  });

  test('is ours by its first word only', () => {
    assert.ok(isOurs(ourNote('idle', [])));
    assert.ok(!isOurs(`fan broken, ${MARK} closed it before`));
    assert.ok(!isOurs(''));
  });

  test('names the queues that a person had closed, however long the reason is', () => {
    assert.deepEqual(notOursIn(ourNote('idle', ['test.q', 'big'])), ['test.q', 'big']);
    assert.deepEqual(notOursIn(ourNote('x'.repeat(500), ['test.q'])), ['test.q']);
    assert.deepEqual(notOursIn(ourNote('idle [not: cloud]', [])), []);
    assert.deepEqual(notOursIn('mine [not: test.q]'), []);
  });
});

test('patterns of names', () => {
  for (const [pattern, text, expected] of [
    ['cloud', 'cloud', true],
    ['cloud', 'clouds', false],
    ['c*d', 'cloud', true],
    ['c?oud', 'cloud', true],
    ['c[kl]oud', 'cloud', true],
    ['c[!l]oud', 'cloud', true],
    ['a|cl*', 'cloud', true],
    ['a.q', 'abq', false],
    ['a+', 'aa', false],
    ['[', 'x', false],
    ['!all.q', 'cloud', true],
  ] as const) {
    assert.equal(matches(pattern, text), expected, `${pattern} ${text}`);
  }
});

describe('what a job needs', () => {
  const resource = { type: 'MEMORY', relation: '<=', counted: 'slot', fallback: '0' } as const;
  const cell: Cell = {
    resources: new Map<string, Resource>([
      ['mem', resource],
      ['scratch', { ...resource, counted: 'job' }],
      ['gpu', { ...resource, type: 'INT' }],
      ['exclusive', { ...resource, type: 'BOOL', relation: 'EXCL' }],
    ]),
    environments: new Map<string, Rule>([
      ['smp', 'one-host'],
      ['mpi', 'any'],
      ['node2', 2],
      ['node4', 4],
    ]),
    hostList: ['@cloud'],
  };
  const sizes: Sizes = { slots: 4, memory: 'mem', memoryKnown: true, elsewhere: new Set(['license']) };
  const need = (
    environment: JobRecord['environment'],
    requests: Record<string, string> = {},
    more: Partial<Sizes> = {},
  ) => {
    const record: JobRecord = {
      ...{ number: '1', tasks: '', state: 'qw', waits: true, priority: 1, name: '', user: '', after: [] },
      slots: environment === null ? 1 : (parseSlots(environment.slots)?.[0]?.from ?? 1),
      environment,
      wish: { queues: [], host: '' },
      requests: new Map(Object.entries(requests)),
    };
    const { ask, never } = needOf(record, 'cloud', cell, { ...sizes, ...more });
    return { shape: [ask.nodes, ask.cpusPerNode, ask.cpus], ask, never };
  };

  for (const [name, slots, shape] of [
    ['smp', '3', [1, 3, 3]],
    ['smp', '2-8', [1, 2, 2]],
    ['mpi', '4', [1, 1, 4]],
    ['mpi', '9', [3, 1, 9]],
    ['node2', '4', [2, 2, 4]],
    ['node2', '3-8', [2, 2, 4]],
    ['node*', '4', [1, 4, 4]],
    ['*', '8', [1, 8, 8]],
  ] as const) {
    test(`-pe ${name} ${slots} is ${shape[0]} hosts with ${shape[1]} each, ${shape[2]} in all`, () => {
      assert.deepEqual(need({ name, slots }).shape, shape);
    });
  }

  test('what can never be had is said', () => {
    assert.match(need({ name: 'node2', slots: '3' }).never, /never be had: node2 gives 2 slots/);
    assert.match(need({ name: 'nope', slots: '3' }).never, /does not offer the parallel environment "nope"/);
  });

  test('memory is asked for per slot, per job, or per host', () => {
    assert.equal(need({ name: 'node2', slots: '4' }, { mem: '100M' }).ask.memoryMiB, 200);
    assert.equal(need({ name: 'smp', slots: '4' }, { mem: '100M' }).ask.memoryMiB, 400);
    assert.equal(need({ name: 'mpi', slots: '8' }, { mem: '100M' }).ask.memoryMiB, 400);
    assert.equal(need({ name: 'smp', slots: '4' }, { scratch: '100M' }, { memory: 'scratch' }).ask.memoryMiB, 100);
    assert.equal(need({ name: 'smp', slots: '4' }, { mem_free: '2G' }).ask.memoryMiB, 2048);
    assert.equal(need(null, { mem: '2G' }, { memoryKnown: false }).ask.memoryMiB, 0, 'nothing to compare it with');
  });

  test('a host alone, GPUs, and licences that no host gives', () => {
    assert.equal(need(null, { exclusive: '1' }).ask.exclusive, true);
    assert.equal(need(null, { exclusive: '0' }).ask.exclusive, false);
    assert.deepEqual(need({ name: 'node2', slots: '4' }, { gpu: '1' }).ask.gres, { gpu: 2 });
    assert.equal(need(null, { license: '1' }).ask.gres, undefined);
  });
});
