/**
 * Two coats for a store in a simulated world: one that reads from memory (a history reads a thousand times for each
 * write), and one whose writes fail when the world says so, as on a full or a read-only disk.
 */
import type { HostRecord } from '../domain/host.ts';
import type { Store } from '../store/store.ts';

/** The error of a disk, and no defect of ours. */
export class DiskTrouble extends Error {
  override readonly name = 'DiskTrouble';
}

export function isTrouble(error: unknown): boolean {
  return error instanceof DiskTrouble;
}

const READS: ReadonlySet<string> = new Set(['hosts', 'host', 'clocks', 'brake', 'events', 'note']);

/** The same store; hosts are read again only after a write. There is one writer. */
export function remembered(store: Store): Store {
  let hosts: readonly HostRecord[] | null = null;
  let byName: ReadonlyMap<string, HostRecord> = new Map();
  const read = () => {
    if (hosts === null) {
      hosts = store.hosts();
      byName = new Map(hosts.map((one) => [one.name, one]));
    }
    return hosts;
  };
  const find = (name: string) => {
    read();
    return byName.get(name);
  };
  return new Proxy(store, {
    get(target, key) {
      if (key === 'hosts') return read;
      if (key === 'host') return find;
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (typeof key !== 'string' || !READS.has(key)) hosts = null;
        return Reflect.apply(value, target, args);
      };
    },
  });
}

/** @param fails asked before each write: why it fails, or null */
export function brittle(store: Store, fails: (() => string | null) | undefined): Store {
  if (fails === undefined) return store;
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function' || typeof key !== 'string' || READS.has(key)) return value;
      return (...args: unknown[]): unknown => {
        const why = fails();
        if (why !== null) throw new DiskTrouble(why);
        return Reflect.apply(value, target, args);
      };
    },
  });
}
