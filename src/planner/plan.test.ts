import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { plan } from './plan.ts';
import { BUSY, job, MINUTE, NOW, POOL, running, SECOND, snapshot } from './snapshot.fixture.ts';

/** `create c1 -> starting` for each step, in order. */
function said(s: Snapshot): string[] {
  return plan(s).steps.map(say);
}

function say(step: Step): string {
  return `${step.kind}${step.host ? ` ${step.host}` : ''}${step.to ? ` -> ${step.to}` : ''}${step.failed ? ' (failed)' : ''}`;
}

const EXCLUSIVE = { ask: { exclusive: true } };
const ready = { state: 'ready' } as const;
const busy = { state: 'ready', node: BUSY } as const;
const ago = (ms: number) => NOW - ms;

const SCALE_OUT: readonly { what: string; s: () => Snapshot; steps: string[] }[] = [
  { what: 'a quiet pool needs nothing', s: () => snapshot(), steps: [] },
  {
    what: 'one node for each job that wants one for itself, all at once, in the order of hosts.json',
    s: () => snapshot({}, [job(EXCLUSIVE), job(EXCLUSIVE), job(EXCLUSIVE)]),
    steps: ['create c1 -> starting', 'create c2 -> starting', 'create c3 -> starting'],
  },
  {
    what: 'jobs that share a host share it',
    s: () =>
      snapshot(
        {},
        Array.from({ length: 8 }, () => job()),
      ),
    steps: ['create c1 -> starting', 'create c2 -> starting'],
  },
  {
    what: 'room on working nodes is used before new nodes',
    s: () => snapshot({ c2: ready }, [job(EXCLUSIVE)]),
    steps: [],
  },
  {
    what: 'nodes on the way are counted, so no second one is created for the same job',
    s: () => snapshot({ c1: { state: 'starting' } }, [job(EXCLUSIVE)]),
    steps: [],
  },
  {
    what: 'never more machines than hosts',
    s: () =>
      snapshot(
        {},
        Array.from({ length: 9 }, () => job(EXCLUSIVE)),
      ),
    steps: ['create c1 -> starting', 'create c2 -> starting', 'create c3 -> starting', 'create c4 -> starting'],
  },
  {
    what: 'no second machine beside an old one that is not deleted yet: the next host is used',
    s: () => snapshot({ c1: { state: 'free', machine: { state: 'failed' } } }, [job(EXCLUSIVE)], { completeReads: 1 }),
    steps: ['create c2 -> starting'],
  },
  {
    what: 'no second machine beside one that is going away',
    s: () =>
      snapshot({ c1: { state: 'free', machine: { state: 'stopping' } } }, [job(EXCLUSIVE)], { completeReads: 1 }),
    steps: ['create c2 -> starting'],
  },
  {
    what: 'no second machine beside one that is listed, whatever the list’s age: the next look takes it over',
    s: () =>
      snapshot({ c1: { state: 'free', record: { since: NOW }, machine: { state: 'running' } } }, [job(EXCLUSIVE)]),
    steps: [],
  },
  {
    what: 'never more than MAX_NODES',
    s: () =>
      snapshot({ c1: busy }, [running('c1'), job(EXCLUSIVE), job(EXCLUSIVE)], {
        pool: { limits: { ...POOL.limits, maxNodes: 2 } },
      }),
    steps: ['create c2 -> starting'],
  },
  {
    what: 'never more than MAX_STARTING at one time, and the rest is said',
    s: () =>
      snapshot({ c1: { state: 'starting' } }, [job(EXCLUSIVE), job(EXCLUSIVE), job(EXCLUSIVE)], {
        pool: { limits: { ...POOL.limits, maxStarting: 2 } },
      }),
    steps: ['create c2 -> starting', 'wait'],
  },
  {
    what: 'a job for three hosts gets three or none',
    s: () => snapshot({ c1: busy, c2: busy }, [running('c1'), job({ ask: { nodes: 3, cpus: 3 } })]),
    steps: [],
  },
  {
    what: 'a job for two hosts uses a working one and creates the other',
    s: () => snapshot({ c1: ready }, [job({ ask: { nodes: 2, cpus: 8 } })]),
    steps: ['create c2 -> starting'],
  },
  {
    what: 'CPUs beyond one host spread over several, whatever the node count says',
    s: () => snapshot({}, [job({ ask: { nodes: 1, cpus: 8 } })]),
    steps: ['create c1 -> starting', 'create c2 -> starting'],
  },
  {
    what: 'every task of an array counts',
    s: () => snapshot({}, [job({ id: '18_[1-12]', array: '18', tasks: 12 })]),
    steps: ['create c1 -> starting', 'create c2 -> starting', 'create c3 -> starting'],
  },
  {
    what: 'an array asks for no more than it may run at one time',
    s: () => snapshot({}, [job({ id: '18_[1-12%1]', array: '18', tasks: 12, taskLimit: 1, ...EXCLUSIVE })]),
    steps: ['create c1 -> starting'],
  },
  {
    what: 'running tasks of the array count against that limit',
    s: () =>
      snapshot({ c1: busy }, [
        job({ id: '18_1', array: '18', state: 'running', code: 'R', hosts: ['c1'] }),
        job({ id: '18_[2-12%1]', array: '18', tasks: 11, taskLimit: 1, ...EXCLUSIVE }),
      ]),
    steps: [],
  },
  {
    what: 'a job that nodes do not help creates none',
    s: () => snapshot({}, [job({ helped: 'no', reason: 'Dependency' })]),
    steps: [],
  },
  {
    what: 'an unknown reason counts as one that nodes help',
    s: () => snapshot({}, [job({ helped: 'unknown', reason: 'Novelty' })]),
    steps: ['create c1 -> starting'],
  },
  {
    what: 'a job that can never fit creates none, and those behind it are served',
    s: () =>
      snapshot({}, [
        job({ ask: { cpusPerNode: 64, cpus: 64 } }),
        job({ ask: { nodes: 9 } }),
        job({ ask: { memoryMiB: 9000 } }),
        job(),
      ]),
    steps: ['create c1 -> starting'],
  },
  {
    what: 'hosts the batch system does not know, or has elsewhere, or that a person closed, are not used',
    s: () =>
      snapshot(
        {
          c1: { state: 'free', node: { state: 'absent', closed: 'no' } },
          c2: { state: 'free', node: { inQueue: false } },
          c3: { state: 'free', node: { closed: 'theirs', state: 'drained' } },
        },
        [job(EXCLUSIVE), job(EXCLUSIVE)],
      ),
    steps: ['create c4 -> starting'],
  },
  {
    what: 'the gate is closed before a machine is created behind it',
    s: () =>
      snapshot({ c1: { state: 'free', node: { closed: 'no', state: 'idle', responding: true } } }, [job(EXCLUSIVE)]),
    steps: ['create c2 -> starting', 'drain c1'],
  },
  {
    what: 'a host that failed before is taken last',
    s: () => snapshot({ c1: { state: 'free', record: { failures: 1 } } }, [job(EXCLUSIVE)]),
    steps: ['create c2 -> starting'],
  },
  {
    what: 'a host whose memory nobody knows yet keeps no job away',
    s: () =>
      snapshot({ c1: { state: 'free', node: { memoryMiB: 0, memoryFreeMiB: 0 } } }, [
        job({ ask: { memoryMiB: 4000 } }),
      ]),
    steps: ['create c1 -> starting'],
  },
  {
    what: 'a failed or quarantined host is no supply',
    s: () =>
      snapshot({ c1: { state: 'quarantined', record: { retryAt: NOW + MINUTE } }, c2: { state: 'stopping' } }, [
        job(EXCLUSIVE),
      ]),
    steps: ['create c3 -> starting'],
  },
  {
    what: 'a draining node is opened again before a new one is created',
    s: () => snapshot({ c3: { state: 'draining' } }, [job(EXCLUSIVE)]),
    steps: ['undrain c3 -> ready'],
  },
  {
    what: 'an operator’s drain is not called off',
    s: () => snapshot({ c3: { state: 'draining', record: { drainedBy: 'operator' } } }, [job(EXCLUSIVE)]),
    steps: ['delete c3 -> stopping', 'create c1 -> starting'],
  },
  {
    what: 'MIN_NODES are kept without any job',
    s: () => snapshot({ c4: ready }, [], { pool: { limits: { ...POOL.limits, minNodes: 2 } } }),
    steps: ['create c1 -> starting'],
  },
  {
    what: 'a paused creation creates nothing and says until when',
    s: () =>
      snapshot({}, [job()], {
        brake: { kind: 'capacity', message: 'no c5.large left', until: NOW + MINUTE, strikes: 1, bootFailures: 0 },
      }),
    steps: ['wait'],
  },
  {
    what: 'after the pause one machine is tried first',
    s: () =>
      snapshot({}, [job(EXCLUSIVE), job(EXCLUSIVE)], {
        brake: { kind: 'capacity', message: 'no c5.large left', until: NOW - 1, strikes: 1, bootFailures: 0 },
      }),
    steps: ['create c1 -> starting', 'wait'],
  },
  {
    what: 'a node the scheduler lost sight of a moment ago is not replaced yet',
    s: () => snapshot({ c1: { state: 'ready', node: { state: 'down', responding: false } } }, [job(EXCLUSIVE)]),
    steps: [],
  },
];

