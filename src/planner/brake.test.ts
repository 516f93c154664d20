import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOUD_ERRORS } from '../domain/errors.ts';
import {
  afterAcceptance,
  afterBootFailure,
  afterGone,
  afterReady,
  afterRefusal,
  quarantineFor,
  RELEASED,
} from './brake.ts';

const MINUTE = 60_000;

test('each kind of refusal has its consequence', () => {
  const pauses = Object.fromEntries(CLOUD_ERRORS.map((kind) => [kind, afterRefusal(RELEASED, kind, 'm', 0).until]));
  assert.deepEqual(pauses, {
    auth: 30 * MINUTE,
    quota: 30 * MINUTE,
    capacity: MINUTE,
    throttled: 2000,
    'ip-in-use': null,
    config: 30 * MINUTE,
    ambiguous: null,
    temporary: null,
  });
});

test('the pause for lack of capacity doubles up to half an hour', () => {
  let brake = RELEASED;
  let at = 0;
  const pauses: number[] = [];
  for (let i = 0; i < 7; i++) {
    brake = afterRefusal(brake, 'capacity', 'none left', at);
    pauses.push(((brake.until ?? 0) - at) / MINUTE);
    at = brake.until ?? 0;
  }
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 30, 30]);
});

test('one batch that is refused is one strike', () => {
  const once = afterRefusal(RELEASED, 'capacity', 'm', 0);
  assert.equal(afterRefusal(once, 'capacity', 'm', 1), once);
});

test('throttling never counts as lack of capacity', () => {
  const brake = afterRefusal(afterRefusal(RELEASED, 'throttled', 'slow down', 0), 'capacity', 'none', 5000);
  assert.deepEqual([brake.kind, brake.strikes], ['capacity', 1]);
});

test('an accepted machine ends the pause', () => {
  assert.equal(afterAcceptance(afterRefusal(RELEASED, 'capacity', 'm', 0)).kind, null);
});

test('room in the quota ends a quota pause, and only that', () => {
  assert.equal(afterGone(afterRefusal(RELEASED, 'quota', 'm', 0)).kind, null);
  assert.equal(afterGone(afterRefusal(RELEASED, 'auth', 'm', 0)).kind, 'auth');
});

test('three machines in a row that never became ready open the breaker; one that does closes it', () => {
  let brake = RELEASED;
  for (let i = 1; i <= 2; i++) brake = afterBootFailure(brake, 'no mount', 0);
  assert.equal(brake.kind, null);
  brake = afterBootFailure(brake, 'no mount', 0);
  assert.deepEqual([brake.kind, brake.until], ['boot', MINUTE]);
  brake = afterBootFailure(brake, 'no mount', MINUTE);
  assert.equal((brake.until ?? 0) - MINUTE, 2 * MINUTE);
  assert.deepEqual(afterReady(brake), RELEASED);
});

test('one good node forgets earlier failures', () => {
  const brake = afterReady(afterBootFailure(afterBootFailure(RELEASED, 'x', 0), 'x', 0));
  assert.equal(afterBootFailure(brake, 'x', 0).kind, null);
});

test('a host is left alone longer each time', () => {
  assert.deepEqual(
    [2, 3, 4, 5, 20].map((failures) => quarantineFor(failures) / MINUTE),
    [1, 2, 4, 8, 60],
  );
});
