import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DIR, loadSite, troubles } from './fixtures/site.ts';
import { describe } from './settings.ts';

const YAML = `${DIR}/hybrid-cloud.yaml`;
const yaml = (text: string, more: Record<string, string> = {}) => ({ files: { 'hybrid-cloud.yaml': text, ...more } });

const TWO = `
nfs_mount_point: 172.30.2.194:/export
cloud: command
cloud_command: /opt/cloud
boot_timeout: 500
pools:
  - name: cpu
    queue: cloud
    max_nodes: 1
    hosts:
      172.30.2.101: c1
      172.30.2.102: c2
  - name: gpu
    queue: gpu
    boot_timeout: 900
    bootstrap: none
    clouds:
      - name: campus
        kind: command
        cloud_command: /opt/campus --gpu
        price_per_hour: 0
        hosts: { 172.30.3.101: g1 }
      - name: aws
        kind: vcp
        vcp_accesskey: the-token
        vc_name: hybridcloud
        provider_name: aws
        flavor_name: small
        image_name: base
        price_per_hour: 1.2
        max_nodes: 1
        hosts_file: aws.json
        budget: { money_per_day: 40, nodes: 3, warn_at: 0.5 }
    budget:
      node_hours_per_month: 1000
`;
const AWS = '{ "172.30.4.1": "g2", "172.30.4.2": "g3" }';

test('two pools, one of them with two clouds: what stands inside wins, what stands outside is the default', () => {
  const settings = loadSite(null, yaml(TWO, { 'aws.json': AWS }));
  const [cpu, gpu] = settings.pools;
  assert.deepEqual(
    settings.pools.map(({ pool }) => [pool.name, pool.queue, pool.timing.boot, pool.limits.maxNodes]),
    [
      ['cpu', 'cloud', 500_000, 1],
      ['gpu', 'gpu', 900_000, 3],
    ],
  );
  assert.equal(cpu?.pool.clouds, undefined);
  assert.equal(cpu?.bootstrap, 'ssh');
  assert.equal(gpu?.bootstrap, 'none');
  assert.deepEqual(gpu?.pool.hosts, [
    { name: 'g1', ip: '172.30.3.101', cloud: 'campus' },
    { name: 'g2', ip: '172.30.4.1', cloud: 'aws' },
    { name: 'g3', ip: '172.30.4.2', cloud: 'aws' },
  ]);
  const none = { nodes: null, nodeHoursPerDay: null, nodeHoursPerMonth: null, moneyPerDay: null, moneyPerMonth: null };
  assert.deepEqual(gpu?.pool.clouds, [
    { name: 'campus', pricePerHour: 0, maxNodes: 1 },
    { name: 'aws', pricePerHour: 1.2, maxNodes: 1, budget: { ...none, nodes: 3, moneyPerDay: 40, warnAt: 0.5 } },
  ]);
  assert.deepEqual(gpu?.pool.budget, { ...none, nodeHoursPerMonth: 1000, warnAt: 0.8 });
  assert.deepEqual(
    gpu?.clouds.map(({ name, kind, values }) => [name, kind, values.CLOUD_COMMAND ?? values.VC_NAME]),
    [
      ['campus', 'command', '/opt/campus --gpu'],
      ['aws', 'vcp', 'hybridcloud'],
    ],
  );
  assert.deepEqual(settings.secrets, ['the-token']);
  assert.deepEqual(settings.files, [YAML, `${DIR}/aws.json`]);
  const said = new Map(describe(settings).map((one) => [one.key, `${one.value} ${one.source}`]));
  assert.equal(said.get('gpu.BOOT_TIMEOUT'), `900 ${YAML}:15`);
  assert.equal(said.get('gpu.aws.VCP_ACCESSKEY'), `(set) ${YAML}:25`);
  assert.equal(said.get('BOOT_TIMEOUT'), `500 ${YAML}:5`);
  assert.equal(said.has('MAX_NODES'), false);
});

test('one named pool may use the hosts.json beside the configuration, and the env file', () => {
  const text = 'pools:\n  - name: big\n    queue: cloud\n    budget: { nodes: 2 }\n';
  const settings = loadSite('CLOUD=command\nCLOUD_COMMAND=/opt/cloud\nBOOTSTRAP=none\n', yaml(text));
  assert.equal(settings.pool.name, 'big');
  assert.equal(settings.pool.hosts.length, 4);
  assert.equal(settings.pool.budget?.nodes, 2);
  assert.deepEqual(settings.pool.clouds, [{ name: 'command', pricePerHour: 0, maxNodes: 4 }]);
  assert.equal(settings.pool.hosts[0]?.cloud, undefined);
});

test('a site without pools: may have a budget, too', () => {
  const env = 'CLOUD=command\nCLOUD_COMMAND=/opt/cloud\nBOOTSTRAP=none\nPRICE_PER_HOUR=0.5\nBUDGET_MONEY_PER_DAY=10\n';
  const { pool } = loadSite(env);
  assert.equal(pool.budget?.moneyPerDay, 10);
  assert.equal(pool.clouds?.[0]?.pricePerHour, 0.5);
});