for (const { what, s, steps } of SCALE_OUT) {
  test(`scale out: ${what}`, () => assert.deepEqual(said(s()), steps));
}

const IDLE = { state: 'ready', record: { idleSince: ago(11 * MINUTE) } } as const;

const SCALE_IN: readonly { what: string; s: () => Snapshot; steps: string[] }[] = [
  {
    what: 'all nodes go when the queue has been empty for CLEANUP_NODE_WAIT_TIME',
    s: () =>
      snapshot({ c1: ready, c2: ready }, [], { clocks: { emptySince: ago(600 * SECOND), noWaitingSince: null } }),
    steps: ['drain c1 -> draining', 'drain c2 -> draining'],
  },
  {
    what: 'not a second earlier',
    s: () =>
      snapshot({ c1: ready, c2: ready }, [], { clocks: { emptySince: ago(599 * SECOND), noWaitingSince: null } }),
    steps: [],
  },
  {
    what: 'a single idle node goes while others work',
    s: () => snapshot({ c1: busy, c2: IDLE }, [running('c1')]),
    steps: ['drain c2 -> draining'],
  },
  {
    what: 'not when a waiting job wants it',
    s: () => snapshot({ c1: busy, c2: IDLE }, [running('c1'), job(EXCLUSIVE)]),
    steps: [],
  },
  {
    what: 'not with IDLE_NODE_WAIT_TIME=never',
    s: () => snapshot({ c1: busy, c2: IDLE }, [running('c1')], { pool: { timing: { ...POOL.timing, idle: null } } }),
    steps: [],
  },
  {
    what: 'not below MIN_NODES; the first hosts stay',
    s: () => snapshot({ c1: IDLE, c2: IDLE, c3: IDLE }, [], { pool: { limits: { ...POOL.limits, minNodes: 2 } } }),
    steps: ['drain c3 -> draining'],
  },
  { what: 'not a held one', s: () => snapshot({ c1: { ...IDLE, record: { ...IDLE.record, held: true } } }), steps: [] },
  {
    what: 'not one a person closed',
    s: () => snapshot({ c1: { ...IDLE, node: { closed: 'theirs', state: 'drained' } } }),
    steps: [],
  },
  {
    what: 'not before the second complete reading',
    s: () => snapshot({ c1: IDLE }, [], { completeReads: 1 }),
    steps: [],
  },
  {
    what: 'a host taken out of hosts.json goes when its job has ended',
    s: () => snapshot({ c1: ready, c2: busy }, [running('c2')], { retired: new Set(['c1', 'c2']) }),
    steps: ['drain c1 -> draining'],
  },
];

