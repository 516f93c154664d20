/**
 * A controller that changes one thing at a time, and the time that its turns take. The Python side is played here, and
 * the clock stands still unless it is moved.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostRecord } from '../../domain/host.ts';
import type { Machine } from '../../domain/machine.ts';
import type { Pool } from '../../domain/pool.ts';
import { manualClock } from '../../lib/clock.ts';
import { quietLog } from '../../lib/log.ts';
import type { Converse, Run, RunResult } from '../../lib/run.ts';
import { bootDeadline } from '../../planner/boot.ts';
import { POOL } from '../../planner/snapshot.fixture.ts';
import type { Lease } from '../cloud.ts';
import { makeFresh } from './fresh.ts';
import { makeTurns, type Turn } from './turns.ts';
import { makeVcpCloud } from './vcp.ts';

const SECOND = 1000;
const HOSTS = Array.from({ length: 10 }, (_, i) => ({ name: `c${i + 1}`, ip: `10.77.0.${101 + i}` }));
const LEASES: readonly Lease[] = HOSTS.map((host, i) => ({ ...host, lease: `hc-${String(i).padStart(12, '0')}` }));
const END: RunResult = {
  command: [],
  code: 0,
  signal: null,
  stdout: '',
  stderr: '',
  took: 0,
  timedOut: false,
  aborted: false,
  cut: false,
  notFound: false,
};

/** One Unit boots at a time, for `boot` ms; `fails` tells what becomes of a create, null: it is done. */
function serialController(boot: number, fails: (unit: string) => object | null = () => null) {
  const clock = manualClock(1_800_000_000_000);
  const units: { name: string; ip: string; upAt: number }[] = [];
  const asked: string[] = [];
  const busy = () => units.some(({ upAt }) => clock.now() < upAt);
  const none: Run = async () => assert.fail('no program is run');

  function answer(request: { op: string; unit?: string; ip?: string }): object {
    if (request.op === 'open') return { ok: {} };
    if (request.op === 'list') {
      const found = units.map(({ name, ip, upAt }, no) => {
        const state = clock.now() < upAt ? 'BOOTING' : 'RUNNING';
        return { name, state, why: '', nodes: [{ id: name, no, state, address: ip, instance: '' }] };
      });
      return { ok: { group: { name: 'g', state: busy() ? 'APPLYING' : 'RUNNING' }, units: found } };
    }
    const { unit = '', ip = '' } = request;
    if (busy()) return { error: trouble('Vc state is APPLYING') };
    asked.push(unit);
    const error = fails(unit);
    if (error !== null) return { error };
    units.push({ name: unit, ip, upAt: clock.now() + boot });
    return { ok: { made: true, state: 'BOOTING' } };
  }

  const converse: Converse = (_command, { onLine }) => {
    let close: (result: RunResult) => void = () => {};
    const closed = new Promise<RunResult>((resolve) => {
      close = resolve;
    });
    queueMicrotask(() => onLine(JSON.stringify({ hello: { protocol: 1, python: '3.8.18' } })));
    return {
      send(line) {
        const request = JSON.parse(line) as { id: number; op: string };
        queueMicrotask(() => onLine(JSON.stringify({ id: request.id, ...answer(request) })));
      },
      end: () => close(END),
      closed,
    };
  };
  const make = () =>
    makeVcpCloud(
      {
        VCP_ACCESSKEY: 'the-token',
        VCP_SDK_CONTAINER_IMAGE: 'vcpsdk:20.10.0',
        CONTAINER_RUNTIME: ['docker'],
        VCP_PARALLEL: true,
        VCP_TIMEOUT: 120 * SECOND,
        VC_NAME: 'g',
        PROVIDER_NAME: 'aws',
        FLAVOR_NAME: 'small',
        IMAGE_NAME: 'i',
      },
      {
        run: none,
        converse,
        clock,
        log: quietLog,
        pool: { name: 'cloud', policy: 'demand', hosts: HOSTS },
        configDir: '/etc/hybrid-cloud',
        publicKey: async () => 'ssh-ed25519 AAAA hybrid-cloud',
      },
    );
  return { clock, asked, make, units };
}

function trouble(text: string, stage = 'before') {
  return { code: null, stage, type: 'VcpException', text, log: '' };
}

const pool: Pool = { ...POOL, hosts: HOSTS };
const record = (host: string, since: number): HostRecord => ({
  name: host,
  ip: HOSTS.find(({ name }) => name === host)?.ip ?? '',
  state: 'starting',
  since,
  reason: '',
  lease: 'hc-0',
  machineId: null,
  registrationBefore: null,
  bornAt: since,
  failures: 0,
  retryAt: null,
  idleSince: null,
  missingSince: null,
  held: false,
  drainedBy: null,
});

/** Lets what was started in the background come to its end: it waits for nothing but other callbacks. */
async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
}

