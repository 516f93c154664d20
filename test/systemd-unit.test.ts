import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../src/lib/run.ts';

const packaging = fileURLToPath(new URL('../packaging/systemd', import.meta.url));
const NAME = 'hybrid-cloud.service';

/** Why this machine cannot judge a unit, or cannot score it; false when it can. */
async function lacking(): Promise<{ unit: string | false; score: string | false }> {
  const { code, stdout } = await run(['systemd-analyze', '--version'], { timeout: 10_000 });
  const missing = code === 0 ? false : 'needs systemd-analyze (package systemd)';
  const version = Number(/^systemd (\d+)/.exec(stdout)?.[1] ?? 0);
  const old = version < 250 && `not applicable: systemd ${version} gives no score without running (250 and newer do)`;
  return { unit: missing, score: missing || old };
}
const skip = await lacking();

/** A folder with the unit, whose program exists, and with a drop-in. @returns the unit's path. */
async function placed(t: TestContext, dropIn?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hc-unit-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'hybrid-cloud'), '#!/bin/sh\n', { mode: 0o755 });
  const unit = (await readFile(join(packaging, NAME), 'utf8')).replaceAll('/opt/hybrid-cloud', folder);
  await writeFile(join(folder, NAME), unit);
  if (dropIn !== undefined) {
    await mkdir(join(folder, `${NAME}.d`));
    const text = await readFile(join(packaging, `${NAME}.d`, `${dropIn}.example`), 'utf8');
    await writeFile(join(folder, `${NAME}.d`, dropIn), text.replaceAll('/opt/hybrid-cloud', folder));
  }
  return join(folder, NAME);
}

async function verify(unit: string): Promise<string> {
  const { code, stdout, stderr } = await run(['systemd-analyze', 'verify', '--man=no', unit], { timeout: 60_000 });
  // It also loads, and may complain of, other units of the machine: theirs is not our problem.
  const ours = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('hybrid-cloud'));
  return ours.length === 0 && code !== 0 && !stderr.includes('.service') ? stderr : ours.join('\n');
}

async function exposure(unit: string): Promise<number> {
  const command = ['systemd-analyze', 'security', '--offline=yes', '--no-pager', unit];
  const { stdout, stderr } = await run(command, { timeout: 60_000 });
  const [, score] = /Overall exposure level for .*: (\d+\.\d)/.exec(stdout) ?? [];
  assert.ok(score !== undefined, `no score in: ${stdout}${stderr}`);
  return Number(score);
}

test('systemd accepts the unit without a complaint', { skip: skip.unit }, async (t) => {
  assert.equal(await verify(await placed(t)), '');
});

test('a unit with a mistake is complained of, so the test above can fail', { skip: skip.unit }, async (t) => {
  const unit = await placed(t);
  await writeFile(unit, `${await readFile(unit, 'utf8')}\n[Service]\nRestart=perhaps\n`);
  assert.match(await verify(unit), /perhaps/);
});

for (const dropIn of ['cloud-command.conf', 'user.conf', 'least-privilege.conf', 'operators.conf', 'standby.conf']) {
  test(`systemd accepts the example ${dropIn}`, { skip: skip.unit }, async (t) => {
    assert.equal(await verify(await placed(t, dropIn)), '');
  });
}

test('the sandbox is as tight as promised: exposure 2.0 or lower', { skip: skip.score }, async (t) => {
  const score = await exposure(await placed(t));
  assert.ok(score <= 2, `exposure ${score}`);
});

test('a standby is as tight as a service alone', { skip: skip.score }, async (t) => {
  const score = await exposure(await placed(t, 'standby.conf'));
  assert.ok(score <= 2, `exposure ${score}`);
});

// By hand to docs/security.md: what each variant costs.
for (const [dropIn, figure] of [
  ['user.conf', 1.4],
  ['operators.conf', 2.0],
  ['least-privilege.conf', 2.3],
] as const) {
  test(`with ${dropIn} the exposure is what docs/security.md says`, { skip: skip.score }, async (t) => {
    const score = await exposure(await placed(t, dropIn));
    assert.ok(score <= figure, `exposure ${score}`);
  });
}

test('the unit says what the service relies on', async () => {
  const unit = await readFile(join(packaging, NAME), 'utf8');
  const settings = [
    'Type=notify',
    'NotifyAccess=all',
    'WatchdogSec=120',
    'Restart=on-failure',
    'RestartPreventExitStatus=2',
    'KillMode=mixed',
    'TimeoutStopSec=15',
    'StateDirectory=hybrid-cloud',
    'StateDirectoryMode=0700',
    // A core of a crash would hold secrets.
    'LimitCORE=0',
    'UMask=0077',
    'NoNewPrivileges=yes',
    'RuntimeDirectory=hybrid-cloud',
    'CapabilityBoundingSet=',
    'ExecStart=/opt/hybrid-cloud/hybrid-cloud run',
  ];
  assert.deepEqual(
    settings.filter((setting) => !unit.split('\n').includes(setting)),
    [],
  );
});
