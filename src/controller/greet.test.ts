import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeBootstrap } from '../bootstrap/fake.ts';
import { manualClock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import { memoryDatabase } from '../store/open.ts';
import { sqliteStore } from '../store/sqlite.ts';
import { greetNodes } from './greet.ts';

const HOSTS = ['c1', 'c2', 'c3'].map((name, index) => ({ name, ip: `10.0.0.${index + 1}` }));

test('prepared nodes are greeted again and again, others never; one that does not hear it is told once', async () => {
  const clock = manualClock();
  using store = sqliteStore(memoryDatabase());
  store.register(HOSTS, 1);
  for (const to of ['starting', 'preparing', 'joining', 'ready'] as const) store.move('c1', to, 'x', 2);
  for (const to of ['starting', 'preparing', 'joining'] as const) store.move('c2', to, 'x', 2);
  store.move('c3', 'starting', 'x', 2);
  const heard: string[] = [];
  const said: string[] = [];
  const greet = {
    every: 60_000,
    async hello({ name }: { name: string }) {
      heard.push(name);
      if (name === 'c2') throw new Error('c2 heard no sign of life');
    },
  };
  const parts = { store, clock, log: { ...quietLog, warn: (text: string) => void said.push(text) } };
  const greeting = greetNodes({ ...parts, bootstrap: { ...fakeBootstrap({ clock }), greet } });
  await clock.advance(0);
  assert.deepEqual(heard, ['c1', 'c2']);
  await clock.advance(60_000 * 3 + 1);
  assert.equal(heard.length, 8);
  assert.deepEqual(said, ['c2 heard no sign of life; without one for DEAD_MAN_TIME it stops when no job runs there']);
  await greeting[Symbol.asyncDispose]();
  await clock.advance(600_000);
  assert.equal(heard.length, 8);
});

test('without a dead-man switch nothing is done', async () => {
  const clock = manualClock();
  using store = sqliteStore(memoryDatabase());
  const greeting = greetNodes({ store, clock, log: quietLog, bootstrap: fakeBootstrap({ clock }) });
  await greeting[Symbol.asyncDispose]();
});
