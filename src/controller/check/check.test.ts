import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch, QueueStatus } from '../../batch/batch.ts';
import type { Bootstrap } from '../../bootstrap/bootstrap.ts';
import type { Cloud } from '../../cloud/cloud.ts';
import { GOOD, loadSite } from '../../config/fixtures/site.ts';
import { BatchError, CloudError, PrepareError } from '../../domain/errors.ts';
import type { Machine } from '../../domain/machine.ts';
import type { BatchNode } from '../../domain/node.ts';
import { manualClock } from '../../lib/clock.ts';
import { type CheckLine, type CheckPorts, checkAll, checkPools } from './check.ts';
import { absentHint, outsideHint } from './hints.ts';

const settings = loadSite(`${GOOD}HTTP_PROXY=x\n`);
const none = async (): Promise<never> => assert.fail('check must change nothing');

function node(host: string, more: Partial<BatchNode> = {}): BatchNode {
  return {
    host,
    state: 'down',
    closed: 'ours',
    responding: false,
    hasJob: false,
    jobs: [],
    registration: null,
    inQueue: true,
    cpus: 1,
    cpusFree: 1,
    memoryMiB: 1,
    memoryFreeMiB: 1,
    words: 'DOWN',
    reason: '',
    ...more,
  };
}

function status(more: Partial<QueueStatus> = {}): QueueStatus {
  const nodes = ['c1', 'c2', 'c3', 'c4'].map((host) => node(host));
  return { tally: { PD: 3, R: 1 }, jobs: [], nodes, unreadable: [], took: 1, ...more };
}

function ports(
  more: { batch?: Partial<Batch>; cloud?: Partial<Cloud>; bootstrap?: Partial<Bootstrap> } = {},
): CheckPorts {
  return {
    batch: {
      family: 'slurm',
      checkVersion: async () => ({ family: 'slurm', text: 'slurm-wlm 22.05.8' }),
      getStatus: async () => status(),
      joinCluster: none,
      leaveCluster: none,
      ...more.batch,
    },
    clouds: [
      {
        name: 'command',
        cloud: {
          kind: 'command',
          check: async () => '/opt/cloud answers',
          list: async () => [],
          create: none,
          delete: none,
          ...more.cloud,
        },
      },
    ],
    bootstrap: {
      kind: 'ssh',
      check: async () => 'has a key',
      prepare: none,
      answers: none,
      forget: none,
      ...more.bootstrap,
    },
  };
}

const writable = async () => {};
const check = (parts: CheckPorts) => checkAll(settings, parts, { clock: manualClock(), writable });
const say = (lines: readonly CheckLine[]) =>
  lines.map(({ what, ok, text, hint }) => `${ok} ${what}: ${text}${hint === '' ? '' : ` (${hint})`}`);
const troubles = (lines: readonly CheckLine[]) =>
  say(lines.filter((line) => line.ok !== 'ok' && line.what !== 'configuration'));

test('a site in order is told part by part', async () => {
  const asked: unknown[] = [];
  const lines = await check(
    ports({
      batch: {
        getStatus: async (queue, hosts) => {
          asked.push(queue, hosts);
          return status();
        },
      },
    }),
  );
  assert.deepEqual(asked, ['cloud', ['c1', 'c2', 'c3', 'c4']]);
  assert.deepEqual(say(lines).slice(1), [
    'note configuration: /etc/hybrid-cloud/env:4: HTTP_PROXY is not known and is ignored',
    'ok hosts: 4 hosts registered: c1, c2, c3 and c4',
    'ok batch system: slurm-wlm 22.05.8',
    'ok queue: cloud is there, with 3 PD, 1 R',
    'ok hosts: all are known to slurm and in the queue',
    'ok cloud: /opt/cloud answers',
    'ok cloud: lists no machine',
    'ok state: /var/lib/hybrid-cloud can be written',
    'ok bootstrap: has a key',
  ]);
  assert.match(
    String(lines[0]?.text),
    /^\d+ settings, read from \/etc\/hybrid-cloud\/env and \/etc\/hybrid-cloud\/hosts.json$/,
  );
});

const machine: Machine = {
  id: 'm1',
  host: 'c1',
  ip: '172.30.2.101',
  state: 'running',
  lease: null,
  since: null,
  message: '',
};

