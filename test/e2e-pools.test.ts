// time limit: 300 s
/**
 * Two pools on a real Slurm: two partitions of one cluster, one cloud account behind both, a job that may run in either.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NodeView, StatusView } from '../src/controller/view.ts';
import { type Lab, labSkip, startLab, until } from './support/lab.ts';

/** The lab's one partition becomes two, as an administrator would do it. */
async function twoPartitions(lab: Lab): Promise<void> {
  const file = join(lab.dir, 'slurm.conf');
  const text = readFileSync(file, 'utf8').replace(
    'PartitionName=cloud Nodes=c[1-4]',
    'PartitionName=cloud Nodes=c[1-2]',
  );
  writeFileSync(file, `${text}PartitionName=large Nodes=c[3-4] DefaultTime=10 MaxTime=INFINITE State=UP\n`);
  await lab.slurm('scontrol', 'reconfigure');
}

function twoPools(lab: Lab): void {
  const folder = join(lab.dir, 'config');
  const pairs = Object.entries(JSON.parse(readFileSync(join(folder, 'hosts.json'), 'utf8')) as Record<string, string>);
  const hosts = (of: typeof pairs) => `{ ${of.map(([ip, name]) => `${ip}: ${name}`).join(', ')} }`;
  writeFileSync(
    join(folder, 'hybrid-cloud.yaml'),
    `pools:
  - name: small
    queue: cloud
    hosts: ${hosts(pairs.slice(0, 2))}
  - name: large
    queue: large
    hosts: ${hosts(pairs.slice(2))}
`,
  );
  rmSync(join(folder, 'hosts.json'));
  const env = join(folder, 'env');
  writeFileSync(env, readFileSync(env, 'utf8').replace(/^QUEUE_NAME=.*\n/m, ''));
}

test('two partitions, one account: each pool has its own nodes, and nobody minds the other`s', {
  skip: labSkip(),
  timeout: 280_000,
}, async (t) => {
  const lab = await startLab(t, {
    name: 'e2epools',
    net: '10.81.20',
    portBase: 22640,
    settings: { CLEANUP_NODE_WAIT_TIME: 3, IDLE_NODE_WAIT_TIME: 3, POLL_INTERVAL: 1 },
  });
  await twoPartitions(lab);
  twoPools(lab);
  const check = await lab.hybrid('check');
  assert.equal(check.code, 0, check.out + check.err);
  await lab.start();

  const of = async <T>(what: string, pool: string) => {
    const { code, out, err } = await lab.hybrid(what, '--json', '--pool', pool);
    assert.equal(code, 0, err);
    return JSON.parse(out) as T;
  };
  const busy = async (pool: string) =>
    (await of<NodeView[]>('nodes', pool)).filter((node) => node.state === 'ready').map((node) => node.host);
  const state = (id: string) => lab.jobState(id);

  const small = await lab.submit('sleep 8', '--exclusive');
  const large = await lab.submit('sleep 8', '--exclusive', '-p', 'large', '-N2');
  await until('both run', async () => (await state(small)) === 'RUNNING' && (await state(large)) === 'RUNNING', 90);
  assert.deepEqual([await busy('small'), await busy('large')], [['c1'], ['c3', 'c4']]);
  for (const pool of ['small', 'large']) {
    const { warnings } = await of<StatusView>('status', pool);
    assert.deepEqual(warnings, [], pool);
  }
  await until(
    'both have ended',
    async () => (await state(small)) === 'COMPLETED' && (await state(large)) === 'COMPLETED',
  );
  await until('all machines are gone', async () => (await lab.machines()).length === 0, 90);

  const either = await lab.submit('sleep 1', '--exclusive', '-p', 'cloud,large');
  await until('a job of either partition has run', async () => (await state(either)) === 'COMPLETED', 90);
  await until('all machines are gone again', async () => (await lab.machines()).length === 0, 90);
  const made = lab.account().filter((line) => line.what === 'create');
  assert.equal(new Set(made.map((line) => line.lease)).size, made.length, 'no lease has two machines');
  assert.ok(!(await lab.hybrid('events', '-n', '200')).out.includes('not one of ours'));
});
