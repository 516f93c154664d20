/**
 * /etc/hosts: the lines that belong there for the registered hosts, and those that say something else.
 */
import type { Host } from '../../domain/host.ts';
import { sameAddress } from '../../lib/address.ts';

/** `172.30.2.101  c1` for each host, in the order of hosts.json. */
export function hostsLines(hosts: readonly Host[]): string[] {
  const width = Math.max(...hosts.map(({ ip }) => ip.length));
  return hosts.map(({ name, ip }) => `${ip.padEnd(width)}  ${name}`);
}

export interface Misplaced {
  readonly host: string;
  /** The line's number. */
  readonly at: number;
  /** The address it gives. */
  readonly ip: string;
}

/** Lines that give a registered host another address. */
export function misplaced(text: string, hosts: readonly Host[]): Misplaced[] {
  const byName = new Map(hosts.map((host) => [host.name.toLowerCase(), host]));
  return text.split('\n').flatMap((line, index) => {
    const [ip = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return names.flatMap((name) => {
      const host = byName.get(name.toLowerCase());
      // A name may have an address of the other kind besides.
      const kind = host?.ip.includes(':') === ip.includes(':');
      const other = host !== undefined && kind && sameAddress(host.ip) !== sameAddress(ip);
      return other ? [{ host: host.name, at: index + 1, ip }] : [];
    });
  });
}
