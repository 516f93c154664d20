/**
 * The clouds of one pool. Most pools have one; behind several, every host belongs to exactly one of them, so that no
 * host can get two machines.
 */
import type { Cloud } from '../cloud/cloud.ts';
import type { Host } from '../domain/host.ts';

export interface NamedCloud {
  /** Unique in the pool. */
  readonly name: string;
  readonly cloud: Cloud;
}

export interface Clouds {
  /** In the order of preference. */
  readonly all: readonly NamedCloud[];
  /** The cloud that makes this host's machines; null when it is configured no more: then the host is left as it is. */
  of(host: Host): NamedCloud | null;
  /** The name under which the brake of this host's cloud is kept: '' where the pool has only one. */
  brakeOf(host: Host): string;
}

export function makeClouds(all: readonly NamedCloud[]): Clouds {
  const [only] = all;
  const byName = new Map(all.map((one) => [one.name, one]));
  const several = all.length > 1;
  const of = (host: Host) => (several ? (byName.get(host.cloud ?? '') ?? null) : (only ?? null));
  return { all, of, brakeOf: (host) => (several ? (of(host)?.name ?? '') : '') };
}

/** The names under which the brakes of these clouds are kept. */
export function brakeKeys(all: readonly NamedCloud[]): readonly string[] {
  return all.length > 1 ? all.map((one) => one.name) : [''];
}
