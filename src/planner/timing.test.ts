/**
 * Waiting on purpose: BURST_AFTER, GATHER_TIME, begin times, MIN_NODES and SPARE_NODES, and hours that are paid already.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Job } from '../domain/job.ts';
import type { Billing, Pool } from '../domain/pool.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { paidUntil } from './billing.ts';
import { plan } from './plan.ts';
import { BUSY, type HostSketch, job, MINUTE, NOW, POOL, running, SECOND, snapshot } from './snapshot.fixture.ts';

const ago = (ms: number) => NOW - ms;
const HOUR = 60 * MINUTE;
const whole = (changes: Partial<Omit<Job, 'ask'>> = {}) => job({ ...changes, ask: { exclusive: true } });
const ready = { state: 'ready' } as const;
const busy = { state: 'ready', node: BUSY } as const;
const idle: HostSketch = { state: 'ready', record: { idleSince: ago(11 * MINUTE) } };

function said(s: Snapshot): string[] {
  return plan(s).steps.map((step) => [step.kind, step.host].filter((word) => word !== null).join(' '));
}

function pool(changes: Partial<Pool>): { pool: Partial<Pool> } {
  return { pool: changes };
}

describe('BURST_AFTER', () => {
  const after = pool({ patience: { burstAfter: 5 * MINUTE, gather: 0 } });
  test('creates nothing for a job that has not waited so long, and says so', () => {
    const s = snapshot({}, [whole({ submittedAt: ago(299 * SECOND) })], after);
    assert.deepEqual(said(s), []);
    assert.match(plan(s).verdicts[0]?.because ?? '', /when it has waited for 5 min \(BURST_AFTER\)$/);
  });
  test('creates for those that have', () => {
    const jobs = [whole({ submittedAt: ago(300 * SECOND) }), whole({ submittedAt: ago(MINUTE) })];
    assert.deepEqual(said(snapshot({}, jobs, after)), ['create c1']);
  });
  test('lets all use what is there, on its way, or chosen for others', () => {
    const old = job({ submittedAt: ago(HOUR) });
    const s = snapshot({}, [old, job({ submittedAt: NOW })], after);
    assert.deepEqual([said(s), plan(s).verdicts.map((v) => v.kind)], [['create c1'], ['creating', 'creating']]);
    assert.deepEqual(said(snapshot({ c2: { state: 'draining' } }, [whole({ submittedAt: NOW })], after)), [
      'undrain c2',
    ]);
    assert.deepEqual(said(snapshot({ c2: idle }, [whole({ submittedAt: NOW })], after)), []);
  });
  test('counts from the begin time', () => {
    const since = (notBefore: number) => [whole({ submittedAt: ago(HOUR), notBefore })];
    assert.deepEqual(said(snapshot({}, since(ago(MINUTE)), after)), []);
    assert.deepEqual(said(snapshot({}, since(ago(6 * MINUTE)), after)), ['create c1']);
  });
  test('a time nobody knows, or one in the future, keeps no job waiting', () => {
    for (const submittedAt of [null, NOW + HOUR]) {
      assert.deepEqual(said(snapshot({}, [whole({ submittedAt })], after)), ['create c1']);
    }
  });
});

describe('GATHER_TIME', () => {
  const gather = pool({ patience: { burstAfter: 0, gather: 3 * SECOND } });
  test('waits for further jobs, and says so', () => {
    const s = snapshot({}, [whole({ submittedAt: ago(SECOND) }), whole({ submittedAt: NOW })], gather);
    const { steps, verdicts } = plan(s);
    assert.deepEqual(
      steps.map((one) => [one.kind, one.because]),
      [['wait', 'waits 2 s for further jobs (GATHER_TIME)']],
    );
    assert.equal(verdicts[0]?.because, 'waits 2 s for further jobs (GATHER_TIME)');
  });
  test('but only as long as the first one has not waited so long: further jobs do not stretch it', () => {
    const jobs = [whole({ submittedAt: NOW }), whole({ submittedAt: ago(3 * SECOND) }), whole({ submittedAt: NOW })];
    assert.deepEqual(said(snapshot({}, jobs, gather)), ['create c1', 'create c2', 'create c3']);
  });
  test('jobs that need no new machine do not count', () => {
    const jobs = [whole({ submittedAt: ago(HOUR) }), whole({ submittedAt: NOW })];
    assert.deepEqual(said(snapshot({ c4: ready }, jobs, gather)), ['wait']);
  });
  test('a job that is free at last after a long time is not gathered', () => {
    assert.deepEqual(said(snapshot({}, [whole({ submittedAt: null })], gather)), ['create c1']);
  });
});

describe('begin times, by the clock', () => {
  test('a job creates nothing before, whatever its reason', () => {
    const s = snapshot({}, [whole({ notBefore: NOW + 1, reason: 'ReqNodeNotAvail' })]);
    assert.deepEqual(said(s), []);
    assert.deepEqual(
      plan(s).verdicts.map((v) => [v.kind, v.because]),
      [['not-helped', 'its begin time has not come']],
    );
    assert.deepEqual(said(snapshot({}, [whole({ notBefore: NOW })])), ['create c1']);
  });
  test('an idle node that it will need within IDLE_NODE_WAIT_TIME stays', () => {
    const jobs = (notBefore: number) => [running('c1'), whole({ notBefore, helped: 'no', reason: 'BeginTime' })];
    const hosts = { c1: busy, c2: idle, c3: idle };
    assert.deepEqual(said(snapshot(hosts, jobs(NOW + 10 * MINUTE))), ['drain c3']);
    assert.deepEqual(said(snapshot(hosts, jobs(NOW + 10 * MINUTE + 1))), ['drain c2', 'drain c3']);
  });
  test('but none is opened again or created for it', () => {
    const jobs = [whole({ notBefore: NOW + MINUTE, helped: 'no' })];
    assert.deepEqual(said(snapshot({ c2: { state: 'draining' } }, jobs)), ['delete c2']);
  });
});

describe('MIN_NODES and SPARE_NODES', () => {
  const limits = (minNodes: number, spareNodes: number, maxNodes = 4) =>
    pool({ limits: { ...POOL.limits, minNodes, spareNodes, maxNodes } });
  test('spare nodes are created besides those that jobs need', () => {
    const s = snapshot({ c1: busy }, [running('c1'), whole()], limits(0, 1));
    assert.deepEqual(said(s), ['create c2', 'create c3']);
    assert.equal(plan(s).steps[1]?.because, '1 spare node is kept');
  });
  test('an idle node and one on its way are spare ones', () => {
    assert.deepEqual(said(snapshot({ c1: ready, c2: { state: 'starting' } }, [], limits(0, 2))), []);
    assert.deepEqual(said(snapshot({ c1: ready, c2: { state: 'starting' } }, [], limits(0, 3))), ['create c3']);
  });
  test('they stay when others go', () => {
    const empty = { clocks: { emptySince: ago(HOUR), noWaitingSince: null } };
    assert.deepEqual(said(snapshot({ c1: idle, c2: idle, c3: idle }, [], { ...limits(0, 1), ...empty })), [
      'drain c2',
      'drain c3',
    ]);
    assert.deepEqual(said(snapshot({ c1: busy, c2: idle, c3: idle }, [running('c1')], limits(2, 1))), ['drain c3']);
  });
  test('minimum and spare nodes are not added up', () => {
    assert.deepEqual(said(snapshot({}, [], limits(2, 1))), ['create c1', 'create c2']);
    assert.deepEqual(said(snapshot({}, [], limits(1, 2))), ['create c1', 'create c2']);
  });
  test('never above MAX_NODES, and jobs come first', () => {
    assert.deepEqual(said(snapshot({}, [whole(), whole()], limits(0, 4, 3))), ['create c1', 'create c2', 'create c3']);
  });
  test('a draining node is opened again before one is created', () => {
    assert.deepEqual(said(snapshot({ c3: { state: 'draining' } }, [], limits(1, 0))), ['undrain c3']);
    assert.deepEqual(said(snapshot({ c3: { state: 'draining' } }, [], limits(0, 2))), ['undrain c3', 'create c1']);
  });
});

describe('what is paid', () => {
  const hourly: Billing = { granularity: HOUR, minimum: 0, lead: MINUTE };
  for (const [age, until] of [
    [0, HOUR],
    [HOUR - 1, HOUR],
    [HOUR, 2 * HOUR],
    [HOUR + 1, 2 * HOUR],
  ] as const) {
    test(`by the hour, at the age of ${age} ms: until ${until}`, () => {
      assert.equal(paidUntil(hourly, NOW - age, NOW), NOW - age + until);
    });
  }
  test('a minimum charge is longer than the first periods', () => {
    const minimum = { granularity: 60 * SECOND, minimum: 10 * MINUTE, lead: 30 * SECOND };
    assert.equal(paidUntil(minimum, ago(MINUTE), NOW), ago(MINUTE) + 10 * MINUTE);
    assert.equal(paidUntil(minimum, ago(10 * MINUTE), NOW), ago(10 * MINUTE) + 11 * MINUTE);
  });

  const aged = (age: number): HostSketch => ({ ...idle, record: { ...idle.record, bornAt: ago(age) } });
  const at = (age: number, more: Partial<Snapshot> = {}, billing = hourly) =>
    said(snapshot({ c1: busy, c2: aged(age) }, [running('c1')], { ...more, pool: { billing } }));
  test('an idle node stays until a minute before the end of its hour', () => {
    assert.deepEqual(at(30 * MINUTE), []);
    assert.deepEqual(at(59 * MINUTE - 1), []);
    assert.deepEqual(at(59 * MINUTE), ['drain c2']);
    assert.deepEqual(at(HOUR - 1), ['drain c2']);
    assert.deepEqual(at(HOUR), [], 'the next hour has begun');
  });
  test('also when the queue is empty; a host taken out of hosts.json goes at once', () => {
    const empty = { clocks: { emptySince: ago(HOUR), noWaitingSince: null } };
    const s = (age: number, retired: string[] = []) =>
      said(snapshot({ c2: aged(age) }, [], { ...empty, retired: new Set(retired), pool: { billing: hourly } }));
    assert.deepEqual([s(30 * MINUTE), s(59 * MINUTE), s(30 * MINUTE, ['c2'])], [[], ['drain c2'], ['drain c2']]);
  });
  test('the cloud’s own clock counts where it tells', () => {
    const since = { ...aged(30 * MINUTE), machine: { since: ago(59 * MINUTE) } };
    assert.deepEqual(said(snapshot({ c1: busy, c2: since }, [running('c1')], { pool: { billing: hourly } })), [
      'drain c2',
    ]);
  });

  test('of several clouds each bills by its own measure', () => {
    const s = snapshot({ c1: busy, c2: aged(30 * MINUTE), c3: aged(30 * MINUTE) }, [running('c1')], {
      pool: {
        clouds: [
          { name: 'near', pricePerHour: 0, maxNodes: 4 },
          { name: 'far', pricePerHour: 1, maxNodes: 4, billing: hourly },
        ],
      },
    });
    const hosts = s.hosts.map((host) => ({ ...host, cloud: host.name === 'c3' ? 'far' : 'near' }));
    assert.deepEqual(said({ ...s, hosts }), ['drain c2']);
  });
});
