import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BatchError } from '../../domain/errors.ts';
import { type Answer, slurmOf } from './fixtures/replay.ts';
import { expand } from './hostlist.ts';

interface Made {
  state: string;
  reason?: string;
  alloc?: number;
  start?: string;
}

/** One line of scontrol. */
function line(host: string, { state, reason, alloc = 0, start = '2026-11-23T19:00:00' }: Made): string {
  const tail = reason === undefined ? '' : ` Reason=${reason} [root@2026-11-23T19:00:00]`;
  return `NodeName=${host} CPUAlloc=${alloc} CPUTot=4 RealMemory=1000 AllocMem=0 State=${state} Partitions=cloud SlurmdStartTime=${start}${tail}\n`;
}

/** A slurmctld that does what the table in change.ts says. */
function world(nodes: Record<string, Made>, update?: (words: readonly string[]) => Answer | undefined) {
  return slurmOf({
    nodes: (hosts) =>
      expand(hosts)
        .map((host) => (nodes[host] ? line(host, nodes[host]) : `Node ${host} not found\n`))
        .join(''),
    update: (words) => {
      const given = update?.(words);
      if (given !== undefined) return given;
      const value = (key: string): string =>
        words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
      for (const host of expand(value('NodeName'))) {
        const node = nodes[host];
        if (!node) return { code: 1, stderr: 'slurm_update error: Invalid node name specified\n' };
        if (value('State') === 'DRAIN')
          nodes[host] = { ...node, state: `${node.state}+DRAIN`, reason: value('Reason') };
        if (value('State') === 'IDLE') nodes[host] = { state: 'IDLE' };
        if (value('State') === 'RESUME') nodes[host] = { ...node, state: 'MIXED+NOT_RESPONDING', reason: '' };
      }
      return '';
    },
  });
}

const updates = (commands: readonly string[]): string[] => commands.filter((command) => command.includes(' update '));
const brief = (outcomes: readonly { host: string; result: string }[]) =>
  outcomes.map(({ host, result }) => `${host} ${result}`);

describe('joinCluster', () => {
  test('each node gets what is right for it, grouped, in order, read back', async () => {
    const { batch, commands } = world({
      c1: { state: 'IDLE+DRAIN', reason: 'hybrid-cloud: no machine' },
      c2: { state: 'DOWN+DRAIN', reason: 'hybrid-cloud: no machine' },
      c3: { state: 'MIXED+DRAIN', reason: 'hybrid-cloud: not wanted', alloc: 2 },
      c4: { state: 'IDLE' },
      c5: { state: 'UNKNOWN+DRAIN', reason: 'hybrid-cloud: no machine', start: 'None' },
      c6: { state: 'IDLE+DRAIN', reason: 'broken fan' },
      c7: { state: 'DOWN+DRAIN+NOT_RESPONDING', reason: 'hybrid-cloud: no machine' },
      c8: { state: 'IDLE+DRAIN+INVALID_REG', reason: 'Low CPUs' },
      c9: { state: 'DOWN', reason: 'Node unexpectedly rebooted' },
      c10: { state: 'DOWN', reason: 'broken fan' },
      c11: { state: 'ALLOCATED', alloc: 4 },
      c12: { state: 'IDLE+NEW_WORD+DRAIN', reason: 'hybrid-cloud: x' },
    });
    const hosts = Array.from({ length: 13 }, (_, i) => `c${13 - i}`);
    const outcomes = await batch.joinCluster(hosts);
    assert.deepEqual(brief(outcomes), [
      'c13 failed',
      'c12 not-yet',
      'c11 done',
      'c10 left-alone',
      'c9 done',
      'c8 failed',
      'c7 not-yet',
      'c6 left-alone',
      'c5 not-yet',
      'c4 done',
      'c3 done',
      'c2 done',
      'c1 done',
    ]);
    assert.deepEqual(updates(commands), [
      'scontrol update NodeName=c[1-2,9] State=IDLE',
      'scontrol update NodeName=c3 State=RESUME',
    ]);
    assert.deepEqual(
      [commands[0], commands.at(-1), commands.length],
      ['scontrol -o -d show node c[1-13]', 'scontrol -o -d show node c[1-3,9]', 4],
    );
    assert.match(outcomes[5]?.message ?? '', /Low CPUs/);
    for (const { result, message } of outcomes) assert.equal(message === '', result === 'done', message);
  });

  test('nothing to do is one reading', async () => {
    const { batch, commands } = world({ c1: { state: 'IDLE' } });
    assert.deepEqual(brief(await batch.joinCluster(['c1'])), ['c1 done']);
    assert.deepEqual(commands, ['scontrol -o -d show node c1']);
  });

  test('lists of a command have at most 100 hosts', async () => {
    const names = Array.from({ length: 250 }, (_, i) => `c${i + 1}`);
    const nodes = Object.fromEntries(names.map((name) => [name, { state: 'IDLE+DRAIN', reason: 'hybrid-cloud: x' }]));
    const { batch, commands } = world(nodes);
    const outcomes = await batch.joinCluster(names);
    assert.ok(outcomes.every(({ result }) => result === 'done'));
    assert.deepEqual(
      updates(commands).map((command) => expand(/NodeName=(\S+)/.exec(command)?.[1] ?? '').length),
      [100, 100, 50],
    );
  });

  test('a job that slips in between makes Slurm refuse, and the host is told as failed', async () => {
    const { batch } = world({ c1: { state: 'IDLE+DRAIN', reason: 'hybrid-cloud: x' } }, () => ({
      code: 1,
      stderr: 'slurm_update error: Invalid node state specified\n',
    }));
    const [outcome] = await batch.joinCluster(['c1']);
    assert.equal(outcome?.result, 'failed');
    assert.match(outcome?.message ?? '', /Invalid node state specified/);
  });
});

