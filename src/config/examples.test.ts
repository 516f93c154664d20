/**
 * The examples in packaging/config are the manual of the configuration: every key stands there once, and every line
 * of them is accepted, as shipped and with the # taken off.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { batchFamilies } from '../batch/registry.ts';
import { bootstrapKinds } from '../bootstrap/registry.ts';
import { cloudKinds } from '../cloud/registry.ts';
import { fixture, loadSite, troubles } from './fixtures/site.ts';
import { knownKeys, type Registries } from './known.ts';

const example = (name: string) => readFileSync(new URL(`../../packaging/config/${name}`, import.meta.url), 'utf8');
const registries: Registries = {
  batch: batchFamilies,
  cloud: cloudKinds,
  bootstrap: bootstrapKinds,
};
const expected = [...knownKeys(registries).all].filter((key) => key !== 'CONFIG_DIR').toSorted();
const token = (text: string) => text.replace('VCP_ACCESSKEY=\n', 'VCP_ACCESSKEY=the-token\n');

test('docker.env.example holds every key once', () => {
  const keys = [...example('docker.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map((found) => found[1]);
  assert.deepEqual(keys.toSorted(), expected);
});

test('docker.env.example lacks only the token, and works with it', () => {
  const lines = troubles(example('docker.env.example'), { registries });
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]), /VCP_ACCESSKEY is not set/);
  const settings = loadSite(token(example('docker.env.example')), { registries });
  assert.deepEqual(settings.notices, []);
  assert.equal(settings.generation, 1);
});

test('docker.env.example works with every # taken off', () => {
  const text = token(example('docker.env.example')).replace(/^#([A-Z_]+=)/gm, '$1');
  for (const [part, key] of [
    ['CLOUD=vcp', 'VCP_ACCESSKEY'],
    ['CLOUD=command', 'CLOUD_COMMAND'],
  ] as const) {
    const settings = loadSite(`${text}${part}\n`, { registries });
    assert.ok(settings.values.cloud[key] !== undefined);
    assert.equal(settings.generation, 2);
  }
});

test('hybrid-cloud.yaml.example holds every key once, and works with every # taken off', () => {
  const text = example('hybrid-cloud.yaml.example');
  const keys = [...text.matchAll(/^#?([a-z_]+): /gm)].map((found) => String(found[1]).toUpperCase());
  assert.deepEqual(keys.toSorted(), expected);
  const off = text.replace(/^#([a-z_]+: )/gm, '$1').replace('vcp_accesskey: ""', 'vcp_accesskey: the-token');
  const settings = loadSite(null, { registries, files: { 'hybrid-cloud.yaml': off } });
  assert.equal(settings.values.bootstrap.NFS_MOUNT_POINT, '172.30.2.194:/export');
  assert.deepEqual(settings.notices, []);
});

test('a default shown in docker.env.example is the real one', () => {
  const text = token(example('docker.env.example'));
  const shown = loadSite(text, { registries }).sources;
  const off = loadSite(text.replace(/^#((?!VC_|MDX_|MAX_STARTING|TIME_ZONE|BATCH_RUN_PREFIX)[A-Z_]+=)/gm, '$1'), {
    registries,
  }).sources;
  for (const [key, { value }] of shown) assert.equal(off.get(key)?.value, value, key);
});

test("hosts.json.example is the specification's example", () => {
  assert.deepEqual(JSON.parse(example('hosts.json.example')), JSON.parse(fixture('hosts.json')));
});

test('the example of docs/pools.md is the same in both languages, and the configuration takes it', () => {
  const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
  const [yaml, other] = ['pools.md', 'pools.ja.md'].map((name) => /```yaml\n(.*?)```/s.exec(page(name))?.[1] ?? '');
  assert.equal(other, yaml);
  const files = { 'hybrid-cloud.yaml': yaml ?? '' };
  const settings = loadSite('VCP_ACCESSKEY=the-token\n', { registries, files });
  assert.deepEqual(settings.notices, []);
  assert.deepEqual(
    settings.pools.map(({ pool, clouds }) => [pool.name, clouds.map(({ kind, hosts }) => [kind, hosts.length])]),
    [
      ['cpu', [['command', 4]]],
      [
        'gpu',
        [
          ['command', 2],
          ['vcp', 3],
        ],
      ],
    ],
  );
  assert.equal(settings.pools[0]?.pool.budget?.moneyPerMonth, 300);
  assert.equal(settings.pools[1]?.pool.clouds?.[1]?.budget?.moneyPerDay, 40);
});