const cases: [string, CheckPorts, string[]][] = [
  [
    'hosts that the batch system does not know',
    ports({
      batch: {
        getStatus: async () =>
          status({
            nodes: [
              node('c1'),
              node('c2'),
              node('c3', { state: 'absent', inQueue: false }),
              node('c4', { state: 'absent', inQueue: false }),
            ],
          }),
      },
    }),
    [
      'wrong hosts: slurm does not know c3 and c4 (add "NodeName=c3,c4 ..." to slurm.conf, as hybrid-cloud render slurm-conf prints it, then restart slurmctld)',
    ],
  ],
  [
    'a host outside the queue',
    ports({ batch: { getStatus: async () => status({ nodes: [node('c1'), node('c2', { inQueue: false })] }) } }),
    [
      'wrong hosts: c2 is not in the queue cloud (add c2 to Nodes= of PartitionName=cloud in slurm.conf, then scontrol reconfigure)',
    ],
  ],
  [
    'a host that is open without a machine, which is only a note',
    ports({
      batch: {
        getStatus: async () =>
          status({
            nodes: [
              node('c1', { closed: 'no', state: 'idle' }),
              node('c2', { closed: 'no' }),
              node('c3', { closed: 'theirs' }),
            ],
          }),
      },
      cloud: { list: async () => [machine] },
    }),
    ['note hosts: c2: open for jobs without a machine (the service closes such hosts when it starts)'],
  ],
  [
    'records that cannot be read',
    ports({ batch: { getStatus: async () => status({ unreadable: ['job 18: no state'] }) } }),
    ['note queue: cannot be read: job 18: no state'],
  ],
  [
    'a missing command, once',
    ports({
      batch: {
        checkVersion: async () => {
          throw new BatchError('missing', 'squeue is not installed', { hint: 'apt-get install slurm-client' });
        },
        getStatus: none,
      },
    }),
    ['wrong batch system: squeue is not installed (apt-get install slurm-client)'],
  ],
  [
    'a queue that does not exist',
    ports({
      batch: {
        getStatus: async () => {
          throw new BatchError('no-queue', 'there is no partition cloud', { hint: 'set QUEUE_NAME' });
        },
      },
    }),
    ['wrong queue: there is no partition cloud (set QUEUE_NAME)'],
  ],
  [
    'every part failing, each in one line',
    ports({
      batch: {
        checkVersion: async () => {
          throw new BatchError('silent', 'slurmctld does not answer');
        },
      },
      cloud: {
        check: async () => {
          throw new CloudError('auth', 'the token is refused', { hint: 'renew it' });
        },
        list: none,
      },
      bootstrap: {
        check: async () => {
          throw new PrepareError('command', 'ssh is not installed', { hint: 'apt-get install openssh-client' });
        },
      },
    }),
    [
      'wrong batch system: slurmctld does not answer',
      'wrong cloud: the token is refused (renew it)',
      'wrong bootstrap: ssh is not installed (apt-get install openssh-client)',
    ],
  ],
  [
    'a cloud that checks well and cannot list, without a word on open hosts',
    ports({
      batch: { getStatus: async () => status({ nodes: [node('c1', { closed: 'no' })] }) },
      cloud: {
        list: async () => {
          throw new CloudError('temporary', 'no answer');
        },
      },
    }),
    ['wrong cloud: no answer'],
  ],
  [
    'a part that throws at once instead of rejecting',
    ports({
      bootstrap: {
        check: () => {
          throw new TypeError('a defect');
        },
      },
    }),
    ['wrong bootstrap: a defect'],
  ],
];

for (const [what, parts, expected] of cases) {
  test(`check tells ${what}`, async () => {
    assert.deepEqual(troubles(await check(parts)), expected);
  });
}

test('what the cloud remarks and how names are looked up are lines like others, also when the cloud fails', async () => {
  const parts = ports({
    cloud: {
      check: () => Promise.reject(new CloudError('auth', 'refused', { hint: 'renew it' })),
      remarks: async () => [
        { wrong: true, text: 'a file is wrong', hint: 'mend it' },
        { wrong: false, text: 'a file is old', hint: '' },
      ],
    },
  });
  const answer = { code: 2, signal: null, stdout: '', stderr: '', took: 1 };
  const flags = { timedOut: false, aborted: false, cut: false, notFound: false };
  const names = { run: async (command: readonly string[]) => ({ command, ...answer, ...flags }), prefix: [] };
  const lines = await checkAll(settings, parts, { clock: manualClock(), writable, names });
  assert.deepEqual(troubles(lines), [
    'note names: c1, c2, c3 and c4: no address is found under these names (hybrid-cloud render hosts prints the lines for /etc/hosts; Slurm can do without, with NodeAddr=)',
    'wrong cloud: refused (renew it)',
    'wrong cloud: a file is wrong (mend it)',
    'note cloud: a file is old',
  ]);
});

