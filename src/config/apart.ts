/**
 * Rules between pools: names, queues, hosts and addresses belong to one pool and one cloud each. Two controllers on one
 * queue would each make nodes for the same jobs; two of them with one host would make it two machines.
 */
import { list } from '../domain/words.ts';
import { sameAddress } from '../lib/address.ts';
import type { ReadCloud, ReadPool } from './pools.ts';
import type { Findings } from './problems.ts';

export function checkApart(pools: readonly ReadPool[], findings: Findings): void {
  once(pools, 'POOL_NAME', (pool) => pool.own.POOL_NAME ?? pool.own.QUEUE_NAME, findings, {
    what: 'a pool',
    hint: 'give each pool a name of its own: name: ...',
  });
  once(pools, 'QUEUE_NAME', (pool) => pool.own.QUEUE_NAME, findings, {
    what: 'the queue of a pool',
    hint: 'one queue has one pool; several clouds for it go into that pool, below clouds:',
  });
  for (const pool of pools) cloudNames(pool, findings);
  hosts(pools, findings);
}

function once(
  pools: readonly ReadPool[],
  key: string,
  nameOf: (pool: ReadPool) => string | undefined,
  findings: Findings,
  say: { what: string; hint: string },
): void {
  const seen = new Map<string, number | null>();
  for (const pool of pools) {
    const name = nameOf(pool);
    if (name === undefined || pool.given === null) continue;
    const origin = pool.given.given.findLast((one) => one.key === key)?.origin ?? pool.given.origin;
    const before = seen.get(name.toLowerCase());
    if (before === undefined) seen.set(name.toLowerCase(), origin.line);
    else {
      const message = `"${name}" is ${say.what} on line ${before} already`;
      findings.problems.push({ file: origin.file, line: origin.line, key, message, hint: say.hint });
    }
  }
}

function cloudNames(pool: ReadPool, findings: Findings): void {
  const seen = new Map<string, number | null>();
  for (const { name, line } of pool.clouds) {
    const before = seen.get(name.toLowerCase());
    if (before === undefined) seen.set(name.toLowerCase(), line);
    else {
      const file = pool.given?.origin.file ?? '';
      const message = `"${name}" is a cloud of this pool on line ${before} already`;
      findings.problems.push({ file, line, key: 'CLOUD_NAME', message, hint: 'give each of them a name: name: ...' });
    }
  }
}

/** One problem for each pair of lists, with all the hosts they share: a file named twice shares every one. */
function hosts(pools: readonly ReadPool[], findings: Findings): void {
  const owners = new Map<string, { readonly cloud: ReadCloud; readonly label: string }>();
  for (const pool of pools) {
    for (const cloud of pool.clouds) {
      const label = labelOf(pool, cloud);
      const shared = new Map<string, { readonly first: string; readonly label: string; names: Set<string> }>();
      for (const host of cloud.hosts ?? []) {
        for (const key of [`name ${host.name.toLowerCase()}`, `ip ${sameAddress(host.ip)}`]) {
          const owner = owners.get(key);
          if (owner === undefined) owners.set(key, { cloud, label });
          else if (owner.cloud !== cloud) {
            const one = shared.get(owner.label) ?? {
              first: owner.cloud.hostsFile,
              label: owner.label,
              names: new Set(),
            };
            one.names.add(key.startsWith('ip ') ? host.ip : host.name);
            shared.set(owner.label, one);
          }
        }
      }
      for (const one of shared.values()) {
        const [file = '', line] = place(cloud.hostsFile);
        const message = `${list([...one.names])} of ${label} ${one.names.size === 1 ? 'belongs' : 'belong'} to ${one.label} already (${one.first})`;
        const hint = 'a host and an address belong to one cloud of one pool; remove them from one of the two';
        findings.problems.push({ file, line, message, hint });
      }
    }
  }
}

function labelOf(pool: ReadPool, cloud: ReadCloud): string {
  const name = pool.own.POOL_NAME ?? pool.own.QUEUE_NAME ?? '?';
  return pool.clouds.length > 1 ? `pool ${name}, cloud ${cloud.name}` : `pool ${name}`;
}

function place(text: string): [string, number | null] {
  const [, file, line] = /^(.*):(\d+)$/.exec(text) ?? [];
  return file === undefined ? [text, null] : [file, Number(line)];
}
