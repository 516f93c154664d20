// time limit: 300 s
/**
 * BATCH_SYSTEM=script against stand-ins: functions that print JSON keep the whole contract, the specification's own style
 * what counts can tell.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BatchCase, batchContract } from '../src/batch/batch.contract.ts';
import type { Batch } from '../src/batch/batch.ts';
import { makeScriptBatch } from '../src/batch/script/script.ts';
import { systemClock } from '../src/lib/clock.ts';
import { quietLog } from '../src/lib/log.ts';
import { contractWorld, makeStandIn, type StandInWorld } from './support/pbs-stand-in/world.ts';

/** A site that tells all it knows. */
const JSON_FUNCTIONS = `
get_status() {
  status-json "$QUEUE_NAME"
}
join_cluster() {
  pbsnodes -C '' -r "$1"
}
leave_cluster() {
  pbsnodes -C "$2" -o "$1"
}
check_version() {
  qstat --version
}
`;

/** The specification's torque-functions.sh: it counts Q and R of the queue in what qstat prints. */
const TORQUE_FUNCTIONS = `
get_status() {
    job_stat=\`qstat | awk '{ if ($6 == "'\${QUEUE_NAME}'") print $5 }' | sort | uniq -c\`

    while read line
    do
        n=\`echo $line | awk '{print $1}'\`
        st=\`echo $line | awk '{print $2}'\`
        if [ "$st" = "Q" ]; then
            WAIT_COUNT=$n
        elif [ "$st" = "R" ]; then
            RUN_COUNT=$n
        fi
    done <<END
$job_stat
END
}

join_cluster() {
    pbsnodes -c $1
}

leave_cluster() {
    pbsnodes -o $1
}

check_version() {
    qstat --version | head -1
}
`;

function adapter(world: StandInWorld, functions: string): Batch {
  const file = join(world.dir, 'functions.sh');
  writeFileSync(file, functions);
  const parts = { run: world.run, clock: systemClock, log: quietLog, stateDir: world.dir };
  return makeScriptBatch({ file, prefix: [], timeout: 20_000 }, parts);
}

batchContract('script, JSON', async () => {
  const world = makeStandIn('pbs');
  return contractWorld(
    world,
    adapter(world, JSON_FUNCTIONS),
    (job) => {
      const nodes = job.nodes ?? 1;
      const select = `select=${nodes}:ncpus=${Math.ceil((job.cpus ?? nodes) / nodes)}:mem=${job.memoryMiB ?? 100}mb`;
      const words = ['qsub', '-q', 'cloud', '-l', select, '-l', `place=scatter${job.exclusive ? ':excl' : ''}`];
      if (job.name !== undefined) words.push('-N', job.name);
      if (job.hold) words.push('-h');
      const limit = job.taskLimit === undefined ? '' : `%${job.taskLimit}`;
      if (job.array !== undefined) words.push('-J', `1-${job.array}${limit}`);
      return words;
    },
    (host, reason) => (reason === null ? ['pbsnodes', '-C', '', '-r', host] : ['pbsnodes', '-C', reason, '-o', host]),
  );
});

const COUNTS = 'not applicable: the functions of the specification count jobs and tell nothing of';
const node = `${COUNTS} a node`;
const job = `${COUNTS} a single job`;
const skips: Partial<Record<BatchCase, string>> = {
  'a host that never had a machine is down, has no job and never registered': node,
  'a host the batch system does not know is absent and disturbs no other': node,
  'a queue that does not exist is an error, not an empty queue': `${COUNTS} queues that do not exist`,
  'a host without a machine can be closed, with our mark and the reason': node,
  'closing again changes nothing': node,
  'a host whose daemon never registered does not join, and stays closed': node,
  'a closed host that registers stays closed and gets no job': node,
  'a host that registered joins at once, and joining again changes nothing': node,
  'a job runs on an open host, which is busy then': node,
  'closing a host with a job lets the job run on, and opening it lets others in': node,
  'a person who closed a host is not overruled, and the reason stays': node,
  'a person who closes a host that we closed has the last word': node,
  'a held job waits, nodes do not help it, and a sentence says why': job,
  'what a waiting job asks for is known': job,
  'array tasks are counted one by one, and the limit of the array is known': job,
  'jobs come highest priority first': job,
  'a line to the owner of a job does no harm': job,
  'a lost node is down, can be closed, and its next life has another registration': node,
};

batchContract(
  'script, the functions of the specification',
  async () => {
    const world = makeStandIn('torque');
    return contractWorld(
      world,
      adapter(world, TORQUE_FUNCTIONS),
      () => ['qsub', '-q', 'cloud', '-l', 'nodes=1'],
      () => ['true'],
    );
  },
  skips,
);

test('the functions of the specification count what waits and runs, and open and close nodes', async () => {
  using world = makeStandIn('torque', 2);
  const batch = adapter(world, TORQUE_FUNCTIONS);
  const tally = async () => (await batch.getStatus('cloud', world.hosts)).tally;
  assert.deepEqual(await tally(), {}, 'nothing was counted, and nothing failed');
  assert.deepEqual(
    (await batch.leaveCluster(world.hosts, 'no machine')).map(({ result }) => result),
    ['done', 'done'],
  );
  assert.deepEqual(
    world.read().nodes.map(({ offline }) => offline),
    [true, true],
  );
  for (let i = 0; i < 2; i++) await world.command('qsub', '-q', 'cloud', '-l', 'nodes=1:ppn=4');
  assert.deepEqual(await tally(), { PD: 2 });
  world.change((cluster) => {
    for (const one of cluster.nodes) one.mom = one.name === 'c1';
  });
  assert.equal((await batch.joinCluster(['c1']))[0]?.result, 'done');
  const end = performance.now() + 15_000;
  while ((await tally()).R !== 1) assert.ok(performance.now() < end, 'one job runs');
  const { nodes } = await batch.getStatus('cloud', world.hosts);
  assert.deepEqual(
    nodes.map(({ closed, hasJob }) => [closed, hasJob]),
    [
      ['no', true],
      ['ours', true],
    ],
  );
});

for (const page of ['script.md', 'script.ja.md']) {
  test(`the functions shown in docs/batch/${page} work as they stand`, async () => {
    const text = readFileSync(join(import.meta.dirname, '..', 'docs', 'batch', page), 'utf8');
    const shown = [...text.matchAll(/```\n(get_status\(\) \{.*?\n\})\n```/gs)].map((match) => match[1] ?? '');
    assert.equal(shown.length, 2);
    using world = makeStandIn('torque', 2);
    const squeue = '#!/bin/sh\necho "JOBID PARTITION NAME USER ST"\necho "18 cloud a u PD"\necho "17 cloud b u R"\n';
    writeFileSync(join(world.dir, 'squeue'), squeue, { mode: 0o755 });
    const rest = 'join_cluster() { :; }\nleave_cluster() { :; }\ncheck_version() { :; }\n';
    for (const getStatus of shown) {
      const status = await adapter(world, `${getStatus}\n${rest}`).getStatus('cloud', world.hosts);
      assert.deepEqual([status.tally, status.unreadable], [{ PD: 1, R: 1 }, []]);
    }
  });
}
