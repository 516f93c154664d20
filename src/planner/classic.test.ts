/**
 * The specification's main control, step by step. The quoted sentences are the specification's ("Hybrid Cloud Service
 * のメイン制御").
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Snapshot } from '../domain/snapshot.ts';
import { plan } from './plan.ts';
import { BUSY, job, NOW, POOL, running, SECOND, snapshot } from './snapshot.fixture.ts';

const classic = { policy: 'classic' } as const;
const WAIT = POOL.timing.cleanup;
const ready = { state: 'ready' } as const;

function steps(s: Snapshot): string[] {
  return plan(s).steps.map((step) => `${step.kind} ${step.host}${step.to ? ` -> ${step.to}` : ''}`);
}

describe('1. キューのノード実行状況を確認し、実行待ちジョブが1個以上あればノードを追加する。', () => {
  test('one or more jobs wait: a node is added, one', () => {
    assert.deepEqual(steps(snapshot({}, [job(), job(), job()], { pool: classic })), ['create c1 -> starting']);
  });
  test('while it is on its way no second one is added', () => {
    for (const state of ['starting', 'preparing', 'joining'] as const) {
      const s = snapshot({ c1: { state } }, [job(), job()], { pool: classic, underWay: new Set(['c1']) });
      assert.deepEqual(steps(s), [], state);
    }
  });
  test('when it has come and jobs still wait, the next one is added', () => {
    assert.deepEqual(steps(snapshot({ c1: { ...ready, node: BUSY } }, [running('c1'), job()], { pool: classic })), [
      'create c2 -> starting',
    ]);
  });
  test('why a job waits plays no part', () => {
    const held = job({ helped: 'no', reason: 'JobHeldUser' });
    assert.deepEqual(steps(snapshot({}, [held], { pool: classic })), ['create c1 -> starting']);
  });
  test('the entries of hosts.json are the most there can be', () => {
    const all = {
      c1: { ...ready, node: BUSY },
      c2: { ...ready, node: BUSY },
      c3: { ...ready, node: BUSY },
      c4: { ...ready, node: BUSY },
    };
    assert.deepEqual(steps(snapshot(all, [job()], { pool: classic })), []);
  });
});

test('the node that is added is not one whose old machine is still there', () => {
  const old = { state: 'free', machine: { state: 'failed' } } as const;
  assert.deepEqual(steps(snapshot({ c1: old }, [job()], { pool: classic, completeReads: 1 })), [
    'create c2 -> starting',
  ]);
});

describe('2. 実行待ちジョブが1個も無い場合、CLEANUP_NODE_WAIT_TIME 秒間だけ待機する。', () => {
  test('no job waits: the wait begins, nothing else happens', () => {
    const s = snapshot({ c1: { ...ready, node: BUSY } }, [running('c1')], { pool: classic });
    assert.deepEqual(steps(s), []);
    assert.equal(plan(s).clocks.queue.noWaitingSince, NOW);
  });
  test('a job that comes meanwhile is served at once, and the wait is over', () => {
    const clocks = { emptySince: null, noWaitingSince: NOW - 300 * SECOND };
    const s = snapshot({}, [job()], { pool: classic, clocks });
    assert.deepEqual(steps(s), ['create c1 -> starting']);
    assert.equal(plan(s).clocks.queue.noWaitingSince, null);
  });
  test('a single idle node is not removed while another works, however long', () => {
    const idle = { ...ready, record: { idleSince: NOW - 10 * WAIT } };
    const s = snapshot({ c1: { ...ready, node: BUSY }, c2: idle }, [running('c1')], { pool: classic });
    assert.deepEqual(steps(s), []);
  });
});

describe('3. 再度ノード実行状況を確認し、実行待ち、実行中ジョブがどちらも無い場合、全ノードを削除する。', () => {
  const over = { emptySince: NOW - 10 * SECOND, noWaitingSince: NOW - WAIT };
  test('neither waiting nor running: all nodes are deleted together (drained first, so that no job is lost)', () => {
    const s = snapshot({ c1: ready, c2: ready, c3: ready }, [], { pool: classic, clocks: over });
    assert.deepEqual(steps(s), ['drain c1 -> draining', 'drain c2 -> draining', 'drain c3 -> draining']);
    const next = snapshot({ c1: { state: 'draining' }, c2: { state: 'draining' }, c3: { state: 'draining' } }, [], {
      pool: classic,
      clocks: over,
    });
    assert.deepEqual(steps(next), ['delete c1 -> stopping', 'delete c2 -> stopping', 'delete c3 -> stopping']);
  });
  test('a job runs when the wait is over: nothing is deleted, and the wait begins anew', () => {
    const s = snapshot({ c1: { ...ready, node: BUSY }, c2: ready }, [running('c1')], {
      pool: classic,
      clocks: { emptySince: null, noWaitingSince: NOW - WAIT },
    });
    assert.deepEqual(steps(s), []);
    assert.equal(plan(s).clocks.queue.noWaitingSince, NOW);
  });
  test('a second before the wait is over nothing is deleted', () => {
    const clocks = { emptySince: NOW - WAIT, noWaitingSince: NOW - WAIT + SECOND };
    assert.deepEqual(steps(snapshot({ c1: ready }, [], { pool: classic, clocks })), []);
  });
  test('a wait that seems to have begun in the future begins now, and ends', () => {
    const ahead = { emptySince: NOW + 24 * 3600 * SECOND, noWaitingSince: NOW + 24 * 3600 * SECOND };
    const s = snapshot({ c1: ready }, [], { pool: classic, clocks: ahead });
    assert.deepEqual(plan(s).clocks.queue, { emptySince: NOW, noWaitingSince: NOW });
  });
  test('a job that comes between the drain and the delete gets its nodes back', () => {
    const s = snapshot({ c1: { state: 'draining' }, c2: { state: 'draining' } }, [job()], { pool: classic });
    assert.deepEqual(steps(s).slice(0, 2), ['undrain c1 -> ready', 'undrain c2 -> ready']);
  });
});

test('a host that was taken out of hosts.json goes as soon as no job runs on it, though jobs wait', () => {
  const hosts = { c1: { state: 'ready' }, c2: { state: 'ready', node: BUSY }, c3: { state: 'starting' } } as const;
  const retired = new Set(['c1', 'c2', 'c3']);
  const leaving = (reads: number) =>
    plan({ ...snapshot(hosts, [job()], { pool: { policy: 'classic' }, completeReads: reads }), retired }).steps.filter(
      (one) => one.kind === 'drain' || one.kind === 'delete',
    );
  assert.deepEqual(
    leaving(2).map((one) => [one.kind, one.host, one.because]),
    [
      ['drain', 'c1', 'it is no longer in hosts.json'],
      ['delete', 'c3', 'it is no longer in hosts.json'],
    ],
  );
  assert.deepEqual(leaving(1), []);
});

test('and is not opened again for a job', () => {
  const hosts = { c1: { state: 'draining' } } as const;
  const made = { ...snapshot(hosts, [job()], { pool: { policy: 'classic' } }), retired: new Set(['c1']) };
  assert.deepEqual(
    plan(made).steps.filter((one) => one.kind === 'undrain'),
    [],
  );
});
