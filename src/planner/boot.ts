/**
 * Boot: until when a machine may be on its way up.
 */
import type { HostRecord } from '../domain/host.ts';
import type { Machine } from '../domain/machine.ts';
import type { Pool } from '../domain/pool.ts';

/**
 * BOOT_TIMEOUT counts from the machine's own begin where the cloud tells it: a cloud that starts one machine after
 * another begins the tenth long after we asked for it. Whoever waits for his turn has not begun, and his `since` moves
 * on with the time; so it ends all the same, when every other host of the pool could have taken its whole time first.
 * @returns epoch ms
 */
export function bootDeadline(record: HostRecord, machine: Machine | undefined, pool: Pool): number {
  const { boot } = pool.timing;
  const began = Math.max(record.since, machine?.since ?? record.since);
  return Math.min(began, record.since + boot * Math.max(0, pool.hosts.length - 1)) + boot;
}
