import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeView } from '../../controller/view.ts';
import { mostAtOnce, mostOverlapping, readAccount } from './account.ts';
import { firstMove, type Move, observe } from './timeline.ts';

const ACCOUNT = [
  '100.000\tcreate\tvm-1\tc1\tL1',
  '100.020\tcreate\tvm-2\tc2\tL2',
  '105.500\trunning\tvm-1\tc1\tL1',
  '106.000\tfailed\tvm-2\tc2\tL2',
  '107.000\tdelete\tvm-2\tc2\tL2',
  '107.100\tgone\tvm-2\tc2\tL2',
  '108.000\tcreate\tvm-3\tc2\tL3',
  '',
].join('\n');

test('the account of the cloud is one life per machine', () => {
  const lives = readAccount(ACCOUNT);
  assert.deepEqual(
    lives.map((life) => [life.id, life.host, life.lease, life.runningAt, life.failedAt, life.goneAt]),
    [
      ['vm-1', 'c1', 'L1', 105_500, null, null],
      ['vm-2', 'c2', 'L2', null, 106_000, 107_100],
      ['vm-3', 'c2', 'L3', null, null, null],
    ],
  );
  assert.equal(mostAtOnce(lives), 2);
});

test('a line that is still being written does not count', () => {
  assert.deepEqual(readAccount('100.0\tcreate\tvm-1\tc'), []);
});

const SPANS: readonly (readonly [string, readonly (readonly [number, number])[], number])[] = [
  ['nothing', [], 0],
  [
    'one after the other, in the same moment',
    [
      [0, 5],
      [5, 9],
    ],
    1,
  ],
  [
    'two of three',
    [
      [0, 5],
      [3, 9],
      [6, 7],
    ],
    2,
  ],
  [
    'one without an end',
    [
      [0, Number.POSITIVE_INFINITY],
      [100, 101],
    ],
    2,
  ],
];
for (const [title, spans, most] of SPANS) {
  test(`overlap of ${title} is ${most}`, () => {
    assert.equal(mostOverlapping(spans.map(([from, to]) => ({ from, to }))), most);
  });
}

const node = (state: NodeView['state'], since: number): NodeView => ({
  host: 'c1',
  ip: '10.77.0.101',
  state,
  since,
  reason: `why ${state}`,
  held: false,
  retired: false,
  failures: 0,
  machine: null,
  batch: null,
  idleSince: null,
  deadlineAt: null,
  retryAt: null,
});

test('a state is taken down once, however often it is looked at, and again in the next life', () => {
  const moves: Move[] = [];
  assert.equal(observe(moves, [node('starting', 10)]).length, 1);
  assert.equal(observe(moves, [node('starting', 10)]).length, 0);
  assert.equal(observe(moves, [node('ready', 20)]).length, 1);
  assert.equal(observe(moves, [node('starting', 90)]).length, 1);
  assert.equal(firstMove(moves, 'c1', 'starting', { from: 0, to: 50 })?.at, 10);
  assert.equal(firstMove(moves, 'c1', 'starting', { from: 50, to: 99 })?.at, 90);
  assert.equal(firstMove(moves, 'c1', 'draining', { from: 0, to: 99 }), null);
});