test('a STATE_DIR that cannot be written is told with the reason', async () => {
  const refused = async () => {
    throw new Error('EACCES: permission denied');
  };
  const lines = await checkAll(settings, ports(), { clock: manualClock(), writable: refused });
  assert.deepEqual(troubles(lines), [
    'wrong state: /var/lib/hybrid-cloud cannot be written: EACCES: permission denied (make it and give it to the user of the service, or set STATE_DIR)',
  ]);
});

test('a part that hangs, deaf to its signal, is one line after the limit and the others answer', async () => {
  const clock = manualClock();
  let told: AbortSignal | undefined;
  const parts = ports({
    cloud: {
      check: (signal) => {
        told = signal;
        return new Promise<string>(() => {});
      },
    },
  });
  const checking = checkAll(settings, parts, { clock, writable, limit: 10_000 });
  await clock.advance(9_999);
  assert.equal(told?.aborted, false);
  await clock.advance(1);
  assert.deepEqual(troubles(await checking), [
    'wrong cloud: gave no answer within 10 s (is it running and reachable?)',
  ]);
  assert.equal(told?.aborted, true);
});

test('a part that fails after its time is up disturbs nobody', async () => {
  const clock = manualClock();
  const late = Promise.withResolvers<string>();
  const checking = checkAll(settings, ports({ bootstrap: { check: () => late.promise } }), {
    clock,
    writable,
    limit: 10_000,
  });
  await clock.advance(9_999);
  await clock.advance(1);
  assert.deepEqual(troubles(await checking), [
    'wrong bootstrap: gave no answer within 10 s (is it running and reachable?)',
  ]);
  late.reject(new Error('too late'));
  await clock.advance(1);
});

test('Ctrl-C ends the check at once', async () => {
  const stop = new AbortController();
  const hang = () => new Promise<never>(() => {});
  const parts = ports({ batch: { checkVersion: hang }, cloud: { check: hang }, bootstrap: { check: hang } });
  const checking = checkAll(settings, parts, { clock: manualClock(), writable, signal: stop.signal });
  stop.abort();
  const said = troubles(await checking);
  assert.ok(said.includes('wrong batch system: was not checked to the end: stopped'), said.join('\n'));
  assert.ok(said.includes('wrong bootstrap: was not checked to the end: stopped'), said.join('\n'));
});

test('the hints speak the words of the batch system', () => {
  assert.equal(absentHint('torque', ['c1', 'c2']), 'qmgr -c "create node c1", and so on');
  assert.equal(
    absentHint('gridengine', ['c1']),
    'qconf -ah c1, then into the queue\'s host group: qconf -aattr hostgroup hostlist "c1" @GROUP',
  );
  assert.equal(absentHint('script', ['c1']), 'register it in the batch system');
  assert.equal(outsideHint('gridengine', 'q', ['c1', 'c2']), 'qconf -aattr queue hostlist "c1 c2" q');
  assert.equal(outsideHint('pbs', 'q', ['c1', 'c2']), 'let the queue q use these hosts');
});

test('several pools and clouds are told with their names, the configuration and the state once', async () => {
  const [cloud] = ports().clouds;
  assert.ok(cloud);
  const refuses = async () => {
    throw new CloudError('auth', 'the token is refused', { hint: 'renew it' });
  };
  const clouds = [
    { ...cloud, name: 'campus' },
    { name: 'aws', cloud: { ...cloud.cloud, check: refuses } },
  ];
  const pools = [
    { pool: settings.pool, ports: ports() },
    { pool: { ...settings.pool, name: 'gpu', queue: 'gpu' }, ports: { ...ports(), clouds } },
  ];
  const lines = await checkPools(settings, pools, { clock: manualClock(), writable });
  assert.deepEqual(
    say(lines).filter((line) => !line.includes('configuration')),
    [
      'ok cloud: hosts: 4 hosts registered: c1, c2, c3 and c4',
      'ok gpu: hosts: 4 hosts registered: c1, c2, c3 and c4',
      'ok cloud: batch system: slurm-wlm 22.05.8',
      'ok cloud: queue: cloud is there, with 3 PD, 1 R',
      'ok cloud: hosts: all are known to slurm and in the queue',
      'ok cloud: cloud: /opt/cloud answers',
      'ok cloud: cloud: lists no machine',
      'ok gpu: batch system: slurm-wlm 22.05.8',
      'ok gpu: queue: gpu is there, with 3 PD, 1 R',
      'ok gpu: hosts: all are known to slurm and in the queue',
      'ok gpu: cloud campus: /opt/cloud answers',
      'ok gpu: cloud campus: lists no machine',
      'wrong gpu: cloud aws: the token is refused (renew it)',
      'ok state: /var/lib/hybrid-cloud can be written',
      'ok cloud: bootstrap: has a key',
      'ok gpu: bootstrap: has a key',
    ],
  );
});
