/**
 * The contract of the cloud port: every adapter and the fake run it. A case that cannot be run states why.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CloudError, type CloudErrorKind } from '../domain/errors.ts';
import type { Machine } from '../domain/machine.ts';
import type { Cloud, Lease } from './cloud.ts';

/** One cloud, empty at first, and what the cases need to make it misbehave. */
export interface CloudWorld extends AsyncDisposable {
  readonly cloud: Cloud;
  /** From now on, calls of this kind never answer. */
  hang(call: 'list' | 'create' | 'delete'): Promise<void>;
  /** From now on, `list` fails with this kind. */
  failList(kind: CloudErrorKind): Promise<void>;
  /** From now on, creating this host fails with this kind. */
  refuse(host: string, kind: CloudErrorKind): Promise<void>;
  /** Somebody else holds this address. */
  occupy(ip: string): Promise<void>;
  /** The answer to the next `create` is lost after it was carried out. */
  loseCreate(): Promise<void>;
  /** Lets pass what a machine needs to run, or to be gone. */
  settle(): Promise<void>;
}

type Body = (world: CloudWorld) => Promise<void>;

const CASES = {
  'an empty cloud lists nothing, and check says so in one line': async ({ cloud }) => {
    assert.deepEqual(await cloud.list(), []);
    assert.match(await cloud.check(), /^[^\n]*0 machines[^\n]*$/);
  },

  'several machines are created at once, one outcome each, and all are listed': async ({ cloud, settle }) => {
    const outcomes = await cloud.create([c1, c2, c3]);
    assert.deepEqual(
      outcomes.map(({ host, error }) => ({ host, error })),
      ['c1', 'c2', 'c3'].map((host) => ({ host, error: null })),
    );
    await settle();
    const machines = await cloud.list();
    assert.deepEqual(
      byHost(machines).map(({ host, ip, state }) => ({ host, ip, state })),
      [c1, c2, c3].map(({ name, ip }) => ({ host: name, ip, state: 'running' })),
    );
    for (const { host, id } of outcomes) {
      assert.equal(id, machines.find((machine) => machine.host === host)?.id, `the id of ${host}`);
    }
  },

  'a lease and a start time come back as they were given, or not at all': async ({ cloud }) => {
    await cloud.create([c1]);
    const [machine] = await cloud.list();
    assert.ok(machine);
    assert.ok(machine.lease === null || machine.lease === c1.lease, `lease ${machine.lease}`);
    assert.ok(machine.since === null || machine.since > Date.UTC(2020, 0), `since ${machine.since}`);
  },

  'nothing to create or to delete is no call': async ({ cloud }) => {
    assert.deepEqual(await cloud.create([]), []);
    assert.deepEqual(await cloud.delete([]), []);
  },

  'the same lease twice makes one machine and gives the same id': async ({ cloud }) => {
    const [first] = await cloud.create([c1]);
    const [again] = await cloud.create([c1]);
    assert.equal(again?.error, null);
    assert.equal(again?.id, first?.id);
    assert.equal((await cloud.list()).length, 1);
  },

  'the same lease twice at the same time makes one machine': async ({ cloud }) => {
    const asked = [
      [c1, c2],
      [c2, c3],
      [c1, c3],
    ];
    const answers = await Promise.all(asked.map((leases) => cloud.create(leases)));
    assert.deepEqual(
      answers.flat().map(({ error }) => error),
      answers.flat().map(() => null),
    );
    assert.deepEqual(
      byHost(await cloud.list()).map(({ host }) => host),
      ['c1', 'c2', 'c3'],
    );
  },

  'a lost answer is ambiguous, and asking again with the same lease makes no second machine': async (world) => {
    await world.loseCreate();
    await rejects(world.cloud.create([c1]), ['ambiguous']);
    const [again] = await world.cloud.create([c1]);
    assert.equal(again?.error, null);
    assert.equal((await world.cloud.list()).length, 1);
  },

  'one host that is refused leaves the others alone': async (world) => {
    await world.refuse('c2', 'capacity');
    const outcomes = await world.cloud.create([c1, c2, c3]);
    assert.deepEqual(
      outcomes.map(({ host, error }) => [host, error?.kind ?? null]),
      [
        ['c1', null],
        ['c2', 'capacity'],
        ['c3', null],
      ],
    );
    assert.deepEqual(
      byHost(await world.cloud.list()).map(({ host }) => host),
      ['c1', 'c3'],
    );
  },

  'an address that somebody holds is said to be in use': async (world) => {
    await world.occupy(c1.ip);
    const [refused, fine] = await world.cloud.create([c1, c2]);
    assert.equal(refused?.error?.kind, 'ip-in-use');
    assert.equal(fine?.error, null);
  },

  'a second machine on the address of the first is refused': async ({ cloud }) => {
    await cloud.create([c1]);
    const [second] = await cloud.create([{ ...c1, lease: 'another-lease' }]);
    assert.equal(second?.error?.kind, 'ip-in-use');
    assert.equal((await cloud.list()).length, 1);
  },

  'delete takes exactly what it was given, and twice is no trouble': async ({ cloud, settle }) => {
    await cloud.create([c1, c2]);
    const machines = byHost(await cloud.list()).slice(0, 1);
    assert.deepEqual(await cloud.delete(machines), [{ host: 'c1', error: null }]);
    await settle();
    assert.deepEqual(
      (await cloud.list()).map(({ host }) => host),
      ['c2'],
    );
    assert.deepEqual(await cloud.delete(machines), [{ host: 'c1', error: null }]);
  },

  'deleting a machine that never was is success': async ({ cloud }) => {
    const never: Machine = {
      id: 'never',
      host: 'c1',
      ip: c1.ip,
      state: 'unknown',
      lease: null,
      since: null,
      message: '',
    };
    assert.deepEqual(await cloud.delete([never]), [{ host: 'c1', error: null }]);
  },

  'a host can be created again after its machine is gone': async ({ cloud, settle }) => {
    await cloud.create([c1]);
    await cloud.delete(await cloud.list());
    await settle();
    const [again] = await cloud.create([{ ...c1, lease: 'lease-c1-second-life' }]);
    assert.equal(again?.error, null);
    assert.equal((await cloud.list()).length, 1);
  },

  'a list that fails throws, and is never an empty list': async (world) => {
    await world.cloud.create([c1]);
    for (const kind of ['temporary', 'auth', 'throttled'] as const) {
      await world.failList(kind);
      await rejects(world.cloud.list(), [kind]);
      await rejects(world.cloud.check(), [kind]);
    }
  },

  'an abort ends a hanging list, which changed nothing': async (world) => {
    await world.hang('list');
    await endsOnAbort((signal) => world.cloud.list(signal), ['temporary']);
  },

  'an abort ends a hanging create, and nobody can tell whether it happened': async (world) => {
    await world.hang('create');
    await endsOnAbort((signal) => world.cloud.create([c1], signal), ['ambiguous']);
  },

  'an abort ends a hanging delete, and nobody can tell whether it happened': async (world) => {
    await world.cloud.create([c1]);
    const machines = await world.cloud.list();
    await world.hang('delete');
    await endsOnAbort((signal) => world.cloud.delete(machines, signal), ['ambiguous']);
  },

  'a signal that was given before means nothing was asked': async ({ cloud }) => {
    await rejects(cloud.create([c1], AbortSignal.abort()), ['temporary']);
    assert.deepEqual(await cloud.list(), []);
  },
} satisfies Record<string, Body>;

