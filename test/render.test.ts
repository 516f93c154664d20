/**
 * `hybrid-cloud render` and the part of `check` that compares, as a person types them.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../src/lib/run.ts';

const root = join(import.meta.dirname, '..');
const HOSTS = { '172.30.2.101': 'c1', '172.30.2.102': 'c2', '172.30.2.103': 'c3', '172.30.2.104': 'c4' };
const ENV =
  'VCP_ACCESSKEY=a-token-of-a-test\nVC_NAME=g\nPROVIDER_NAME=aws\nFLAVOR_NAME=small\nIMAGE_NAME=i\nNFS_MOUNT_POINT=172.30.2.194:/export\n';
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hc-render-'));
  await writeFile(join(folder, 'hosts.json'), JSON.stringify(HOSTS));
  await writeFile(join(folder, 'env'), `${ENV}CONTAINER_RUNTIME=/no/such/docker\nSTATE_DIR=${folder}\n`, {
    mode: 0o600,
  });
  await writeFile(
    join(folder, 'vcp_config.yml'),
    'vcc:\n    host: 10.0.0.1\n    name: t\naws:\n    access_key: k\n    secret_key: k\nspec_options:\n    add_host:\n        - "master:172.30.2.194"\n        - "c1:172.30.2.9"\n',
  );
});
after(() => rm(folder, { recursive: true, force: true }));

async function typed(...words: string[]) {
  const command = [process.execPath, join(root, 'src/main.ts'), ...words, '--config-dir', folder];
  const { code, stdout, stderr } = await run(command, { timeout: 60_000 });
  return { code, out: stdout, err: stderr.replace(/^.*ExperimentalWarning.*\n.*trace-warnings.*\n/m, '') };
}

test('render prints what belongs into each file', { timeout: 120_000 }, async () => {
  const [hosts, addHost, conf, sized] = await Promise.all([
    typed('render', 'hosts'),
    typed('render', 'add-host'),
    typed('render', 'slurm-conf'),
    typed('render', 'slurm-conf', '--cpus', '2', '--memory', '3500'),
  ]);
  assert.deepEqual(hosts, {
    code: 0,
    out: '172.30.2.101  c1\n172.30.2.102  c2\n172.30.2.103  c3\n172.30.2.104  c4\n',
    err: '',
  });
  const lines = ['master:172.30.2.194', ...Object.entries(HOSTS).map(([ip, name]) => `${name}:${ip}`)];
  assert.deepEqual(addHost, {
    code: 0,
    out: `spec_options:\n    add_host:\n${lines.map((line) => `        - "${line}"\n`).join('')}`,
    err: '',
  });
  assert.match(conf.out, /^NodeName=c\[1-4\] NodeAddr=172\.30\.2\.\[101-104\] State=UNKNOWN\n/);
  assert.match(conf.err, /^add --cpus and --memory: what slurmd -C prints/);
  assert.equal(
    sized.out,
    'NodeName=c[1-4] NodeAddr=172.30.2.[101-104] CPUs=2 RealMemory=3500 State=UNKNOWN\nPartitionName=cloud Nodes=c[1-4] MaxTime=INFINITE State=UP\nReturnToService=2\n',
  );
  assert.equal(sized.err, '');
});

test('check says what in vcp_config.yml does not fit hosts.json, also without a container runtime', {
  timeout: 120_000,
}, async () => {
  const { code, out } = await typed('check', '--json');
  assert.equal(code, 1);
  const { lines } = JSON.parse(out) as { lines: { what: string; ok: string; text: string; hint: string }[] };
  const said = lines.map(({ what, ok, text }) => `${ok} ${what}: ${text}`);
  const file = join(folder, 'vcp_config.yml');
  assert.ok(said.includes(`wrong cloud: ${file}: add_host has c1:172.30.2.9, hosts.json has 172.30.2.101 for c1`));
  assert.ok(said.includes(`note cloud: ${file}: add_host lacks 3 hosts: c2, c3 and c4`), said.join('\n'));
  assert.ok(lines.some(({ what, text }) => what === 'names' && text.includes('c1')));
  assert.ok(!out.includes('a-token-of-a-test'));
});
