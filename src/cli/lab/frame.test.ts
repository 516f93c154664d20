import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventView, NodeView, StatusView } from '../../controller/view.ts';
import { frame } from './frame.ts';

const NOW = 1_795_000_000_000;
const reading = { kind: 'slurm', ok: true, lastGoodAt: NOW, failingSince: null, message: '', took: 20 };
const status: StatusView = {
  version: '0.1.0',
  pid: 4711,
  startedAt: NOW - 60_000,
  at: NOW,
  pool: 'cloud',
  queue: 'cloud',
  policy: 'demand',
  batch: reading,
  cloud: { ...reading, kind: 'command' },
  tally: { PD: 2, R: 1 },
  waiting: 2,
  running: 1,
  hosts: { ready: 4 },
  registered: 4,
  maxNodes: 4,
  summary: '2 jobs wait; c1 and c2 are starting.',
  brake: null,
  waitingBecause: [{ text: 'its nodes are starting', jobs: 2 }],
  warnings: [],
  nextLookAt: NOW + 1000,
};
const nodes: NodeView[] = ['c1', 'c2', 'c3', 'c4'].map((host, i) => ({
  host,
  ip: `10.77.0.${101 + i}`,
  state: 'ready',
  since: NOW - 5000,
  reason: 'a reason that is much too long for one line of a terminal with eighty columns, as reasons are',
  held: false,
  retired: false,
  failures: 0,
  machine: null,
  batch: { state: 'busy', words: 'ALLOCATED', reason: '', jobs: ['17'] },
  idleSince: null,
  deadlineAt: null,
  retryAt: null,
}));
const events: EventView[] = Array.from({ length: 40 }, (_, i) => ({
  id: i + 1,
  at: NOW - 1000 * (40 - i),
  level: 'info',
  subject: 'c1',
  text: `event number ${i + 1}`,
}));

for (const [columns, rows] of [
  [80, 24],
  [80, 40],
  [40, 12],
  [120, 50],
] as const) {
  test(`the picture fits into ${columns} columns and ${rows} rows`, () => {
    const lines = frame({ status, nodes, events, trouble: '' }, { columns, color: false, now: NOW }, rows);
    assert.ok(lines.length <= rows, `${lines.length} lines`);
    assert.deepEqual(
      lines.filter((line) => line.length > columns),
      [],
    );
    assert.match(lines.at(-1) ?? '', /^q or Ctrl-C ends it and cleans up/);
  });
}

test('the newest events are those that stay when there is little room', () => {
  const text = frame({ status, nodes, events, trouble: '' }, { columns: 120, color: false, now: NOW }, 40).join('\n');
  assert.match(text, /event number 40/);
  assert.doesNotMatch(text, /event number 1$/m);
});

test('in a terminal of 24 rows hosts, status and news all have room', () => {
  const text = frame({ status, nodes, events, trouble: '' }, { columns: 80, color: false, now: NOW }, 24).join('\n');
  assert.match(text, /^c4 +ready +5 s {2}1 job: 17 {2}a reason .*…$/m);
  assert.match(text, /^2 PD$/m);
  assert.match(text, /c1 and c2 are starting/);
  assert.match(text, /event number 40/);
});

test('a service that does not answer is shown as that', () => {
  const lines = frame(
    { status: null, nodes: [], events: [], trouble: 'nobody answers' },
    { columns: 80, color: false, now: NOW },
    24,
  );
  assert.ok(lines.includes('nobody answers'));
});
