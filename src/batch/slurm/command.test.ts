import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchError, type BatchErrorKind } from '../../domain/errors.ts';
import { manualClock } from '../../lib/clock.ts';
import { quietLog } from '../../lib/log.ts';
import { failureOf, sudoersLine } from './command.ts';
import { type Answer, replay, slurmOf, toResult } from './fixtures/replay.ts';
import { makeSlurm } from './slurm.ts';

test('the sudoers line covers every command the adapter runs', async () => {
  const { run: record, commands } = replay({
    nodes: (hosts) =>
      `NodeName=${hosts} CPUAlloc=0 CPUTot=4 RealMemory=1 AllocMem=0 State=IDLE SlurmdStartTime=None Partitions=x\n`,
    other: (command) =>
      /--version/.test(command) ? 'slurm 24.11.5\n' : /show (config|partition|job)/.test(command) ? 'x=y\n' : '',
  });
  const batch = makeSlurm({ prefix: [], timeout: 1000 }, { run: record, clock: manualClock(), log: quietLog });
  await batch.checkVersion();
  await batch.getStatus('cloud', ['c1']);
  await batch.leaveCluster(['c1'], 'x');
  await batch.tell?.('18_[1-4]', 'x');
  const rules = (sudoersLine().split('NOPASSWD: ')[1] ?? '')
    .split(', ')
    .map((rule) => rule.replaceAll('\\', '').replace(/^\/usr\/bin\//, ''));
  for (const command of commands) {
    const fits = rules.some((rule) => (rule.endsWith('*') ? command.startsWith(rule.slice(0, -1)) : command === rule));
    assert.ok(fits, `${command}\nis not in\n${rules.join('\n')}`);
  }
  assert.ok(commands.length >= 9, commands.join('\n'));
});

for (const [what, answer, kind, hint] of [
  ['no scontrol', { code: null, notFound: true }, 'missing', /slurm-client/],
  [
    'no scontrol on the head node',
    { code: 127, stderr: 'bash: line 1: scontrol: command not found\n' },
    'missing',
    /slurm-client/,
  ],
  ['no scontrol for sudo', { code: 1, stderr: 'sudo: scontrol: command not found\n' }, 'missing', /slurm-client/],
  [
    'no slurm.conf (22.05.8)',
    {
      code: 1,
      stderr:
        'scontrol: error: fetch_config: DNS SRV lookup failed\nscontrol: fatal: Could not establish a configuration source\n',
    },
    'silent',
    /SLURM_CONF/,
  ],
  ['munge', { code: 1, stderr: 'slurm_load_node error: Protocol authentication error\n' }, 'silent', /munged/],
  [
    'ssh without a key',
    { code: 255, stderr: 'hc@head: Permission denied (publickey,password).\n' },
    'permission',
    /ssh/,
  ],
  ['ssh without an answer', { code: 255, stderr: '' }, 'silent', /^$/],
  ['stopped by us', { code: null, aborted: true, signal: 'SIGTERM' }, 'silent', /^$/],
  ['a plain no', { code: 1, stderr: 'slurm_update error: Invalid node state specified\n' }, 'refused', /^$/],
] as const satisfies readonly (readonly [string, Answer, BatchErrorKind, RegExp])[]) {
  test(`${what}: ${kind}`, () => {
    const error = failureOf(toResult(['scontrol', 'show', 'x'], answer));
    assert.ok(error instanceof BatchError);
    assert.equal(error.kind, kind, error.message);
    assert.match(error.hint, hint);
    assert.match(error.message, /^[^\n]+$/);
  });
}

test('chatter on standard error is no failure', () => {
  const chatter = 'Warning: Permanently added "head" to the list of known hosts.\nsudo: unable to resolve host x\n';
  assert.equal(failureOf(toResult(['squeue'], { stdout: '', stderr: chatter })), null);
});

test('versions from 17.11 on are known, older ones and strangers are not', async () => {
  const check = (text: string) =>
    slurmOf({ other: (command) => (command.includes('--version') ? text : '') }).batch.checkVersion();
  for (const good of ['slurm 17.11.2', 'slurm-wlm 22.05.8', 'slurm 25.05.0-0rc1', 'slurm 24.11.5']) {
    assert.deepEqual(await check(`${good}\n`), { family: 'slurm', text: good });
  }
  for (const bad of ['slurm 17.02.9\n', 'slurm-llnl 2.6.5\n', 'pbs_version = 22.05.11\n', '']) {
    await assert.rejects(check(bad), { kind: 'version' }, bad);
  }
});

test('the right to change nodes is asked for with a node that does not exist', async () => {
  const asked: string[] = [];
  const check = (stderr: string) =>
    slurmOf({
      other: (command) => (command.includes('--version') ? 'slurm 22.05.8\n' : ''),
      update: (words) => {
        asked.push(words.join(' '));
        return { code: 1, stderr };
      },
    }).batch.checkVersion();
  await check('slurm_update error: Invalid node name specified\n');
  assert.deepEqual(asked, ['scontrol update NodeName=hybrid-cloud-may-we State=RESUME']);
  await assert.rejects(check('slurm_update error: Invalid user id\n'), (error) => {
    assert.ok(error instanceof BatchError);
    assert.equal(error.kind, 'permission');
    assert.match(error.hint, /NOPASSWD: .*scontrol update NodeName/);
    return true;
  });
});