describe('leaveCluster', () => {
  test('open and down nodes are closed with our mark; closed ones stay as they are', async () => {
    const { batch, commands } = world({
      c1: { state: 'IDLE' },
      c2: { state: 'MIXED', alloc: 1 },
      c3: { state: 'DOWN*' },
      c4: { state: 'UNKNOWN', start: 'None' },
      c5: { state: 'IDLE+DRAIN', reason: 'hybrid-cloud: before' },
      c6: { state: 'IDLE+DRAIN', reason: 'broken fan' },
      c7: { state: 'DOWN', reason: 'broken fan' },
      c8: { state: 'DOWN*', reason: 'Not responding' },
    });
    const outcomes = await batch.leaveCluster(
      ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c9'],
      'nobody [wants]\nit "now"',
    );
    assert.deepEqual(brief(outcomes), [
      'c1 done',
      'c2 done',
      'c3 done',
      'c4 done',
      'c5 done',
      'c6 left-alone',
      'c7 left-alone',
      'c8 done',
      'c9 failed',
    ]);
    assert.deepEqual(updates(commands), [
      'scontrol update NodeName=c[1-4,8] State=DRAIN Reason=hybrid-cloud: nobody  wants  it  now',
    ]);
  });

  test('a name that would mean all nodes of the cluster never reaches a command', async () => {
    const { batch, commands } = world({ c1: { state: 'IDLE' } });
    const outcomes = await batch.leaveCluster(['ALL', 'c1', '-x', 'c[1-9]'], 'x');
    assert.deepEqual(brief(outcomes), ['ALL failed', 'c1 done', '-x failed', 'c[1-9] failed']);
    assert.ok(
      commands.every((command) => !/ALL|-x|1-9/.test(command)),
      commands.join('\n'),
    );
  });

  for (const [stderr, kind] of [
    ['slurm_update error: Invalid user id\n', 'permission'],
    ['slurm_update error: Access/permission denied\n', 'permission'],
    ['sudo: a password is required\n', 'permission'],
    ['Sorry, user hc is not allowed to execute "/usr/bin/scontrol update" as root on head.\n', 'permission'],
    ['slurm_update error: Unable to contact slurm controller (connect failure)\n', 'silent'],
    ['ssh: connect to host slurm-master port 22: Connection refused\n', 'silent'],
  ] as const) {
    test(`${stderr.trim()}: ${kind}`, async () => {
      const { batch } = world({ c1: { state: 'IDLE' } }, () => ({ code: 1, stderr }));
      await assert.rejects(batch.leaveCluster(['c1'], 'x'), (error) => {
        assert.ok(error instanceof BatchError);
        assert.equal(error.kind, kind);
        if (kind === 'permission') assert.match(error.hint, /NOPASSWD.*BATCH_RUN_PREFIX="sudo -n"/);
        return true;
      });
    });
  }
});
