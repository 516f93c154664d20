import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLOUD_ERRORS } from '../domain/errors.ts';
import {
  afterAcceptance,
  afterBatch,
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

describe('a cloud that throttles is followed at its own rate', () => {
  const batch = (asked: number, accepted: number, throttled = asked - accepted) => ({
    asked,
    accepted,
    throttled,
    message: 'slow down',
  });
  const slowed = afterBatch(RELEASED, batch(1000, 200), 0);

  test('the next call asks for a little more than it took', () => {
    assert.deepEqual([slowed.kind, slowed.until, slowed.atMost], ['throttled', 1000, 301]);
    const steady = afterBatch(slowed, batch(301, 2), 1000);
    assert.deepEqual([steady.until, steady.atMost], [2000, 4]);
    assert.equal(afterBatch(steady, batch(4, 2), 2000).atMost, 4);
  });

  test('when it takes all that is asked for, twice as many are asked for, at once', () => {
    const faster = afterBatch({ ...slowed, atMost: 4 }, batch(4, 4), 5000);
    assert.deepEqual([faster.until, faster.atMost], [5000, 8]);
  });

  test('when it takes all that is wanted, that is the end of it', () => {
    assert.deepEqual(afterBatch({ ...slowed, atMost: 8 }, batch(3, 3), 5000), RELEASED);
  });

  test('when it takes none, one machine is tried, after 2, 4, 8 ... 60 s', () => {
    let brake = slowed;
    let at = 10_000;
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      brake = afterBatch(brake, batch(1, 0), at);
      pauses.push(((brake.until ?? 0) - at) / 1000);
      assert.equal(brake.atMost, 1);
      at = brake.until ?? 0;
    }
    assert.deepEqual(pauses, [2, 4, 8, 16, 32, 60, 60]);
  });

  test('other errors are none of its business', () => {
    assert.equal(afterBatch(RELEASED, batch(4, 2, 0), 0), RELEASED);
    assert.equal(afterBatch(slowed, batch(4, 0, 0), 0), slowed);
  });

  test('it does not hide what was wrong before', () => {
    const full = afterRefusal(RELEASED, 'quota', 'full', 0);
    assert.deepEqual(afterBatch(full, batch(1, 0), 0), full);
    const over = afterBatch({ ...full, until: 10 }, batch(1, 0), 5000);
    assert.deepEqual([over.kind, over.until, over.atMost], ['quota', 7000, undefined]);
  });
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
