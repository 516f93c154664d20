/**
 * The contract of the bootstrap port: every adapter and the fake run it. A case that cannot be run states why.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PrepareError, type PrepareErrorKind } from '../domain/errors.ts';
import type { Host } from '../domain/host.ts';
import type { Bootstrap } from './bootstrap.ts';

/** A network with a good machine and what the cases need beside it. */
export interface BootstrapWorld extends AsyncDisposable {
  readonly bootstrap: Bootstrap;
  /** Its machine runs and is the right one. */
  readonly good: Host;
  /** A machine answers there, but it is another one. */
  readonly wrong: Host;
  /** Its machine answers but never becomes ready: a preparation does not end by itself. */
  readonly stuck: Host;
  /** Nothing answers on its address. */
  readonly silent: Host;
  /** What the node did: the shared file system is mounted on the good machine. */
  mounted(): Promise<boolean>;
}

type Body = (world: BootstrapWorld) => Promise<void>;

const CASES = {
  'check says in one line that all is there': async ({ bootstrap }) => {
    assert.match(await bootstrap.check(), /^[^\n]+$/);
  },

  'a right machine is prepared': async ({ bootstrap, good, mounted }) => {
    await bootstrap.prepare(good, AbortSignal.timeout(30_000));
    assert.equal(await mounted(), true);
  },

  'a prepared machine may be prepared again': async ({ bootstrap, good, mounted }) => {
    await bootstrap.prepare(good, AbortSignal.timeout(30_000));
    await bootstrap.prepare(good, AbortSignal.timeout(30_000));
    assert.equal(await mounted(), true);
  },

  'a wrong machine behind the address is refused as such': async ({ bootstrap, wrong }) => {
    await rejects(bootstrap.prepare(wrong, AbortSignal.timeout(50_000)), 'identity');
  },

  'an abort ends a preparation at once and says what the trouble was': async ({ bootstrap, stuck }) => {
    const stop = new AbortController();
    const ended = rejects(bootstrap.prepare(stuck, stop.signal), 'timeout');
    setImmediate(() => stop.abort());
    await ended;
  },

  'with a signal that was given before, nothing is prepared': async ({ bootstrap, good, mounted }) => {
    await rejects(bootstrap.prepare(good, AbortSignal.abort()), 'timeout');
    assert.equal(await mounted(), false);
  },

  'a living address answers': async ({ bootstrap, good }) => {
    assert.equal(await bootstrap.answers(good), true);
  },

  'a dead address does not answer': async ({ bootstrap, silent }) => {
    assert.equal(await bootstrap.answers(silent), false);
  },

  'who was stopped before asking cannot say that an address is free': async ({ bootstrap, silent }) => {
    assert.equal(await bootstrap.answers(silent, AbortSignal.abort()), true);
  },

  'a host may be forgotten at any time, also one that was never known': async ({ bootstrap, good, silent }) => {
    assert.equal(await bootstrap.forget(silent), undefined);
    await bootstrap.prepare(good, AbortSignal.timeout(30_000));
    await bootstrap.forget(good);
    await bootstrap.forget(good);
    assert.equal(await bootstrap.prepare(good, AbortSignal.timeout(30_000)), undefined);
  },
} satisfies Record<string, Body>;

export type BootstrapCase = keyof typeof CASES;

/**
 * Runs the contract.
 * @param skips case → why it cannot be run here; a text in place of it = none can be run
 */
export function bootstrapContract(
  name: string,
  makeWorld: () => Promise<BootstrapWorld>,
  skips: Partial<Record<BootstrapCase, string>> | string = {},
): void {
  describe(`${name} keeps the contract of a bootstrap`, () => {
    for (const [title, body] of Object.entries<Body>(CASES)) {
      const skip = typeof skips === 'string' ? skips : (skips[title as BootstrapCase] ?? false);
      test(title, { skip, timeout: 60_000 }, async () => {
        await using world = await makeWorld();
        await body(world);
      });
    }
  });
}

async function rejects(promise: Promise<unknown>, kind: PrepareErrorKind): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof PrepareError, `a PrepareError, not ${error}`);
    assert.equal(error.kind, kind, error.message);
    assert.notEqual(error.message, '');
    return true;
  });
}
