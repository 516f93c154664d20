/**
 * From the service's own values to the pool, with the defaults that follow from other values: the hosts limit the
 * number of nodes, the queue names the pool, one node waits as long as all of them.
 */
import type { z } from 'zod';
import type { Billing, Budget, Pool, ScheduledLimit } from '../domain/pool.ts';
import type { NodeCounts } from './node-counts.ts';
import { ownOptions } from './options.ts';
import type { Shown } from './settings.ts';
import type { Reader } from './values.ts';

/** Values of the service's own options; absent when not given and without default, or when wrong. */
export type Own = { readonly [O in (typeof ownOptions)[number] as O['key']]?: z.output<O['schema']> };

/**
 * The pool as the planner knows it.
 * @param poll ms between two looks
 * @param most what its only cloud allows
 */
export function makePool(own: Own, hosts: Pool['hosts'], poll: number, most = hosts.length): Pool {
  const queue = given(own.QUEUE_NAME);
  const cleanup = given(own.CLEANUP_NODE_WAIT_TIME);
  return {
    name: own.POOL_NAME ?? queue,
    queue,
    policy: given(own.POLICY),
    hosts,
    limits: {
      minNodes: given(own.MIN_NODES).usual,
      spareNodes: given(own.SPARE_NODES).usual,
      maxNodes: Math.min(own.MAX_NODES ?? hosts.length, hosts.length, most),
      maxStarting: own.MAX_STARTING ?? hosts.length,
    },
    timing: {
      cleanup,
      idle: own.IDLE_NODE_WAIT_TIME === undefined ? cleanup : own.IDLE_NODE_WAIT_TIME,
      boot: given(own.BOOT_TIMEOUT),
      prepare: given(own.PREPARE_TIMEOUT),
      join: given(own.JOIN_TIMEOUT),
      stop: given(own.STOP_TIMEOUT),
    },
    patience: { burstAfter: given(own.BURST_AFTER), gather: given(own.GATHER_TIME) },
    billing: makeBilling(given(own.BILLING_GRANULARITY), given(own.MINIMUM_CHARGE), poll),
    schedule: [
      ...scheduled('minNodes', given(own.MIN_NODES), own.TIME_ZONE),
      ...scheduled('spareNodes', given(own.SPARE_NODES), own.TIME_ZONE),
    ],
  };
}

/**
 * A node is let go a minute before the end of what is paid, or two looks and half a minute when looks are rare: the
 * delete must be asked for in time. Of short periods it is the second half.
 */
export function makeBilling(granularity: number, minimum: number, poll: number): Billing {
  return { granularity, minimum, lead: Math.min(Math.max(60_000, 2 * poll + 30_000), granularity / 2) };
}

function scheduled(limit: ScheduledLimit['limit'], counts: NodeCounts, zone: string | undefined): ScheduledLimit[] {
  return counts.at.map(({ days, from, to, nodes }) => ({
    limit,
    nodes,
    when: { days, from, to, zone: zone ?? null },
  }));
}

/** BUDGET_*, or undefined when none of them is given. */
export function budgetOf(own: Own): Budget | undefined {
  const budget = {
    nodes: own.BUDGET_NODES ?? null,
    nodeHoursPerDay: own.BUDGET_NODE_HOURS_PER_DAY ?? null,
    nodeHoursPerMonth: own.BUDGET_NODE_HOURS_PER_MONTH ?? null,
    moneyPerDay: own.BUDGET_MONEY_PER_DAY ?? null,
    moneyPerMonth: own.BUDGET_MONEY_PER_MONTH ?? null,
  };
  if (Object.values(budget).every((limit) => limit === null)) return undefined;
  return { ...budget, warnAt: own.BUDGET_WARN_AT ?? 0.8 };
}

/** An option with a default has a value once there is no problem. */
export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('an option without value and without problem');
  return value;
}

/** For `describe`: also the values that follow from others, in the order of the options. */
export function shown(reader: Reader, pool: Pool, configDir: string, hostsFile: string, own: Own): Map<string, Shown> {
  const found = (key: string) => reader.shown.get(key)?.source ?? 'default';
  const follow: Readonly<Record<string, Shown>> = {
    CONFIG_DIR: { value: configDir, source: found('CONFIG_DIR') },
    HOSTS_FILE: { value: hostsFile, source: found('HOSTS_FILE') },
    ...(own.IDLE_NODE_WAIT_TIME === undefined && {
      IDLE_NODE_WAIT_TIME: { value: String(pool.timing.cleanup / 1000), source: 'default, as CLEANUP_NODE_WAIT_TIME' },
    }),
    ...(own.MAX_NODES === undefined && {
      MAX_NODES: { value: String(pool.limits.maxNodes), source: 'default, all registered hosts' },
    }),
    ...(own.TIME_ZONE === undefined && { TIME_ZONE: { value: 'that of this machine', source: 'default' } }),
    ...(own.MAX_STARTING === undefined && { MAX_STARTING: { value: 'no limit', source: 'default' } }),
    ...(own.POOL_NAME === undefined && { POOL_NAME: { value: pool.name, source: 'default, as QUEUE_NAME' } }),
  };
  const keys = new Set([...ownOptions.map((option) => option.key as string), ...reader.shown.keys()]);
  const all = new Map<string, Shown>();
  for (const key of keys) {
    const one = follow[key] ?? reader.shown.get(key);
    if (one !== undefined) all.set(key, one);
  }
  return all;
}