for (const { what, s, steps } of SCALE_IN) {
  test(`scale in: ${what}`, () => assert.deepEqual(said(s()), steps));
}

const LIFE: readonly { what: string; s: () => Snapshot; steps: string[] }[] = [
  {
    what: 'a running machine is prepared',
    s: () => snapshot({ c1: { state: 'starting', machine: { state: 'running' } } }),
    steps: ['prepare c1 -> preparing'],
  },
  {
    what: 'a lost answer is asked again with the same lease',
    s: () => snapshot({ c1: { state: 'starting', machine: null } }),
    steps: ['create c1'],
  },
  {
    what: 'but not before its time',
    s: () => snapshot({ c1: { state: 'starting', machine: null } }, [], { retryCallAt: new Map([['c1', NOW + 1]]) }),
    steps: [],
  },
  {
    what: 'a machine that does not run within BOOT_TIMEOUT is deleted',
    s: () => snapshot({ c1: { state: 'starting', record: { since: ago(1001 * SECOND) } } }),
    steps: ['delete c1 -> stopping (failed)'],
  },
  {
    what: 'BOOT_TIMEOUT counts from the begin of the machine itself, where the cloud tells it',
    s: () =>
      snapshot({
        c1: { state: 'starting', record: { since: ago(2500 * SECOND) }, machine: { since: ago(999 * SECOND) } },
        c2: { state: 'starting', record: { since: ago(2500 * SECOND) }, machine: { since: ago(1001 * SECOND) } },
      }),
    steps: ['delete c2 -> stopping (failed)'],
  },
  {
    what: 'a begin before we asked, or one that nobody tells, counts from when we asked',
    s: () =>
      snapshot({
        c1: { state: 'starting', record: { since: ago(999 * SECOND) }, machine: { since: ago(5000 * SECOND) } },
        c2: { state: 'starting', record: { since: ago(1001 * SECOND) }, machine: { since: null } },
      }),
    steps: ['delete c2 -> stopping (failed)'],
  },
  {
    what: 'a machine whose turn never comes, or whose clock runs ahead, ends when all others had their whole time',
    s: () =>
      snapshot({
        c1: { state: 'starting', record: { since: ago(3999 * SECOND) }, machine: { since: NOW } },
        c2: { state: 'starting', record: { since: ago(4001 * SECOND) }, machine: { since: NOW } },
        c3: { state: 'starting', record: { since: ago(4001 * SECOND) }, machine: { since: NOW + 9000 * SECOND } },
      }),
    steps: ['delete c2 -> stopping (failed)', 'delete c3 -> stopping (failed)'],
  },
  {
    what: 'what was perhaps never asked for before a restart is no failed boot',
    s: () =>
      snapshot(
        { c1: { state: 'starting', machine: null, record: { since: ago(1001 * SECOND), machineId: null } } },
        [],
        { completeReads: 1 },
      ),
    steps: ['settle c1 -> cooling'],
  },
  {
    what: 'a machine that never appeared leaves the host cooling',
    s: () =>
      snapshot({ c1: { state: 'starting', machine: null, record: { since: ago(1001 * SECOND), machineId: null } } }),
    steps: ['settle c1 -> cooling (failed)'],
  },
  {
    what: 'one that the cloud gave an id and does not list is deleted by it',
    s: () => snapshot({ c1: { state: 'starting', machine: null, record: { since: ago(1001 * SECOND) } } }),
    steps: ['delete c1 -> stopping (failed)'],
  },
  {
    what: 'a machine that is no longer listed is asked about again until the cloud has accepted its deletion',
    s: () => snapshot({ c1: { state: 'stopping', machine: null } }, [], { accepted: new Set() }),
    steps: ['delete c1'],
  },
  {
    what: 'and is gone then',
    s: () => snapshot({ c1: { state: 'stopping', machine: null } }, [], { accepted: new Set(['c1']) }),
    steps: ['settle c1 -> cooling'],
  },
  {
    what: 'one asked for half a minute ago that no list showed may still come',
    s: () =>
      snapshot(
        { c1: { state: 'stopping', machine: null, record: { machineId: null, bornAt: ago(30 * SECOND) } } },
        [],
        {
          accepted: new Set(),
        },
      ),
    steps: [],
  },
  {
    what: 'a node that takes jobs is closed before its machine goes',
    s: () => snapshot({ c1: { state: 'stopping', node: { state: 'idle', closed: 'no', responding: true } } }),
    steps: ['drain c1'],
  },
  {
    what: 'a draining node that one answer leaves out keeps its machine',
    s: () => snapshot({ c1: { state: 'draining', node: { state: 'absent', closed: 'no', responding: false } } }),
    steps: [],
  },
  {
    what: 'and loses it when it stays away for JOIN_TIMEOUT',
    s: () =>
      snapshot({
        c1: {
          state: 'draining',
          node: { state: 'absent', closed: 'no', responding: false },
          record: { missingSince: ago(301 * SECOND) },
        },
      }),
    steps: ['delete c1 -> stopping'],
  },
  {
    what: 'a failed machine is deleted',
    s: () => snapshot({ c1: { state: 'starting', machine: { state: 'failed' } } }),
    steps: ['delete c1 -> stopping (failed)'],
  },
  {
    what: 'a prepare that a restart interrupted is done again',
    s: () => snapshot({ c1: { state: 'preparing' } }),
    steps: ['prepare c1'],
  },
  {
    what: 'a call under way is left alone',
    s: () => snapshot({ c1: { state: 'preparing' } }, [], { underWay: new Set(['c1']) }),
    steps: [],
  },
  {
    what: 'a node joins when its daemon has registered',
    s: () => snapshot({ c1: { state: 'joining', node: { state: 'drained', responding: true, registration: 'new' } } }),
    steps: ['join c1'],
  },
  {
    what: 'not on the word of the old machine’s daemon',
    s: () =>
      snapshot({
        c1: {
          state: 'joining',
          record: { registrationBefore: 'old' },
          node: { state: 'drained', responding: true, registration: 'old' },
        },
      }),
    steps: [],
  },
  {
    what: 'a node that never registers is deleted after JOIN_TIMEOUT',
    s: () => snapshot({ c1: { state: 'joining', record: { since: ago(301 * SECOND) } } }),
    steps: ['delete c1 -> stopping (failed)'],
  },
  {
    what: 'a drained node without a job is deleted',
    s: () => snapshot({ c1: { state: 'draining' } }),
    steps: ['delete c1 -> stopping'],
  },
  {
    what: 'only on a reading made after it was drained',
    s: () => snapshot({ c1: { state: 'draining', record: { since: NOW - 50 } } }),
    steps: [],
  },
  {
    what: 'a job that slipped in calls the drain off',
    s: () => snapshot({ c1: { state: 'draining', node: { ...BUSY, state: 'draining' } } }, [running('c1')]),
    steps: ['undrain c1 -> ready'],
  },
  {
    what: 'on an operator’s drain the job runs to its end first',
    s: () =>
      snapshot({ c1: { state: 'draining', record: { drainedBy: 'operator' }, node: { ...BUSY, state: 'draining' } } }, [
        running('c1'),
      ]),
    steps: [],
  },
  {
    what: 'a node whose state cannot be read is not deleted',
    s: () => snapshot({ c1: { state: 'draining', node: { state: 'unknown', hasJob: true, closed: 'no' } } }),
    steps: [],
  },
  {
    what: 'the same where it looks closed by somebody else: who closed it is not known either',
    s: () => snapshot({ c1: { state: 'draining', node: { state: 'unknown', hasJob: true, closed: 'theirs' } } }),
    steps: [],
  },
  {
    what: 'a person who closes a draining node takes it over',
    s: () => snapshot({ c1: { state: 'draining', node: { closed: 'theirs' } } }),
    steps: ['settle c1 -> ready'],
  },
  {
    what: 'a gone machine leaves the host cooling',
    s: () => snapshot({ c1: { state: 'stopping', machine: null } }),
    steps: ['settle c1 -> cooling'],
  },
  {
    what: 'a delete that had no effect is asked again',
    s: () => snapshot({ c1: { state: 'stopping', machine: { state: 'running' } } }),
    steps: ['delete c1'],
  },
  {
    what: 'but never under a job',
    s: () =>
      snapshot({ c1: { state: 'stopping', machine: { state: 'running' }, node: { ...BUSY, state: 'draining' } } }),
    steps: [],
  },
  {
    what: 'a cooled host is free again',
    s: () => snapshot({ c1: { state: 'cooling' } }),
    steps: ['settle c1 -> free'],
  },
  {
    what: 'after two failed lives it is quarantined',
    s: () => snapshot({ c1: { state: 'cooling', record: { failures: 2 } } }),
    steps: ['quarantine c1 -> quarantined'],
  },
  {
    what: 'a quarantine ends by itself',
    s: () => snapshot({ c1: { state: 'quarantined', record: { retryAt: NOW } } }),
    steps: ['settle c1 -> free'],
  },
  {
    what: 'a stranger’s machine on the address quarantines the host',
    s: () =>
      snapshot({}, [], {
        strangers: [
          { id: 'x', host: 'other', ip: '10.77.0.101', state: 'running', lease: null, since: null, message: '' },
        ],
      }),
    steps: ['quarantine c1 -> quarantined'],
  },
  {
    what: 'a machine we forgot is taken over: at work',
    s: () =>
      snapshot({ c1: { state: 'free', machine: {}, node: { ...BUSY, closed: 'no', responding: true } } }, [
        running('c1'),
      ]),
    steps: ['settle c1 -> ready'],
  },
  {
    what: 'a machine we forgot is taken over: idle and closed',
    s: () => snapshot({ c1: { state: 'free', machine: {} } }),
    steps: ['settle c1 -> preparing'],
  },
  {
    what: 'a machine that comes back after its delete is deleted again',
    s: () => snapshot({ c1: { state: 'cooling', machine: {} } }),
    steps: ['delete c1 -> stopping'],
  },
  {
    what: 'a node missing from one list is left alone',
    s: () =>
      snapshot({ c1: { ...ready, machine: null, record: { missingSince: ago(5 * SECOND) } }, c2: ready, c3: ready }),
    steps: [],
  },
  {
    what: 'a node missing for a minute is drained, never cut off',
    s: () =>
      snapshot({ c1: { ...ready, machine: null, record: { missingSince: ago(61 * SECOND) } }, c2: ready, c3: ready }),
    steps: ['drain c1 -> draining'],
  },
  {
    what: 'a missing node with a job that still answers is left to work',
    s: () =>
      snapshot({ c1: { ...busy, machine: null, record: { missingSince: ago(61 * SECOND) } }, c2: ready, c3: ready }, [
        running('c1'),
      ]),
    steps: [],
  },
  {
    what: 'when more than half of the machines vanish at once nothing at all is done',
    s: () =>
      snapshot(
        { c1: { ...ready, machine: null }, c2: { ...ready, machine: null }, c3: ready, c4: { state: 'draining' } },
        [],
        {
          clocks: { emptySince: ago(601 * SECOND), noWaitingSince: null },
          machines: new Map(),
        },
      ),
    steps: ['wait'],
  },
];

