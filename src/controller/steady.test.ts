import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWorld } from '../sim/world.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

for (const by of [HOUR, -HOUR, -7 * 24 * HOUR, 365 * 24 * HOUR]) {
  test(`a clock set by ${by / HOUR} h while a node boots, idles and drains changes nothing`, async () => {
    await using world = makeWorld({ hosts: 1, bootTime: 5 * MINUTE });
    world.submit({}, MINUTE);
    await world.until('it starts', () => world.states()[0] === 'starting', MINUTE);
    world.setClock(by);
    const boots = await world.until('it is ready', () => world.states()[0] === 'ready', 20 * MINUTE);
    assert.ok(boots > 4 * MINUTE && boots < 6 * MINUTE, `${boots / SECOND} s`);
    await world.until('its job has ended', () => world.batch.running.length === 0, 5 * MINUTE);
    await world.pass(5 * MINUTE);
    world.setClock(-2 * by);
    // Idle for five minutes of ten: neither at once nor for ever.
    const idles = await world.until('it drains', () => world.states()[0] !== 'ready', 30 * MINUTE);
    assert.ok(idles > 4 * MINUTE && idles < 6 * MINUTE, `${idles / SECOND} s`);
    await world.until('it is gone', () => world.states()[0] === 'free', 5 * MINUTE);
    assert.equal(world.cloud.counts.made, 1);
    const told = world.store.events(1000).filter(({ text }) => text.startsWith('the clock was set'));
    assert.equal(told.length, 2);
  });
}

test('a clock that was set back while no service ran: what seems to begin in the future began before this start', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.submit({}, 30 * SECOND);
  await world.until('it is idle', () => world.store.host('c1')?.idleSince != null, 10 * MINUTE);
  world.setClock(-24 * HOUR);
  await world.restart();
  await world.until('it drains', () => world.states()[0] !== 'ready', 12 * MINUTE);
  assert.match(
    world.store
      .events(1000)
      .map(({ text }) => text)
      .join('\n'),
    /set back by .* before this start/,
  );
});

test('small steps, as NTP makes them, are no setting of a clock', async () => {
  await using world = makeWorld({ hosts: 1 });
  await world.pass(10 * SECOND);
  for (let i = 0; i < 5; i++) {
    world.setClock(100);
    await world.pass(10 * SECOND);
  }
  assert.equal(world.store.events(1000).filter(({ text }) => text.startsWith('the clock')).length, 0);
});
