/**
 * The env files of both generations, variable by variable, as in the reference on the VCP SDK, section 4.4: each is taken
 * under its own name, ends where it is used, and has its default when it is left out.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchFamilies } from '../../batch/registry.ts';
import { bootstrapKinds } from '../../bootstrap/registry.ts';
import { fixture, loadSite, troubles } from '../../config/fixtures/site.ts';
import type { Registries } from '../../config/known.ts';
import type { Settings } from '../../config/settings.ts';
import { cloudKinds } from '../registry.ts';
import { keptHosts, readVcpValues, unusedKeys } from './options.ts';
import { startOf } from './start.ts';

const registries: Registries = { batch: batchFamilies, cloud: cloudKinds, bootstrap: bootstrapKinds };
const vcp = (settings: Settings) => readVcpValues(settings.values.cloud);
const mounted = (settings: Settings) => settings.values.bootstrap;
const started = (settings: Settings) => startOf(vcp(settings), settings.configDir);
const unused = (settings: Settings) => unusedKeys(settings.values.cloud).flatMap(({ keys }) => keys);

/** With the variable as the generation's own example has it, or as a site would change it; and what then follows. */
interface Row {
  readonly key: string;
  readonly value: string;
  readonly used: (settings: Settings) => unknown;
  readonly as: unknown;
  /** Without it: what is used instead, or `missing`: the site is told, and the service does not start. */
  readonly without: { readonly is: unknown } | 'missing';
}

const FIRST: readonly Row[] = [
  { key: 'VCP_ACCESSKEY', value: 'a-token', used: (s) => vcp(s).VCP_ACCESSKEY, as: 'a-token', without: 'missing' },
  { key: 'VC_NAME', value: 'burst', used: (s) => vcp(s).target.group, as: 'burst', without: 'missing' },
  { key: 'PROVIDER_NAME', value: 'azure', used: (s) => spec(s).provider, as: 'azure', without: 'missing' },
  { key: 'FLAVOR_NAME', value: 'large', used: (s) => spec(s).flavor, as: 'large', without: 'missing' },
  {
    key: 'IMAGE_NAME',
    value: '10.0.0.1:5001/x',
    used: (s) => spec(s).image,
    as: '10.0.0.1:5001/x',
    without: 'missing',
  },
  {
    key: 'NFS_MOUNT_POINT',
    value: '10.0.0.9:/home',
    used: (s) => mounted(s).NFS_MOUNT_POINT,
    as: '10.0.0.9:/home',
    without: 'missing',
  },
  { key: 'NFS_LOCAL_DIR', value: '/home', used: (s) => mounted(s).NFS_LOCAL_DIR, as: '/home', without: { is: '/mnt' } },
  {
    key: 'CLEANUP_NODE_WAIT_TIME',
    value: '60',
    used: (s) => s.pool.timing.cleanup,
    as: 60_000,
    without: { is: 600_000 },
  },
  {
    key: 'VCP_SDK_CONTAINER_IMAGE',
    value: 'vcpsdk:22.10.0',
    used: (s) => started(s).command.find((word) => word.includes('vcpsdk:')),
    as: 'vcpsdk:22.10.0',
    without: { is: 'vcpsdk:20.10.0' },
  },
  { key: 'QUEUE_NAME', value: 'burst', used: (s) => s.pool.queue, as: 'burst', without: { is: 'cloud' } },
];