test('the tenth node in a row boots long after it was asked for, and its BOOT_TIMEOUT has not passed', async () => {
  const boot = 300 * SECOND;
  const { clock, asked, make } = serialController(boot);
  const cloud = make();
  const askedAt = clock.now();
  for (const { error } of await cloud.create(LEASES)) assert.equal(error, null);
  let machines: readonly Machine[] = [];
  for (let looks = 0; looks < 200; looks++) {
    machines = await cloud.list();
    await settled();
    assert.equal(machines.length, 10, 'none is missing, also while its turn comes');
    for (const machine of machines.filter(({ state }) => state === 'starting')) {
      assert.ok(clock.now() <= bootDeadline(record(machine.host, askedAt), machine, pool), `${machine.host} in time`);
    }
    if (machines.every(({ state }) => state === 'running')) break;
    await clock.advance(60 * SECOND);
  }
  assert.ok(machines.every(({ state }) => state === 'running'));
  assert.ok(clock.now() - askedAt > 2 * pool.timing.boot, 'longer than BOOT_TIMEOUT, and it was none the worse');
  assert.equal(asked.length, 10, 'each was asked for once');
});

test('one that began and does not run is late after BOOT_TIMEOUT; those behind it still have their whole time', async () => {
  const { clock, make } = serialController(Number.POSITIVE_INFINITY);
  const cloud = make();
  const askedAt = clock.now();
  await cloud.create(LEASES.slice(0, 2));
  await clock.advance(pool.timing.boot + SECOND);
  const late = (await cloud.list()).map(
    (machine) => clock.now() > bootDeadline(record(machine.host, askedAt), machine, pool),
  );
  assert.deepEqual(late, [true, false]);
});

test('a service that starts anew counts the boot of what it finds from then on', async () => {
  const { clock, make } = serialController(300 * SECOND);
  await make().create(LEASES.slice(0, 1));
  await clock.advance(200 * SECOND);
  const next = make();
  const seenAt = clock.now();
  assert.equal((await next.list())[0]?.since, seenAt);
  await clock.advance(50 * SECOND);
  assert.equal((await next.list())[0]?.since, seenAt);
  await clock.advance(100 * SECOND);
  assert.equal((await next.list())[0]?.state, 'running');
});

test('the controller restarts when a turn comes: it keeps its turn; a refusal ends it', async () => {
  let restarts = 2;
  const { clock, asked, make } = serialController(60 * SECOND, (unit) => {
    if (unit.startsWith('hc-c2-') && restarts-- > 0) return trouble('http_status(503)', 'sent');
    return unit.startsWith('hc-c4-') ? trouble('VcpuLimitExceeded') : null;
  });
  const cloud = make();
  await cloud.create(LEASES.slice(0, 4));
  for (let looks = 0; looks < 12; looks++) {
    await clock.advance(61 * SECOND);
    await cloud.list();
    await settled();
  }
  assert.deepEqual(
    (await cloud.list()).map(({ host, state }) => [host, state]),
    [
      ['c1', 'running'],
      ['c3', 'running'],
      ['c2', 'running'],
    ],
    'c2 came behind the others, c4 is no longer listed',
  );
  assert.deepEqual(
    asked.map((unit) => unit.slice(3, 5)),
    ['c1', 'c2', 'c3', 'c4', 'c2', 'c2'],
  );
  const [heard] = await cloud.create(LEASES.slice(3, 4));
  assert.equal(heard?.error?.kind, 'quota');
});

test('what nobody can carry out is given up after a while, so that it is asked for anew', () => {
  const turns = makeTurns();
  const turn = (n: number): Turn => ({ kind: 'create', id: `u${n}`, lease: LEASES[n] ?? assert.fail() });
  const [first, second] = [turn(0), turn(1)];
  turns.wait(first);
  turns.wait(second);
  assert.equal(turns.postpone(first), true);
  assert.equal(turns.first(), second, 'it is no obstacle to the others');
  for (let n = 0; n < 4; n++) assert.equal(turns.postpone(first), true);
  assert.equal(turns.postpone(first), false);
  assert.deepEqual([turns.size, turns.has('create', 'u0')], [1, false]);
  assert.equal(turns.postpone(first), false, 'nor does it come back');
});

test('what was accepted while a list was read is not missing in it', () => {
  const fresh = makeFresh();
  const [lease = assert.fail()] = LEASES;
  const seen = (began: number) => fresh.onto([], began).map(({ id, state }) => [id, state]);
  fresh.made('u0', lease, 100);
  assert.deepEqual(seen(90), [['u0', 'starting']], 'the reading began before');
  assert.deepEqual(fresh.onto([{ ...(fresh.onto([], 90)[0] ?? assert.fail()), state: 'running' }], 90).length, 1);
  assert.deepEqual(seen(101), [], 'a later reading is believed');
  assert.deepEqual(seen(90), []);
  fresh.made('u0', lease, 200);
  fresh.forget('u0');
  assert.deepEqual(seen(190), []);
});
