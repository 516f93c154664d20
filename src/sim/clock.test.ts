import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWorld } from './world.ts';

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
  });
}

test('a clock that was set back while no service ran: what seems to begin in the future began before this start', async () => {
  await using world = makeWorld({ hosts: 1 });
  world.submit({}, 30 * SECOND);
  await world.until('it is idle', () => world.store.host('c1')?.idleSince != null, 10 * MINUTE);
  world.setClock(-24 * HOUR);
  await world.restart();
  await world.until('it drains', () => world.states()[0] !== 'ready', 12 * MINUTE);
});
