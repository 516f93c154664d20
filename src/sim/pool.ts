/**
 * The pool of a replay, as its configuration would make it.
 */
import type { Policy, Pool } from '../domain/pool.ts';
import type { Shape } from './job.ts';

const SECOND = 1000;

/** @param options times in ms; `idle` is both CLEANUP_NODE_WAIT_TIME and IDLE_NODE_WAIT_TIME */
export function makePool(options: {
  readonly shape: Shape;
  readonly policy: Policy;
  readonly boot: number;
  readonly idle: number;
}): Pool {
  const { hosts } = options.shape;
  return {
    name: 'cloud',
    queue: 'cloud',
    policy: options.policy,
    hosts: Array.from({ length: hosts }, (_, at) => ({
      name: `c${at + 1}`,
      ip: `10.${Math.floor(at / 62_500)}.${Math.floor(at / 250) % 250}.${(at % 250) + 1}`,
    })),
    limits: { minNodes: 0, maxNodes: hosts, maxStarting: Number.POSITIVE_INFINITY },
    timing: {
      cleanup: options.idle,
      idle: options.idle,
      // A slow cloud is no broken one: a site whose machines need longer than the default says so, too.
      boot: Math.max(1000 * SECOND, 3 * options.boot),
      prepare: 180 * SECOND,
      join: 300 * SECOND,
      stop: 600 * SECOND,
    },
  };
}
