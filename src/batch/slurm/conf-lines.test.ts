import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slurmConfLines } from './conf-lines.ts';
import { expand } from './hostlist.ts';

type Hosts = readonly (readonly [name: string, ip: string])[];

const nodes = (hosts: Hosts, size = {}) =>
  slurmConfLines({ queue: 'cloud', hosts: hosts.map(([name, ip]) => ({ name, ip })), ...size }).slice(0, -2);

test('neighbours in name and address are one line, as an administrator would write it', () => {
  const hosts = [1, 2, 3, 4].map((n) => ({ name: `c${n}`, ip: `172.30.2.10${n}` }));
  assert.deepEqual(slurmConfLines({ queue: 'cloud', hosts, cpus: 2, memoryMiB: 3500 }), [
    'NodeName=c[1-4] NodeAddr=172.30.2.[101-104] CPUs=2 RealMemory=3500 State=UNKNOWN',
    'PartitionName=cloud Nodes=c[1-4] MaxTime=INFINITE State=UP',
    'ReturnToService=2',
  ]);
});

const shapes: readonly [string, Hosts, readonly string[]][] = [
  [
    'the order of the file does not matter',
    [
      ['c2', '10.0.0.2'],
      ['c1', '10.0.0.1'],
    ],
    ['NodeName=c[1-2] NodeAddr=10.0.0.[1-2] State=UNKNOWN'],
  ],
  [
    'addresses with a hole are two lines',
    [
      ['c1', '10.0.0.1'],
      ['c2', '10.0.0.2'],
      ['c3', '10.0.0.9'],
    ],
    ['NodeName=c[1-2] NodeAddr=10.0.0.[1-2] State=UNKNOWN', 'NodeName=c3 NodeAddr=10.0.0.9 State=UNKNOWN'],
  ],
  [
    'addresses that count down, and names with a hole, stand alone',
    [
      ['c1', '10.0.0.2'],
      ['c2', '10.0.0.1'],
      ['c4', '10.0.0.2'],
    ],
    [
      'NodeName=c1 NodeAddr=10.0.0.2 State=UNKNOWN',
      'NodeName=c2 NodeAddr=10.0.0.1 State=UNKNOWN',
      'NodeName=c4 NodeAddr=10.0.0.2 State=UNKNOWN',
    ],
  ],
  [
    'numbers keep their width',
    [
      ['gpu-08', '10.0.0.8'],
      ['gpu-09', '10.0.0.9'],
      ['gpu-10', '10.0.0.10'],
    ],
    ['NodeName=gpu-[08-10] NodeAddr=10.0.0.[8-10] State=UNKNOWN'],
  ],
  [
    'another network begins another line',
    [
      ['c1', '10.0.0.255'],
      ['c2', '10.0.1.0'],
    ],
    ['NodeName=c1 NodeAddr=10.0.0.255 State=UNKNOWN', 'NodeName=c2 NodeAddr=10.0.1.0 State=UNKNOWN'],
  ],
  [
    'names without a number, and IPv6, stand alone',
    [
      ['blue', '10.0.0.1'],
      ['red', '10.0.0.2'],
      ['v1', 'fd00::1'],
      ['v2', 'fd00::2'],
    ],
    [
      'NodeName=blue NodeAddr=10.0.0.1 State=UNKNOWN',
      'NodeName=red NodeAddr=10.0.0.2 State=UNKNOWN',
      'NodeName=v1 NodeAddr=fd00::1 State=UNKNOWN',
      'NodeName=v2 NodeAddr=fd00::2 State=UNKNOWN',
    ],
  ],
];
for (const [what, hosts, lines] of shapes) {
  test(what, () => assert.deepEqual(nodes(hosts), lines));
}

test('Slurm pairs the two lists one by one: both say the same hosts again', () => {
  const hosts = Array.from({ length: 300 }, (_, i): readonly [string, string] => [
    `n${i % 7 === 0 ? i + 1000 : i}`,
    `10.0.${Math.floor(i / 200)}.${i % 200}`,
  ]);
  const told = nodes(hosts).flatMap((line) => {
    const [, names = '', ips = ''] = /^NodeName=(\S+) NodeAddr=(\S+) /.exec(line) ?? [];
    const [all, addresses] = [expand(names), expand(ips)];
    assert.equal(all.length, addresses.length, line);
    return all.map((name, at) => `${name} ${addresses[at]}`);
  });
  assert.deepEqual(told.toSorted(), hosts.map(([name, ip]) => `${name} ${ip}`).toSorted());
});