for (const { what, s, steps } of LIFE) {
  test(`life: ${what}`, () => assert.deepEqual(said(s()), steps));
}

test('every waiting job gets one verdict in a sentence', () => {
  const s = snapshot({ c1: ready, c2: { state: 'starting' }, c3: busy, c4: busy }, [
    running('c3'),
    job({ id: '1', ask: { exclusive: true } }),
    job({ id: '2', ask: { exclusive: true } }),
    job({ id: '3', ask: { exclusive: true } }),
    job({ id: '4', helped: 'no', reason: 'JobHeldUser', because: 'held by its user' }),
    job({ id: '5', ask: { cpus: 64, cpusPerNode: 64 } }),
  ]);
  assert.deepEqual(
    plan(s).verdicts.map((v) => `${v.job} ${v.kind}: ${v.because}`),
    [
      '1 now: placed on c1: there is room; the batch system decides when it starts',
      '2 coming: placed on c2 (starting)',
      '3 blocked: waits for a host: of 4 hosts 1 is wanted by jobs before it, 1 is starting and 2 are at work',
      '4 not-helped: held by its user',
      '5 never: can never fit: asks for 64 CPUs on one host, the largest host has 4',
    ],
  );
});

test('the summary speaks in sentences', () => {
  const s = snapshot({ c2: { state: 'starting' }, c3: { state: 'starting' } }, [
    job(EXCLUSIVE),
    job(EXCLUSIVE),
    job(EXCLUSIVE),
  ]);
  assert.equal(plan(s).summary, '3 jobs wait; c2 and c3 are starting; creating c1');
});

test('the clocks start, run on and are cleared', () => {
  const first = plan(snapshot({ c1: ready, c2: busy })).clocks;
  assert.deepEqual([first.queue.emptySince, first.idleSince.get('c1'), first.idleSince.get('c2')], [NOW, NOW, null]);
  const kept = plan(
    snapshot({ c1: { ...ready, record: { idleSince: ago(5) } } }, [], {
      clocks: { emptySince: ago(9), noWaitingSince: ago(9) },
    }),
  ).clocks;
  assert.deepEqual([kept.queue.emptySince, kept.idleSince.get('c1')], [ago(9), ago(5)]);
  const wanted = plan(
    snapshot({ c1: { ...ready, record: { idleSince: ago(5) } } }, [job()], {
      clocks: { emptySince: ago(9), noWaitingSince: ago(9) },
    }),
  ).clocks;
  assert.deepEqual([wanted.queue.emptySince, wanted.idleSince.get('c1')], [null, null]);
  const future = plan(snapshot({ c1: { ...ready, record: { idleSince: NOW + MINUTE } } })).clocks;
  assert.equal(future.idleSince.get('c1'), NOW, 'a clock set back must not keep a node for ever');
});
