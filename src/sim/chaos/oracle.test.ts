import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeWorld } from '../world.ts';
import { makeOracle } from './oracle.ts';

const MINUTE = 60_000;

test('one machine too many is said, whether or not its host knows of it', async () => {
  await using world = makeWorld({ hosts: 2 });
  const oracle = makeOracle();
  oracle.watch(world);
  world.submit({ nodes: 2, exclusive: true }, 60 * MINUTE);
  await world.until('both run', () => world.states().every((state) => state === 'ready'));
  oracle.inPeace();
  assert.deepEqual(oracle.violations, []);
  world.cloud.double('c1');
  oracle.inPeace();
  assert.deepEqual(oracle.violations, ['3 machines for 2 hosts']);
});

test('one that is being deleted is not one too many', async () => {
  await using world = makeWorld({ hosts: 1 });
  const oracle = makeOracle();
  oracle.watch(world);
  world.submit({}, 60 * MINUTE);
  await world.until('it runs', () => world.states()[0] === 'ready');
  world.cloud.double('c1');
  world.cloud.linger('c1', 10 * MINUTE);
  const [, second] = world.cloud.machines();
  assert.ok(second);
  await world.cloud.delete([second]);
  oracle.inPeace();
  assert.deepEqual(
    world.cloud.machines().map((one) => one.state),
    ['running', 'stopping'],
  );
  assert.deepEqual(oracle.violations, []);
});