const SECOND: readonly Row[] = [
  { key: 'VCP_ACCESSKEY', value: 'a-token', used: (s) => vcp(s).VCP_ACCESSKEY, as: 'a-token', without: 'missing' },
  {
    key: 'VCP_CONFIG_DIR',
    value: '/conf',
    used: (s) => started(s).configDir,
    as: '/conf',
    without: { is: '/vcp_config' },
  },
  { key: 'VC_GROUP_NAME', value: 'HPC', used: (s) => vcp(s).target.group, as: 'HPC', without: 'missing' },
  { key: 'VC_UNIT_NAME', value: 'gpu', used: (s) => unit(s), as: 'gpu', without: 'missing' },
  ...['VC_PROVIDER', 'VC_FLAVOR', 'VC_IMAGE', 'SSH_PUBLIC_KEY_PATH', 'SSH_PRIVATE_KEY_PATH', 'MDX_PROJECT_NAME'].map(
    accepted,
  ),
  ...['MDX_PACK_NUM', 'MDX_DISK_SIZE', 'MDX_INIT_PASSWORD', 'MDX_USE_GPU', 'MDX_USER_NAME'].map(accepted),
  {
    key: 'MDX_API_TOKEN',
    value: 'tok-tok',
    used: (s) => vcp(s).MDX_API_TOKEN,
    as: 'tok-tok',
    without: { is: undefined },
  },
  // What the second generation's agent takes from its own environment.
  {
    key: 'CLEANUP_NODE_WAIT_TIME',
    value: '60',
    used: (s) => s.pool.timing.cleanup,
    as: 60_000,
    without: { is: 600_000 },
  },
  {
    key: 'VCP_SDK_CONTAINER_IMAGE',
    value: 'vcpsdk:23.11.0',
    used: (s) => started(s).command.find((word) => word.includes('vcpsdk:')),
    as: 'vcpsdk:23.11.0',
    without: { is: 'harbor.vcloud.nii.ac.jp/vcpsdk/vcpsdk:22.10.0' },
  },
  { key: 'QUEUE_NAME', value: 'burst', used: (s) => s.pool.queue, as: 'burst', without: { is: 'normal' } },
];

/** Known, kept from being taken for a mistake, and told to be without effect. */
function accepted(key: string): Row {
  return { key, value: 'some-value', used: (s) => unused(s).includes(key), as: true, without: { is: false } };
}

function spec(settings: Settings) {
  const { target } = vcp(settings);
  return target.mode === 'spec' ? target : assert.fail('spec mode');
}

function unit(settings: Settings): string {
  const { target } = vcp(settings);
  return target.mode === 'unit' ? target.unit : assert.fail('unit mode');
}

const generations = [
  {
    name: 'first generation',
    text: fixture('first-generation.env').replace('VCP_ACCESSKEY=', 'VCP_ACCESSKEY=the-token'),
    rows: FIRST,
    mode: 'spec',
  },
  { name: 'second generation', text: fixture('second-generation.env'), rows: SECOND, mode: 'unit' },
] as const;

for (const { name, text, rows, mode } of generations) {
  describe(name, () => {
    const lines = text.split('\n');
    const without = (key: string) => lines.filter((line) => !line.startsWith(`${key}=`)).join('\n');

    test('the example starts as it is, without a word of warning', () => {
      const settings = loadSite(text, { registries });
      assert.deepEqual(settings.notices, []);
      assert.equal(vcp(settings).target.mode, mode);
    });

    test('every variable of the example is in this table, and none of the table is unknown', () => {
      const keys = lines.flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? []);
      const table = new Set(rows.map(({ key }) => key));
      assert.equal(table.size, rows.length);
      for (const key of keys) assert.ok(table.has(key), key);
    });

    for (const row of rows) {
      test(`${row.key}=${row.value} is used`, () => {
        const settings = loadSite(`${without(row.key)}\n${row.key}=${row.value}\n`, { registries });
        assert.deepEqual(row.used(settings), row.as);
        assert.deepEqual(settings.notices, []);
      });
      test(`without ${row.key}: ${row.without === 'missing' ? 'it is asked for' : JSON.stringify(row.without)}`, () => {
        if (row.without === 'missing') {
          const [first = '', ...more] = troubles(without(row.key), { registries });
          assert.match(first, new RegExp(`${row.key} is not set`));
          assert.deepEqual(more, []);
        } else {
          assert.deepEqual(row.used(loadSite(without(row.key), { registries })), row.without.is);
        }
      });
    }
  });
}

test('the first host of hosts.json is the one the template built by hand, in the second generation only', () => {
  const kept = generations.map(({ text }) => {
    const { values, pool } = loadSite(text, { registries });
    return [...keptHosts(values.cloud, pool.hosts)];
  });
  assert.deepEqual(kept, [[], ['c1']]);
});
