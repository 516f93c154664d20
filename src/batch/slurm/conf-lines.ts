/**
 * What slurm.conf needs for the hosts of a pool: their nodes, the partition, and the rule that lets a node come back.
 */
import { isIPv4 } from 'node:net';
import { compress, sortHosts } from './hostlist.ts';

export interface ConfLines {
  readonly queue: string;
  readonly hosts: readonly { readonly name: string; readonly ip: string }[];
  /** What one machine of the cloud has. Left out where nobody says it: Slurm then takes 1. */
  readonly cpus?: number | undefined;
  readonly memoryMiB?: number | undefined;
}

/** Lines to paste into slurm.conf; neighbours in name and address are one line. */
export function slurmConfLines({ queue, hosts, cpus, memoryMiB }: ConfLines): string[] {
  const size = [cpus === undefined ? '' : ` CPUs=${cpus}`, memoryMiB === undefined ? '' : ` RealMemory=${memoryMiB}`];
  return [
    ...rows(hosts).map((row) => {
      const names = compress(row.map(({ name }) => name));
      return `NodeName=${names} NodeAddr=${addresses(row.map(({ ip }) => ip))}${size.join('')} State=UNKNOWN`;
    }),
    `PartitionName=${queue} Nodes=${compress(hosts.map(({ name }) => name))} MaxTime=INFINITE State=UP`,
    'ReturnToService=2',
  ];
}

type Row = ConfLines['hosts'][number];

/** Slurm pairs names and addresses one by one, so both must count up together. */
function rows(hosts: readonly Row[]): Row[][] {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const found: Row[][] = [];
  for (const host of sortHosts([...byName.keys()]).map((name) => byName.get(name))) {
    if (host === undefined) continue;
    const row = found.at(-1);
    const last = row?.at(-1);
    if (row !== undefined && last !== undefined && follows(last, host)) row.push(host);
    else found.push([host]);
  }
  return found;
}

function follows(a: Row, b: Row): boolean {
  if (!isIPv4(a.ip) || !isIPv4(b.ip)) return false;
  const [netA, lastA] = split(a.ip);
  const [netB, lastB] = split(b.ip);
  // Two names that Slurm does not write as one range would come out as a list, which no address range fits.
  return netA === netB && lastB === lastA + 1 && /\[\d+-\d+\]$/.test(compress([a.name, b.name]));
}

function addresses(ips: readonly string[]): string {
  const [first = ''] = ips;
  if (ips.length === 1) return first;
  const [net, from] = split(first);
  return `${net}[${from}-${from + ips.length - 1}]`;
}

/** `172.30.2.101` -> `172.30.2.` and 101. */
function split(ip: string): [string, number] {
  const at = ip.lastIndexOf('.') + 1;
  return [ip.slice(0, at), Number(ip.slice(at))];
}
