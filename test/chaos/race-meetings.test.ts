/** Which jobs met a drain: read from made-up lines of slurmctld's log, without a lab. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { calledOff, type Drain, type Guest, meetings, openNotebook } from './race-meetings.ts';

const DAY = '2026-11-25T12:39:';
const at = (seconds: number) => Date.parse(`${DAY}${seconds.toFixed(3).padStart(6, '0')}`);
const line = (seconds: number, text: string) => `[${DAY}${seconds.toFixed(3).padStart(6, '0')}] ${text}`;
const state = (seconds: number, host: string, word: string) =>
  line(seconds, `update_node: node ${host} state set to ${word}`);
const closed = (seconds: number, host: string, why = 'hybrid-cloud: idle for 0 s and no waiting job wants it') => [
  line(seconds, `update_node: node ${host} reason set to: ${why}`),
  state(seconds, host, 'DRAINED'),
];
const submit = (seconds: number, id: string) =>
  line(seconds, `_slurm_rpc_submit_batch_job: JobId=${id} InitPrio=4294901751 usec=260`);
const notesOf = (...lines: (string | string[])[]) => {
  const notes = openNotebook();
  notes.read(`${lines.flat().join('\n')}\n`);
  return notes;
};
const hostsClosed = (drains: readonly Drain[]) => drains.map(({ host }) => host);

describe('what slurmctld noted', () => {
  test('a submission and a drain with their moments, among other lines', () => {
    const notes = notesOf(
      'no line of a log',
      line(1, 'sched: Allocate JobId=6 NodeList=c1 #CPUs=2 Partition=cloud'),
      state(1, 'c1', 'IDLE'),
      submit(2.345, '7'),
      closed(3.5, 'c1'),
      line(4, '_job_complete: JobId=7 done'),
    );
    assert.deepEqual([...notes.submitted], [['7', at(2.345)]]);
    assert.deepEqual(notes.drains, [{ host: 'c1', at: at(3.5), opened: null }]);
    assert.equal(notes.changed, at(3.5));
  });

  test('only an open host is closed, and only once', () => {
    assert.deepEqual(notesOf(closed(1, 'c1')).drains, []);
    assert.deepEqual(hostsClosed(notesOf(state(1, 'c1', 'IDLE'), closed(2, 'c1'), closed(3, 'c1')).drains), ['c1']);
  });

  test('a host that a person closes, or that has no machine, is not drained for going', () => {
    const other = notesOf(
      state(1, 'c1', 'IDLE'),
      state(1, 'c2', 'IDLE'),
      closed(2, 'c1', 'new disk'),
      closed(2, 'c2', 'hybrid-cloud: no machine behind it: no job may land on it yet'),
    );
    assert.deepEqual(other.drains, []);
  });

  test('a host with a job is closed too, and each opening ends one drain', () => {
    const { drains } = notesOf(
      [state(1, 'c1', 'IDLE'), ...closed(2, 'c1'), state(3, 'c1', 'ALLOCATED')],
      [closed(4, 'c1')[0] ?? '', state(4, 'c1', 'DRAINING'), state(5, 'c1', 'IDLE'), state(6, 'c1', 'IDLE')],
    );
    assert.deepEqual(drains, [
      { host: 'c1', at: at(2), opened: at(3) },
      { host: 'c1', at: at(4), opened: at(5) },
    ]);
  });
});

const ANY: readonly Guest[] = ['1', '2', '3'].map((id) => ({ id, hosts: null }));
const drained = (...drains: [host: string, seconds: number][]) =>
  drains.map(([host, seconds]) => ({ host, at: at(seconds), opened: null }));
const came = (...seconds: number[]) => new Map(seconds.map((when, i) => [String(i + 1), at(when)]));

const TABLE: readonly {
  readonly title: string;
  readonly submitted: ReadonlyMap<string, number>;
  readonly drains: readonly Drain[];
  readonly guests?: readonly Guest[];
  readonly met: readonly string[];
}[] = [
  { title: 'nobody', submitted: new Map(), drains: drained(['c1', 10]), met: [] },
  { title: 'no drain', submitted: came(10), drains: [], met: [] },
  { title: 'half a second before', submitted: came(9.5), drains: drained(['c1', 10]), met: ['1'] },
  { title: 'a little more before', submitted: came(9.499), drains: drained(['c1', 10]), met: [] },
  { title: 'half a second after', submitted: came(10.5), drains: drained(['c1', 10]), met: ['1'] },
  { title: 'a little more after', submitted: came(10.501), drains: drained(['c1', 10]), met: [] },
  { title: 'a drain is one meeting', submitted: came(10, 10.1, 10.2), drains: drained(['c1', 10]), met: ['1'] },
  {
    title: 'two drains are two',
    submitted: came(10, 10.1, 10.2),
    drains: drained(['c1', 10], ['c2', 10]),
    met: ['1', '2'],
  },
  { title: 'a job meets one only', submitted: came(10), drains: drained(['c1', 10], ['c2', 10.1]), met: ['1'] },
  { title: 'in no order', submitted: came(20.2, 10.2), drains: drained(['c1', 20], ['c1', 10]), met: ['2', '1'] },
  {
    title: 'the next drain is for who comes later',
    submitted: came(9.6, 10.4, 10.9),
    drains: drained(['c1', 10], ['c2', 10.5], ['c3', 11.2]),
    met: ['1', '2', '3'],
  },
  {
    title: 'a job that can use one host only meets no other',
    guests: [{ id: '1', hosts: ['c2'] }, ...ANY.slice(1)],
    submitted: came(10, 10.3),
    drains: drained(['c1', 10]),
    met: ['2'],
  },
  {
    title: 'its own it meets',
    guests: [{ id: '1', hosts: ['c2', 'c3'] }],
    submitted: came(10),
    drains: drained(['c1', 10], ['c3', 10]),
    met: ['1'],
  },
  { title: 'somebody else`s job', guests: [], submitted: came(10), drains: drained(['c1', 10]), met: [] },
];

describe('which jobs met a drain', () => {
  for (const { title, guests = ANY, submitted, drains, met } of TABLE) {
    test(title, () => assert.deepEqual([...meetings(guests, { submitted, drains })], met));
  }
});

test('a drain is called off when the host opens with the same machine', () => {
  const off = (opened: number | null, deletes: { host: string; at: number }[]) =>
    calledOff([{ host: 'c1', at: at(10), opened }], deletes);
  assert.equal(off(null, []), 0);
  assert.equal(off(at(12), []), 1);
  assert.equal(off(at(12), [{ host: 'c1', at: at(11) }]), 0);
  assert.equal(off(at(12), [{ host: 'c2', at: at(11) }]), 1);
  assert.equal(off(at(12), [{ host: 'c1', at: at(9) }]), 1);
  assert.equal(off(at(12), [{ host: 'c1', at: at(13) }]), 1);
});
