/**
 * Who may do what: the shipped sudo rules are those the program needs and are accepted by sudo, the sockets belong to
 * whom they should, and no child is told a secret.
 */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sudoersLine } from '../src/batch/slurm/command.ts';
import { systemClock } from '../src/lib/clock.ts';
import { quietLog } from '../src/lib/log.ts';
import { inheritEnv, run } from '../src/lib/run.ts';
import { fakeControl } from '../src/service/fake-control.ts';
import { groupId } from '../src/service/group.ts';
import { serve } from '../src/service/server.ts';

const root = join(import.meta.dirname, '..');
const SUDOERS = join(root, 'packaging/sudoers/hybrid-cloud');
const visudo = await run(['visudo', '--version'], { timeout: 10_000 });

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'hc-priv-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('the shipped sudo rules are the ones the program prints when it is refused', () => {
  const rules = readFileSync(SUDOERS, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const needed = sudoersLine('hybrid-cloud');
  const looks = (needed.split('NOPASSWD: ')[1] ?? '').split(', ').filter((rule) => !rule.includes('scontrol update '));
  assert.deepEqual(rules, [
    'Defaults:hybrid-cloud !requiretty, !pam_session, secure_path="/usr/sbin:/usr/bin:/sbin:/bin", command_timeout=60',
    `Cmnd_Alias HYBRID_CLOUD_LOOKS = ${looks.join(', ')}`,
    'Defaults!HYBRID_CLOUD_LOOKS !syslog',
    needed,
  ]);
  for (const manual of ['docs/manual.md', 'docs/manual.ja.md']) {
    assert.ok(readFileSync(join(root, manual), 'utf8').includes(sudoersLine('hybrid-cloud')), manual);
  }
});

test('sudo accepts them, and would not accept a mistake', {
  skip: visudo.notFound && 'needs visudo (package sudo)',
}, async (t) => {
  const dir = folder(t);
  const good = join(dir, 'good');
  const bad = join(dir, 'bad');
  copyFileSync(SUDOERS, good);
  writeFileSync(bad, `${readFileSync(SUDOERS, 'utf8')}hybrid-cloud ALL=(root) NOPASSWD /usr/bin/id\n`);
  for (const file of [good, bad]) chmodSync(file, 0o440);
  const check = (file: string) => run(['visudo', '-cf', file], { timeout: 20_000 });
  const accepted = await check(good);
  assert.equal(accepted.code, 0, accepted.stderr);
  assert.notEqual((await check(bad)).code, 0);
});

test('everyone may read, operators may change, nobody else', async (t) => {
  const dir = folder(t);
  const gid = statSync(dir).gid;
  const group = await run(['getent', 'group', String(gid)], { timeout: 10_000 });
  const name = group.stdout.split(':')[0] ?? '';
  const socket = join(dir, 'api.sock');
  const modes = () =>
    ['api.sock', 'api-admin.sock'].map((file) => (statSync(join(dir, file)).mode & 0o777).toString(8));
  const parts = { socket, log: quietLog, clock: systemClock };
  {
    await using _ = await serve(fakeControl(), parts);
    assert.deepEqual(modes(), ['666', '600']);
  }
  assert.equal(await groupId(run, name), gid);
  await using _ = await serve(fakeControl(), { ...parts, group: gid });
  assert.deepEqual(modes(), ['666', '660']);
  assert.equal(statSync(join(dir, 'api-admin.sock')).gid, gid);
  await assert.rejects(groupId(run, 'no-such-group-here'), /API_GROUP=no-such-group-here: there is no such group/);
});

test('children get what they need to find their programs, and no secret of ours', async () => {
  inheritEnv({ PATH: process.env.PATH, HOME: '/nowhere', VCP_ACCESSKEY: 'top secret', MDX_API_TOKEN: 'secret, too' }, [
    'SLURM_CONF',
  ]);
  const { stdout } = await run(['env'], { timeout: 10_000 });
  assert.match(stdout, /^HOME=\/nowhere$/m);
  assert.doesNotMatch(stdout, /secret/);
  const names = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('=')[0]);
  assert.deepEqual(
    names.filter(
      (name) => !['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'USER', 'LOGNAME', 'SLURM_CONF'].includes(name ?? ''),
    ),
    [],
  );
});

test('the launcher lets no core dump of the service be written', () => {
  assert.match(readFileSync(join(root, 'hybrid-cloud'), 'utf8'), /^\[ .* = run \] && ulimit -c 0$/m);
});
