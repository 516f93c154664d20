/**
 * Damaged configuration: settings that can be used, or a ConfigError that says where; never anything else, and never a
 * secret in what is said.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../test/support/fuzz.ts';
import { spoil, spoiling } from '../../test/support/spoil.ts';
import { DIR, fixture, registries } from './fixtures/site.ts';
import { load } from './load.ts';
import { ConfigError } from './problems.ts';

const RUNS = 1500;
const ENV = `${fixture('first-generation.env').replace('VCP_ACCESSKEY=', 'VCP_ACCESSKEY=the-token')}\nPOLL_INTERVAL=5\nMAX_NODES=3\nIDLE_NODE_WAIT_TIME=never\n`;
const HOSTS = '{\n  "172.30.2.101": "c1",\n  "172.30.2.102": "c2",\n  "172.30.2.103": "c3"\n}\n';
const YAML = 'policy: demand\ncleanup_node_wait_time: 300\nlog_level: debug\nmin_nodes: 1\n';

/** @returns whether it could be used */
function tryLoad(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): boolean {
  const readFile = (path: string) => {
    const text = files[path.slice(DIR.length + 1)];
    if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return text;
  };
  try {
    const { settings } = load({ flags: { CONFIG_DIR: DIR }, env, readFile, fileMode: () => 0o600, registries });
    assert.ok(settings.pool.hosts.length >= settings.pool.limits.maxNodes);
    assert.ok(settings.pollInterval >= 1000 && Number.isFinite(settings.pollInterval));
    for (const limit of [settings.pool.timing.cleanup, settings.pool.timing.boot]) assert.ok(limit >= 0);
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const said = error.say();
    assert.ok(said.length > 0 && said.every((line) => line !== ''), 'a refusal that says nothing');
    return false;
  }
}

test('damaged env, hosts.json and hybrid-cloud.yaml', () => {
  assert.ok(tryLoad({ env: ENV, 'hosts.json': HOSTS, 'hybrid-cloud.yaml': YAML }), 'the undamaged site can be loaded');
  let used = 0;
  fuzz(
    fc.property(fc.constantFrom('env', 'hosts.json', 'hybrid-cloud.yaml'), spoiling, (file, hits) => {
      const site = { env: ENV, 'hosts.json': HOSTS, 'hybrid-cloud.yaml': YAML };
      if (tryLoad({ ...site, [file]: spoil(site[file], hits) })) used++;
    }),
    { numRuns: RUNS },
  );
  assert.ok(used > RUNS / 50, `${used} could be used`);
});

test('files and variables of any text', () => {
  const text = fc.string({ unit: 'binary', maxLength: 300 });
  const key = fc.constantFrom(
    'POLL_INTERVAL',
    'MAX_NODES',
    'POLICY',
    'QUEUE_NAME',
    'CLOUD',
    'BATCH_SYSTEM',
    'STATE_DIR',
  );
  fuzz(
    fc.property(
      text,
      fc.oneof(text, fc.json()),
      text,
      fc.dictionary(key, fc.string()),
      (env, hosts, yaml, variables) => {
        tryLoad({ env, 'hosts.json': hosts, 'hybrid-cloud.yaml': yaml }, variables);
        tryLoad({ env: ENV, 'hosts.json': HOSTS }, variables);
      },
    ),
    { numRuns: RUNS / 3 },
  );
});