test('every mistake is told at once, each with its place and what to do', () => {
  const text = `cloud: command
cloud_command: /opt/cloud
bootstrap: none
pools:
  - name: a
    queue: one
    qeue: x
    poll_interval: 5
    hosts:
      10.0.0.1: c1
      10.0.0.2: c2
  - name: A
    queue: one
    hosts:
      10.0.0.2: c3
      10.0.0.9: c1
    budget:
      node: 3
      money_per_day: 5
  - queue: three
    min_nodes: 2
    budget: { nodes: 1 }
    clouds:
      - kind: command
        policy: demand
        hosts: { 10.0.1.1: d1 }
      - kind: command
  - name: four
    queue: four
    clouds: none
`;
  assert.deepEqual(
    troubles(null, yaml(text)).map((line) => line.replace(`${YAML}:`, '')),
    [
      '7:5: qeue is not known; did you mean queue?',
      '8:5: poll_interval: belongs to the whole service, not to one pool (write it outside pools:)',
      '12: POOL_NAME: "A" is a pool on line 5 already (give each pool a name of its own: name: ...)',
      '13: QUEUE_NAME: "one" is the queue of a pool on line 6 already (one queue has one pool; several clouds for it go into that pool, below clouds:)',
      `14: 10.0.0.2 and c1 of pool A belong to pool a already (${YAML}:9) (a host and an address belong to one cloud of one pool; remove them from one of the two)`,
      '18:7: node is not known; did you mean nodes?',
      '19: BUDGET_MONEY_PER_DAY: needs PRICE_PER_HOUR of cloud command, which is not set (write PRICE_PER_HOUR: 0.5, or 0 for a cloud that costs nothing)',
      '21: MIN_NODES: 2 is more than BUDGET_NODES, which is 1 (write e.g. MIN_NODES: 1)',
      '25:9: policy: belongs to the pool, not to one of its clouds (write it beside clouds:)',
      '27: HOSTS: cloud command of pool three has no hosts (write hosts: with an address and a name in each line, or hosts_file:)',
      '27: CLOUD_NAME: "command" is a cloud of this pool on line 24 already (give each of them a name: name: ...)',
      '28: HOSTS: pool four has no hosts (write hosts: with an address and a name in each line, or hosts_file:)',
      '30:5: CLOUDS: must be a list with at least one entry (begin each with a dash: clouds: - kind: command)',
    ],
  );
});

test('a secret in a pool is never repeated', () => {
  const text = `cloud: token
bootstrap: none
pools:
  - queue: a
    secret_number: my-very-own-secret
    hosts: { 10.0.0.1: c1 }
`;
  const lines = troubles(null, yaml(text));
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]), /hybrid-cloud.yaml:5: SECRET_NUMBER: its value is not a number/);
  assert.doesNotMatch(lines.join('\n'), /my-very-own/);
});

test('what a pool lacks is told where the pool stands', () => {
  const text = 'bootstrap: none\npools:\n  - name: a\n    cloud: vcp\n    hosts: { 10.0.0.1: c1 }\n';
  const lines = troubles(null, yaml(text));
  assert.equal(lines.length, 5);
  for (const line of lines) assert.match(line, /hybrid-cloud.yaml:3: \w+ is not set for pool a; CLOUD=vcp needs it/);
});

test('the same hosts.json in two pools is one mistake, not eight', () => {
  const text =
    'cloud: command\ncloud_command: /opt/cloud\nbootstrap: none\npools:\n' +
    '  - { queue: a, hosts_file: hosts.json }\n  - { queue: b, hosts_file: hosts.json }\n';
  const lines = troubles(null, yaml(text));
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]), /hosts\.json: .*c1.* of pool b belong to pool a already/);
});

test('the pools of hybrid-cloud.yaml.example are accepted with the # taken off', () => {
  const text = readFileSync(new URL('../../packaging/config/hybrid-cloud.yaml.example', import.meta.url), 'utf8');
  const at = text.indexOf('#pools:');
  const off = text.slice(at).replace(/^#/gm, '');
  const site = yaml(
    `bootstrap: none\nvcp_accesskey: token\nvc_name: a\nprovider_name: aws\nflavor_name: s\nimage_name: i\n${off}`,
    {
      'hosts-aws.json': AWS,
    },
  );
  const settings = loadSite(null, site);
  assert.deepEqual(
    settings.pools.map(({ pool, clouds }) => [pool.name, clouds.map((cloud) => cloud.name)]),
    [
      ['cpu', ['vcp']],
      ['gpu', ['campus', 'aws']],
    ],
  );
});

test('a cloud bills as its pool says, or as it says itself; times of the week are the pool’s', () => {
  const text = TWO.replace('max_nodes: 1\n        hosts_file', 'billing_granularity: 3600\n        hosts_file')
    .replace(
      'boot_timeout: 900\n',
      'boot_timeout: 900\n    minimum_charge: 60\n    min_nodes: 1; Mon-Fri 08:00-18:00 = 2\n',
    )
    .replace('pools:', 'poll_interval: 60\ntime_zone: Asia/Tokyo\npools:');
  const gpu = loadSite(null, yaml(text, { 'aws.json': AWS })).pools[1]?.pool;
  assert.deepEqual(gpu?.billing, { granularity: 1000, minimum: 60_000, lead: 500 });
  assert.deepEqual(
    gpu?.clouds?.map(({ name, billing }) => [name, billing]),
    [
      ['campus', undefined],
      ['aws', { granularity: 3_600_000, minimum: 60_000, lead: 150_000 }],
    ],
  );
  assert.equal(gpu?.limits.minNodes, 1);
  assert.deepEqual(gpu?.schedule, [
    { limit: 'minNodes', nodes: 2, when: { days: [1, 2, 3, 4, 5], from: 480, to: 1080, zone: 'Asia/Tokyo' } },
  ]);
});