export type CloudCase = keyof typeof CASES;

/**
 * Runs the contract.
 * @param skips case → why it cannot be run here
 */
export function cloudContract(
  name: string,
  makeWorld: () => Promise<CloudWorld>,
  skips: Partial<Record<CloudCase, string>> = {},
): void {
  describe(`${name} keeps the contract of a cloud`, () => {
    for (const [title, body] of Object.entries<Body>(CASES)) {
      test(title, { skip: skips[title as CloudCase] ?? false, timeout: 60_000 }, async () => {
        await using world = await makeWorld();
        await body(world);
      });
    }
  });
}

const c1: Lease = { name: 'c1', ip: '10.77.0.101', lease: 'lease-c1' };
const c2: Lease = { name: 'c2', ip: '10.77.0.102', lease: 'lease-c2' };
const c3: Lease = { name: 'c3', ip: '10.77.0.103', lease: 'lease-c3' };

function byHost(machines: readonly Machine[]): readonly Machine[] {
  return machines.toSorted((a, b) => a.host.localeCompare(b.host));
}

async function rejects(promise: Promise<unknown>, kinds: readonly CloudErrorKind[]): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof CloudError, `a CloudError, not ${error}`);
    assert.ok(kinds.includes(error.kind), `${kinds.join(' or ')}, not ${error.kind}: ${error.message}`);
    assert.notEqual(error.message, '');
    return true;
  });
}

/** Bounded by the test's own time limit: a call that does not end fails there. */
async function endsOnAbort(
  call: (signal: AbortSignal) => Promise<unknown>,
  kinds: readonly CloudErrorKind[],
): Promise<void> {
  const stop = new AbortController();
  const ended = rejects(call(stop.signal), kinds);
  setImmediate(() => stop.abort());
  await ended;
}
