/**
 * The first blocked job of several hosts: what is kept and created for it, and what jobs behind it may use.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Job } from '../domain/job.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { RELEASED } from './brake.ts';
import { plan } from './plan.ts';
import { BUSY, type HostSketch, job, MINUTE, NOW, POOL, SECOND, snapshot } from './snapshot.fixture.ts';

const HOUR = 60 * MINUTE;
const ago = (ms: number) => NOW - ms;
const busy: HostSketch = { state: 'ready', node: BUSY };
const idle: HostSketch = { state: 'ready', record: { idleSince: ago(11 * MINUTE) } };

/** Runs on a host of its own and ends in `left` ms by its time limit; null = it has none. */
function runs(host: string, left: number | null): Job {
  const base = job({ id: `r-${host}`, state: 'running', code: 'R', reason: '', hosts: [host] });
  return { ...base, startedAt: ago(HOUR), timeLimit: left === null ? null : HOUR + left };
}

const wide = (nodes: number, changes: Partial<Omit<Job, 'ask'>> = {}) =>
  job({ id: 'wide', submittedAt: ago(MINUTE), ...changes, ask: { nodes, cpus: 4 * nodes, exclusive: true } });
const narrow = (timeLimit: number | null) => job({ id: 'narrow', timeLimit, ask: { exclusive: true } });

function said(s: Snapshot): string[] {
  return plan(s).steps.map((step) => [step.kind, step.host].filter((word) => word !== null).join(' '));
}

const SOON = 5 * MINUTE;

test('idle nodes are kept and missing ones created when the others are free soon by their time limits', () => {
  const s = snapshot({ c1: busy, c2: idle }, [runs('c1', SOON), wide(4)]);
  assert.deepEqual(said(s), ['create c3', 'create c4']);
  const [verdict] = plan(s).verdicts;
  assert.deepEqual(verdict?.hosts, ['c2', 'c3', 'c4']);
  assert.equal(
    verdict?.because,
    'waits for 4 hosts at once: c2, c3 and c4 are kept for it, the others when jobs there end in 5 min at the latest',
  );
});

describe('all or nothing: no node is kept or created', () => {
  for (const [what, s] of [
    ['when there are too few hosts in the queue', snapshot({ c1: busy, c2: idle }, [runs('c1', SOON), wide(5)])],
    [
      'when MAX_NODES is too small',
      snapshot({ c1: busy, c2: idle }, [runs('c1', SOON), wide(4)], {
        pool: { limits: { ...POOL.limits, maxNodes: 3 } },
      }),
    ],
    ['when what runs has no time limit', snapshot({ c1: busy, c2: idle }, [runs('c1', null), wide(4)])],
    ['when it would take long', snapshot({ c1: busy, c2: idle }, [runs('c1', 20 * MINUTE + 1), wide(4)])],
    [
      'while creation is paused',
      snapshot({ c1: busy, c2: idle }, [runs('c1', SOON), wide(4)], {
        brake: { kind: 'capacity', message: 'none left', until: NOW + MINUTE, strikes: 1, bootFailures: 0 },
      }),
    ],
    [
      'when BURST_AFTER has not passed',
      snapshot({ c1: busy, c2: idle }, [runs('c1', SOON), wide(4)], {
        pool: { patience: { burstAfter: HOUR, gather: 0 } },
      }),
    ],
  ] as const) {
    test(what, () => {
      const steps = plan(s).steps.filter((step) => step.kind === 'create');
      assert.deepEqual(steps, []);
      assert.ok(said(s).includes('drain c2'), 'the idle node goes');
    });
  }
});

test('the longer it waits, the longer nodes may idle for it', () => {
  const after = (waited: number) =>
    said(snapshot({ c1: busy, c2: idle }, [runs('c1', HOUR), wide(4, { submittedAt: ago(waited) })]));
  assert.deepEqual(after(7 * HOUR), ['drain c2']);
  assert.deepEqual(after(9 * HOUR), [], 'soon: it is not taken away and created anew a few minutes later');
  assert.deepEqual(after(10 * HOUR), ['create c3', 'create c4']);
});

test('with all hosts in service nothing is created, and the idle ones stay', () => {
  const s = snapshot({ c1: busy, c2: idle, c3: idle, c4: idle }, [runs('c1', SOON), wide(4)]);
  assert.deepEqual(said(s), []);
  assert.equal(plan(s).verdicts[0]?.kind, 'blocked');
});

