import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrepareError } from '../domain/errors.ts';
import { manualClock } from '../lib/clock.ts';
import { bootstrapContract } from './bootstrap.contract.ts';
import { fakeBootstrap } from './fake.ts';

const c1 = { name: 'c1', ip: '10.77.0.101' };

bootstrapContract('the fake', async () => {
  const bootstrap = fakeBootstrap({ clock: manualClock(), alive: ({ ip }) => ip !== '10.77.0.109' });
  bootstrap.fail('c2', 'identity', Number.POSITIVE_INFINITY);
  bootstrap.hang('c3');
  return {
    bootstrap,
    good: c1,
    wrong: { name: 'c2', ip: '10.77.0.102' },
    stuck: { name: 'c3', ip: '10.77.0.103' },
    silent: { name: 'c9', ip: '10.77.0.109' },
    mounted: async () => bootstrap.prepared.includes('c1'),
    async [Symbol.asyncDispose]() {},
  };
});

test('a preparation takes its time on the clock', async () => {
  const clock = manualClock();
  const bootstrap = fakeBootstrap({ clock, takes: (host) => (host === 'c1' ? 8_000 : 0) });
  const done = bootstrap.prepare(c1, new AbortController().signal);
  await clock.advance(7_999);
  assert.deepEqual(bootstrap.prepared, []);
  await clock.advance(1);
  await done;
  assert.deepEqual(bootstrap.prepared, ['c1']);
});

test('a preparation that overruns its deadline says for how long', async () => {
  const clock = manualClock();
  const bootstrap = fakeBootstrap({ clock, takes: 500_000 });
  const stop = new AbortController();
  const ended = bootstrap.prepare(c1, stop.signal).catch((error: unknown) => error);
  await clock.advance(180_000);
  stop.abort();
  const error = await ended;
  assert.ok(error instanceof PrepareError);
  assert.equal(error.message, 'c1 was not prepared within 3 min: it does not answer');
});

test('failures are used up in their number, and a haunted address answers', async () => {
  const bootstrap = fakeBootstrap({ clock: manualClock() });
  bootstrap.fail('c1', 'mount', 2);
  const signal = new AbortController().signal;
  for (const kind of ['mount', 'mount', null]) {
    const error: unknown = await bootstrap.prepare(c1, signal).then(
      () => null,
      (thrown) => thrown,
    );
    assert.equal(error instanceof PrepareError ? error.kind : error, kind);
  }
  assert.equal(await bootstrap.answers(c1), false);
  bootstrap.haunt(c1.ip);
  assert.equal(await bootstrap.answers(c1), true);
  await bootstrap.forget(c1);
  assert.deepEqual([bootstrap.counts, bootstrap.forgotten], [{ prepare: 3, answers: 2 }, ['c1']]);
});
