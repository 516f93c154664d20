import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../src/lib/run.ts';

const packaging = fileURLToPath(new URL('../packaging', import.meta.url));

/** An empty root folder and the two scripts, run as a packager would: nothing is fetched, nothing outside is touched. */
async function emptyRoot(t: TestContext, prefix = '/opt/hybrid-cloud') {
  const root = await mkdtemp(join(tmpdir(), 'hc-install-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DESTDIR: root, PREFIX: prefix, PREPARE: 'no' };
  const script = (name: string) => run([join(packaging, name)], { timeout: 60_000, env, signal: t.signal });
  return { root, install: () => script('install.sh'), uninstall: () => script('uninstall.sh') };
}

test('install puts the program, its command, its unit and the examples in place', async (t) => {
  const { root, install } = await emptyRoot(t, '/srv/hc-2.0');
  const result = await install();
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /systemctl enable --now hybrid-cloud/);
  assert.equal(await readlink(join(root, 'usr/local/bin/hybrid-cloud')), '/srv/hc-2.0/hybrid-cloud');
  const launcher = await stat(join(root, 'srv/hc-2.0/hybrid-cloud'));
  assert.equal(launcher.mode & 0o777, 0o755);
  const unit = await readFile(join(root, 'etc/systemd/system/hybrid-cloud.service'), 'utf8');
  assert.match(unit, /^ExecStart=\/srv\/hc-2\.0\/hybrid-cloud run$/m);
  assert.doesNotMatch(unit, /\/opt\/hybrid-cloud/);
  const examples = (await readdir(join(packaging, 'config')).catch(() => [])).filter((name) =>
    name.endsWith('.example'),
  );
  assert.deepEqual((await readdir(join(root, 'etc/hybrid-cloud'))).sort(), examples.sort());
  const tree = await readdir(join(root, 'srv/hc-2.0'));
  assert.deepEqual(
    tree.filter((name) => ['.git', 'node_modules', '.runtime'].includes(name)),
    [],
  );
});

test('a second install replaces the program and overwrites nothing that the administrator wrote', async (t) => {
  const { root, install } = await emptyRoot(t);
  await install();
  const config = join(root, 'etc/hybrid-cloud');
  for (const name of ['env', 'hosts.json', 'docker.env.example']) await writeFile(join(config, name), 'mine\n');
  await writeFile(join(root, 'opt/hybrid-cloud/src/left-over.ts'), '');
  const again = await install();
  assert.equal(again.code, 0, again.stderr);
  for (const name of ['env', 'hosts.json', 'docker.env.example']) {
    assert.equal(await readFile(join(config, name), 'utf8'), 'mine\n', name);
  }
  await assert.rejects(stat(join(root, 'opt/hybrid-cloud/src/left-over.ts')));
  assert.deepEqual(await readdir(join(root, 'opt')), ['hybrid-cloud']);
});

test("the unit of the specification's own agent is kept aside", async (t) => {
  const { root, install } = await emptyRoot(t);
  const folder = join(root, 'etc/systemd/system');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'hybrid-cloud.service'), '[Service]\nExecStart=/root/hybrid-cloud-agent.sh\n');
  await install();
  await install();
  assert.match(await readFile(join(folder, 'hybrid-cloud.service.before'), 'utf8'), /hybrid-cloud-agent\.sh/);
  assert.match(await readFile(join(folder, 'hybrid-cloud.service'), 'utf8'), /^ExecStart=\/opt\/hybrid-cloud/m);
});

for (const prefix of ['/', '/opt', 'relative', '/opt/../etc/x', '/opt/a b', '/opt/x/', '/opt/x;id']) {
  test(`PREFIX=${prefix} is refused before anything is written`, async (t) => {
    const { root, install } = await emptyRoot(t, prefix);
    const result = await install();
    assert.equal(result.code, 1);
    assert.match(result.stderr, /^install: PREFIX must be /);
    assert.deepEqual(await readdir(root), []);
  });
}

test('a folder that is not ours is neither replaced nor removed', async (t) => {
  const { root, install, uninstall } = await emptyRoot(t, '/srv/data');
  await mkdir(join(root, 'srv/data'), { recursive: true });
  await writeFile(join(root, 'srv/data/precious'), 'yes');
  assert.match((await install()).stderr, /is there and is not ours/);
  assert.match((await uninstall()).stderr, /there is no Hybrid Cloud Service in/);
  assert.equal(await readFile(join(root, 'srv/data/precious'), 'utf8'), 'yes');
});

test('uninstall takes away what install brought, and keeps configuration and journal', async (t) => {
  const { root, install, uninstall } = await emptyRoot(t);
  await install();
  await mkdir(join(root, 'var/lib/hybrid-cloud'), { recursive: true });
  await writeFile(join(root, 'etc/hybrid-cloud/env'), 'mine\n');
  const result = await uninstall();
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /kept: .*\/etc\/hybrid-cloud and .*\/var\/lib\/hybrid-cloud/);
  for (const gone of ['opt/hybrid-cloud', 'usr/local/bin/hybrid-cloud', 'etc/systemd/system/hybrid-cloud.service']) {
    await assert.rejects(stat(join(root, gone)), gone);
  }
  assert.equal(await readFile(join(root, 'etc/hybrid-cloud/env'), 'utf8'), 'mine\n');
  assert.ok((await stat(join(root, 'var/lib/hybrid-cloud'))).isDirectory());
});