test('only as many as it needs count; the earliest ends decide', () => {
  const s = snapshot({ c1: busy, c2: busy, c3: idle }, [runs('c1', HOUR), runs('c2', SOON), wide(3)]);
  assert.deepEqual(said(s), ['create c4']);
  assert.match(
    plan(s).verdicts[0]?.because ?? '',
    /c3 and c4 are kept for it, the others when jobs there end in 5 min/,
  );
});

describe('jobs behind it', () => {
  const behind = (timeLimit: number | null) =>
    plan(snapshot({ c1: busy, c2: idle }, [runs('c1', SOON), wide(4), narrow(timeLimit)]));
  test('use the kept nodes when they end before', () => {
    assert.match(behind(SOON).verdicts[1]?.because ?? '', /^placed on c2: there is room/);
  });
  test('wait when they would not, or have no time limit', () => {
    for (const limit of [SOON + 1, null]) assert.equal(behind(limit).verdicts[1]?.kind, 'blocked');
  });
  test('get other hosts, where there are any', () => {
    const s = snapshot({ c1: busy, c2: busy, c3: idle }, [runs('c1', SOON), runs('c2', SOON), wide(3), narrow(null)]);
    assert.equal(plan(s).verdicts[1]?.kind, 'blocked', 'c3 and c4 are kept');
    const more = Array.from({ length: 6 }, (_, i) => ({ name: `c${i + 1}`, ip: `10.77.0.${101 + i}` }));
    const large = snapshot(
      { c1: busy, c2: busy, c3: busy, c4: busy },
      [...['c1', 'c2', 'c3', 'c4'].map((host) => runs(host, SOON)), wide(3), narrow(null)],
      { pool: { hosts: more, limits: { ...POOL.limits, maxNodes: 6 } } },
    );
    assert.deepEqual(said(large), ['create c5', 'create c6']);
  });
});

test('only the first blocked job of several hosts is kept for', () => {
  const second = { ...wide(4, { id: 'second' }) };
  const s = snapshot({ c1: busy, c2: idle }, [runs('c1', SOON), wide(3), second]);
  const verdicts = plan(s).verdicts;
  assert.deepEqual(
    verdicts.map((v) => v.kind),
    ['creating', 'blocked'],
  );
  assert.deepEqual(verdicts[1]?.hosts, []);
});

test('one that no hosts would help is passed over for the next', () => {
  const s = snapshot({ c1: busy, c2: busy, c3: idle }, [
    runs('c1', null),
    runs('c2', SOON),
    wide(4),
    wide(3, { id: 'next' }),
  ]);
  assert.deepEqual(said(s), ['create c4']);
});

test('a time limit that has passed counts as over at once', () => {
  const s = snapshot({ c1: busy, c2: idle }, [runs('c1', -10 * SECOND), wide(4)]);
  assert.deepEqual(said(s), ['create c3', 'create c4']);
});

test('shortly before nodes may idle for it the idle ones stay, and jobs behind it may use them', () => {
  const s = snapshot({ c1: busy, c2: idle }, [runs('c1', 20 * MINUTE), wide(4), narrow(null)]);
  assert.deepEqual(said(s), []);
  assert.equal(plan(s).changesAt, NOW + 10 * MINUTE);
  const [first, second] = plan(s).verdicts;
  assert.deepEqual([first?.kind, first?.hosts], ['blocked', []]);
  assert.match(second?.because ?? '', /^placed on c2/);
});

describe('hosts of several clouds', () => {
  const clouds = (most: number) => {
    const state = { brake: RELEASED, answers: true, readAt: NOW, completeReads: 9 };
    const cloudOf = (name: string) => (name === 'c1' || name === 'c2' ? 'near' : 'far');
    const base = snapshot({ c1: busy, c2: idle }, [runs('c1', SOON), wide(4)]);
    return {
      ...base,
      hosts: base.hosts.map((host) => ({ ...host, cloud: cloudOf(host.name) })),
      clouds: [
        { ...state, name: 'near', maxNodes: 2 },
        { ...state, name: 'far', maxNodes: most },
      ],
    };
  };
  test('missing ones are created in each as far as it goes', () => {
    assert.deepEqual(said(clouds(2)), ['create c3', 'create c4']);
  });
  test('and none when one cloud may have too few', () => {
    assert.deepEqual(said(clouds(1)), ['drain c2']);
  });
});
