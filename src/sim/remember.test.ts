import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOST_STATES } from '../domain/lifecycle.ts';
import { memoryDatabase } from '../store/open.ts';
import { sqliteStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { replayStore } from './remember.ts';

const HOSTS = [
  { name: 'c1', ip: '10.0.0.1' },
  { name: 'c2', ip: '10.0.0.2' },
];

type Order = (store: Store) => unknown;

const host = fc.constantFrom('c1', 'c2');
const orders: fc.Arbitrary<Order> = fc.oneof(
  fc.tuple(host, fc.constantFrom(...HOST_STATES), fc.integer({ min: 0, max: 3 })).map(
    ([name, to, failures]): Order =>
      (store) =>
        store.move(name, to, `to ${to}`, 5, { failures, lease: to === 'free' ? null : 'hc-1' }),
  ),
  fc.tuple(host, fc.option(fc.nat())).map(
    ([name, idleSince]): Order =>
      (store) =>
        store.touch(name, { idleSince }),
  ),
  fc.tuple(host, fc.boolean()).map(
    ([name, held]): Order =>
      (store) =>
        store.hold(name, held),
  ),
  fc.option(fc.nat()).map(
    (at): Order =>
      (store) =>
        store.setClocks({ emptySince: at, noWaitingSince: null }),
  ),
  fc.option(fc.string()).map(
    (text): Order =>
      (store) =>
        store.setNote('told', text),
  ),
);

test('whatever is written, the store of a replay remembers what the real one does', () => {
  fc.assert(
    fc.property(fc.array(orders, { maxLength: 25 }), (list) => {
      using real = sqliteStore(memoryDatabase());
      using ours = replayStore();
      for (const store of [real, ours]) store.register(HOSTS, 1);
      for (const order of list) assert.deepEqual(outcome(ours, order), outcome(real, order));
    }),
    { numRuns: 200 },
  );
});

/** What the order says, and all that is in the store after it. */
function outcome(store: Store, order: Order): unknown {
  let said: unknown;
  try {
    said = order(store) ?? null;
  } catch (error) {
    said = String(error);
  }
  return {
    said,
    hosts: [...store.hosts()],
    one: store.host('c1'),
    clocks: store.clocks(),
    brake: store.brake(),
    note: store.note('told'),
  };
}

test('a warning that is said of many hosts is one warning', () => {
  const store = replayStore();
  for (const name of ['c1', 'c20', 'c300']) store.event('warn', name, `${name} was not created`, 1);
  store.event('info', null, 'all is well', 1);
  assert.deepEqual([...store.warnings], [['cN was not created', 3]]);
});
