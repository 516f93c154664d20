/**
 * Rules about several settings at once. They are applied only where each of the settings is right by itself.
 */
import { missingVcp } from '../cloud/registry.ts';
import type { Host } from '../domain/host.ts';
import type { OptionValues } from '../lib/option.ts';
import { type Origin, written } from './known.ts';
import type { Own } from './pool.ts';
import { notSet, type Reader, wrong } from './values.ts';

export interface Asked {
  readonly minNodes: number;
  /** Undefined: all registered hosts. */
  readonly maxNodes: number | undefined;
  /** BUDGET_NODES; undefined: no limit of its own. */
  readonly budgetNodes?: number | undefined;
  /** Null when hosts.json cannot be believed. */
  readonly hosts: readonly Host[] | null;
  readonly hostsFile: string;
}

/** MIN_NODES <= MAX_NODES <= registered hosts; a MAX_NODES above that does no harm and is only told. */
export function checkLimits(asked: Asked, reader: Reader): void {
  const { minNodes, maxNodes, hosts, hostsFile } = asked;
  if (reader.wrong.has('MIN_NODES') || reader.wrong.has('MAX_NODES')) return;
  const min = originOf('MIN_NODES', reader);
  if (maxNodes !== undefined && minNodes > maxNodes) {
    const message = `${minNodes} is more than MAX_NODES, which is ${maxNodes}`;
    wrong(reader, min, 'MIN_NODES', message, `write e.g. ${written('MIN_NODES', String(maxNodes), min)}`);
  } else if (hosts !== null && minNodes > hosts.length) {
    const message = `${minNodes} is more than the ${hosts.length} registered in ${hostsFile}`;
    wrong(reader, min, 'MIN_NODES', message, `write e.g. ${written('MIN_NODES', String(hosts.length), min)}`);
  }
  const { budgetNodes } = asked;
  if (budgetNodes !== undefined && minNodes > budgetNodes && !reader.wrong.has('MIN_NODES')) {
    const message = `${minNodes} is more than BUDGET_NODES, which is ${budgetNodes}`;
    wrong(reader, min, 'MIN_NODES', message, `write e.g. ${written('MIN_NODES', String(budgetNodes), min)}`);
  }
  if (hosts !== null && maxNodes !== undefined && maxNodes > hosts.length) {
    const { file, line } = originOf('MAX_NODES', reader);
    const message = `${maxNodes} is more than the ${hosts.length} registered hosts, which are the limit`;
    reader.findings.notices.push({ file, line, key: 'MAX_NODES', message, hint: '' });
  }
}

/** Money can be counted only where the price is known; a cloud that costs nothing says so with 0. */
export function checkMoney(
  pool: Own,
  clouds: readonly { readonly name: string; readonly own: Own; readonly line: number | null }[],
  reader: Reader,
): void {
  for (const key of ['BUDGET_MONEY_PER_DAY', 'BUDGET_MONEY_PER_MONTH'] as const) {
    for (const { name, own, line } of clouds) {
      if (own.PRICE_PER_HOUR !== undefined || (own[key] === undefined && pool[key] === undefined)) continue;
      if (reader.wrong.has('PRICE_PER_HOUR')) continue;
      const origin = originOf(key, reader);
      const place = line === null ? origin : { ...origin, line };
      const hint = `write ${written('PRICE_PER_HOUR', '0.5', origin)}, or 0 for a cloud that costs nothing`;
      wrong(reader, place, key, `needs PRICE_PER_HOUR of cloud ${name}, which is not set`, hint);
    }
  }
}

/** CLOUD=command runs a program of the site, so it must be named; CLOUD=vcp needs what its generation is about. */
export function checkCloud(cloud: string | null, values: OptionValues, reader: Reader): void {
  if (cloud === 'vcp' && !reader.wrong.has('CLOUD')) {
    for (const { key, about } of missingVcp(values)) notSet(reader, key, `CLOUD=vcp needs it: ${about}`, '');
  }
  if (cloud !== 'command' || values.CLOUD_COMMAND !== undefined) return;
  notSet(reader, 'CLOUD_COMMAND', 'CLOUD=command needs it', '');
}

/** BOOTSTRAP=ssh mounts a shared file system; network file systems are written `server:/directory`. */
export function checkMount(bootstrap: string | null, values: OptionValues, reader: Reader): void {
  const type = String(values.NFS_TYPE ?? 'nfs');
  if (bootstrap !== 'ssh' || reader.wrong.has('NFS_TYPE')) return;
  const mountPoint = values.NFS_MOUNT_POINT;
  if (mountPoint === undefined) {
    notSet(reader, 'NFS_MOUNT_POINT', 'BOOTSTRAP=ssh needs it', '');
  } else if (type.startsWith('nfs') && !/^(\[[0-9A-Fa-f:.]+\]|[^\s:/]+):\/\S*$/.test(String(mountPoint))) {
    const origin = originOf('NFS_MOUNT_POINT', reader);
    const hint = `write e.g. ${written('NFS_MOUNT_POINT', '172.30.2.194:/export', origin)}`;
    wrong(reader, origin, 'NFS_MOUNT_POINT', `"${String(mountPoint)}" is not server:/directory`, hint);
  }
}

function originOf(key: string, reader: Reader): Origin {
  const given = reader.sources.given.get(key);
  return given?.origin ?? { kind: 'default', file: reader.sources.envFile, line: null };
}
