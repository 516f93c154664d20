/**
 * The 28 known defects of the existing scripts, each with a test that shows we do not have it. Numbers and titles as in
 * the reference on the VCP SDK, section 5.4. A defect is tested where it would live: batch adapter, planner, bootstrap,
 * cloud adapter, packaging.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Emulated, type EmulatedOptions, emulated } from '../../../test/vcp-emulator/emulated.ts';
import { slurmConfLines } from '../../batch/registry.ts';
import { type Answers, fixture, slurmOf, toResult } from '../../batch/slurm/fixtures/replay.ts';
import { makeSlurm } from '../../batch/slurm/slurm.ts';
import { makeTorque } from '../../batch/torque/torque.ts';
import { judge, makeScript } from '../../bootstrap/script.ts';
import { hostsLines, misplaced } from '../../controller/check/hosts-file.ts';
import { makeClouds } from '../../controller/clouds.ts';
import { snapshotOf } from '../../controller/observe.ts';
import { BatchError, CloudError } from '../../domain/errors.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { manualClock } from '../../lib/clock.ts';
import { quietLog } from '../../lib/log.ts';
import { type Run, run } from '../../lib/run.ts';
import type { SshAnswer } from '../../lib/ssh.ts';
import { afterBootFailure, RELEASED } from '../../planner/brake.ts';
import { plan } from '../../planner/plan.ts';
import { BUSY, job, MINUTE, NOW, POOL, running, SECOND, snapshot } from '../../planner/snapshot.fixture.ts';
import { memoryDatabase } from '../../store/open.ts';
import { sqliteStore } from '../../store/sqlite.ts';
import type { Lease } from '../cloud.ts';
import { addHostLines, addHostRemarks } from './add-host.ts';
import { readVcpValues, unusedKeys, vcpOptions } from './options.ts';
import { startOf } from './start.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const HOSTS = ['c1', 'c2', 'c3', 'c4'];
const lease = (n: number): Lease => ({ name: `c${n}`, ip: `10.77.0.10${n}`, lease: `hc-00000000000${n}` });
const ready = { state: 'ready' } as const;
const busy = { state: 'ready', node: BUSY } as const;

function steps(s: Snapshot): string[] {
  return plan(s).steps.map(({ kind, host, to }) => `${kind}${host ? ` ${host}` : ''}${to ? ` -> ${to}` : ''}`);
}

/** What squeue answers to whatever fields it is asked for: values by the field's own name, as a site's Slurm would. */
function squeue(
  jobs: readonly Readonly<Record<string, string>>[],
  nodes = fixture('22.05/nodes-drained-registered.txt'),
) {
  const commands: (readonly string[])[] = [];
  const clock = manualClock(1_795_462_500_000);
  const answer: Run = async (command) => {
    commands.push(command);
    const words = command.join(' ');
    const asked = command.find((word) => word.startsWith('--Format='));
    if (words.includes('show node')) return toResult(command, nodes);
    if (asked === undefined) return toResult(command, words.includes('--version') ? 'slurm-wlm 22.05.8\n' : '');
    const fields = asked.slice('--Format='.length).split(',');
    const text = jobs.map((one) =>
      fields
        .map((field) => {
          const [, name = '', mark = ''] = /^([^:]+):0?(.*)$/.exec(field) ?? [];
          return `${one[name.toLowerCase()] ?? DEFAULTS[name.toLowerCase()] ?? ''}${mark}`;
        })
        .join(''),
    );
    return toResult(command, text.map((line) => `${line}\n`).join(''));
  };
  return { batch: makeSlurm({ prefix: [], timeout: 30_000 }, { run: answer, clock, log: quietLog }), commands };
}

const DEFAULTS: Readonly<Record<string, string>> = {
  jobarrayid: '18',
  jobid: '18',
  arrayjobid: '18',
  arraytaskid: 'N/A',
  statecompact: 'PD',
  numnodes: '1',
  numcpus: '1',
  mincpus: '1',
  minmemory: '100M',
  oversubscribe: 'OK',
  prioritylong: '1',
  submittime: '1795462000',
  starttime: 'N/A',
  numtasks: '1',
  'cpus-per-task': '1',
  'tres-alloc': 'cpu=1,mem=100M,node=1,billing=1',
  partition: 'cloud',
  username: 'taro',
  reason: 'Resources',
  name: 'run.sh',
};

function defect(number: number, title: string, body: () => void | Promise<void>): void {
  test(`${number}. ${title}`, { timeout: 60_000 }, body);
}

async function withVcp(options: EmulatedOptions, body: (world: Emulated) => Promise<void>): Promise<void> {
  await using world = await emulated(options);
  await body(world);
}

describe('both generations', () => {
  defect(1, 'scheduler query failure looks like idle', async () => {
    const down = { code: 1, stderr: 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n' };
    for (const answers of [
      { nodes: fixture('22.05/nodes-with-jobs.txt'), jobs: down },
      { nodes: down },
      { nodes: fixture('22.05/nodes-with-jobs.txt'), jobs: { stdout: '1_S_', code: 0 } },
    ] satisfies Answers[]) {
      await assert.rejects(slurmOf(answers).batch.getStatus('cloud', HOSTS), BatchError);
    }
    using store = sqliteStore(memoryDatabase());
    const from = { name: 'cloud', cloud: null as never };
    const eyes = { ...slurmOf({}), clouds: makeClouds([from]), store, clock: manualClock(), pool: POOL };
    const failed = { ok: false, error: null, message: 'silent', took: 1 } as const;
    const fine = { ok: true, value: [], beganAt: 0, took: 1 } as const;
    const nothing = { sight: new Map(), underWay: new Set<string>(), retryCallAt: new Map<string, number>() };
    const memory = { completeReads: 9, ...nothing };
    const readings = { batch: failed, clouds: [{ from, reading: fine }] };
    assert.equal(snapshotOf(eyes, readings, memory), null, 'no reading, no snapshot, no plan');
  });

  defect(2, 'only PD and R counted: CF, CG, S, ST, RQ, SO ignored', async () => {
    for (const code of ['CF', 'CG', 'S', 'ST', 'SO']) {
      const { batch } = squeue([{ statecompact: code, nodelist: 'c1' }]);
      const { nodes, tally } = await batch.getStatus('cloud', HOSTS);
      assert.deepEqual([tally, nodes[0]?.hasJob], [{ [code]: 1 }, true], `${code} holds its node`);
    }
    const { jobs } = await squeue([{ statecompact: 'RQ' }]).batch.getStatus('cloud', HOSTS);
    assert.equal(jobs[0]?.state, 'waiting', 'a job on its way back into the queue waits');
  });

  defect(3, 'PD reasons ignored; jobs needing N nodes or CPUs not evaluated; arrays show as one line', async () => {
    for (const reason of ['Dependency', 'JobHeldUser', 'BeginTime', 'QOSMaxCpuPerUserLimit', 'PartitionNodeLimit']) {
      const { jobs } = await squeue([{ reason }]).batch.getStatus('cloud', HOSTS);
      assert.equal(jobs[0]?.helped, 'no', reason);
      assert.deepEqual(steps(snapshot({}, [job({ helped: 'no', reason })])), [], reason);
    }
    const two = job({ ask: { nodes: 2, exclusive: true } });
    assert.deepEqual(steps(snapshot({}, [two])), ['create c1 -> starting', 'create c2 -> starting']);
    assert.deepEqual(steps(snapshot({}, [job({ ask: { nodes: 9, exclusive: true } })])), [], 'it can never start');
    const cpus = (n: number) => steps(snapshot({}, [job({ ask: { cpus: n, cpusPerNode: n } })]));
    assert.deepEqual([cpus(4), cpus(5)], [['create c1 -> starting'], []], 'a host has 4 CPUs');
    const array = await squeue([
      { jobarrayid: '7_[1-5]', jobid: '7', arrayjobid: '7', arraytaskid: '1-5' },
    ]).batch.getStatus('cloud', HOSTS);
    assert.deepEqual(array.tally, { PD: 5 });
  });

  defect(4, 'squeue cuts the partition to 9 characters, misses multi-partition jobs, shifts columns', async () => {
    const queue = 'cloud-of-the-computing-center';
    const nodes = fixture('22.05/nodes-drained-registered.txt').replaceAll('Partitions=cloud', `Partitions=${queue}`);
    const rows = [
      { jobarrayid: '1', jobid: '1', partition: queue, name: 'my job R c1' },
      { jobarrayid: '2', jobid: '2', partition: `other,${queue}`, name: 'two\nlines PD' },
    ];
    const { batch, commands } = squeue(rows, nodes);
    const { jobs, nodes: seen, tally } = await batch.getStatus(queue, HOSTS);
    assert.deepEqual(tally, { PD: 2 });
    assert.ok(
      seen.every(({ inQueue }) => inQueue),
      'the whole name counts on both sides',
    );
    const cut = await squeue(rows, nodes.replaceAll(queue, queue.slice(0, 9))).batch.getStatus(queue, HOSTS);
    assert.ok(
      cut.nodes.every(({ inQueue }) => !inQueue),
      'a partition with the first 9 characters is another one',
    );
    assert.deepEqual(
      jobs.map(({ id, state }) => [id, state]),
      [
        ['1', 'waiting'],
        ['2', 'waiting'],
      ],
    );
    assert.ok(
      commands.some((command) => command.includes(`--partition=${queue}`)),
      'Slurm itself selects the queue',
    );
  });

  defect(5, 'strictly sequential, and another node is added while the first has not registered', () => {
    const four = [1, 2, 3, 4].map(() => job({ ask: { exclusive: true } }));
    assert.deepEqual(
      steps(snapshot({}, four)),
      HOSTS.map((host) => `create ${host} -> starting`),
    );
    for (const state of ['starting', 'preparing', 'joining'] as const) {
      const s = snapshot({ c1: { state } }, [job({ ask: { exclusive: true } })], { underWay: new Set(['c1']) });
      assert.deepEqual(steps(s), [], `c1 is ${state}: the job has its node`);
    }
  });

  defect(6, 'blind sleep of 600 s; idleness is one sample; a job started between check and delete is killed', () => {
    assert.deepEqual(steps(snapshot({ c1: busy }, [running('c1'), job({ ask: { exclusive: true } })])), [
      'create c2 -> starting',
    ]);
    const since = (ago: number) => ({ clocks: { emptySince: NOW - ago, noWaitingSince: NOW - ago } });
    const idle = (ago: number) => ({ ...ready, record: { idleSince: NOW - ago } });
    assert.deepEqual(steps(snapshot({ c1: idle(599 * SECOND) }, [], since(599 * SECOND))), []);
    assert.deepEqual(steps(snapshot({ c1: idle(601 * SECOND) }, [], since(601 * SECOND))), ['drain c1 -> draining']);
    const slipped = { state: 'draining', node: { ...BUSY, state: 'draining', closed: 'ours' } } as const;
    assert.deepEqual(steps(snapshot({ c1: slipped }, [running('c1')])), ['undrain c1 -> ready']);
  });

  defect(7, 'check_version failure is ignored: the service goes on without the scheduler', async () => {
    const none: Run = async (command) => toResult(command, { code: null, notFound: true });
    const batch = makeSlurm({ prefix: [], timeout: 1000 }, { run: none, clock: manualClock(), log: quietLog });
    await assert.rejects(batch.checkVersion(), (error) => error instanceof BatchError && error.kind === 'missing');
    await assert.rejects(batch.getStatus('cloud', HOSTS), BatchError);
  });

  defect(8, 'an empty host name passes the test: scontrol update node= state=idle', async () => {
    const { batch, commands } = slurmOf({ nodes: '' });
    assert.deepEqual(await batch.joinCluster([]), []);
    for (const names of [[''], ['', 'c1']]) {
      const outcomes = await batch.joinCluster(names).catch((error: unknown) => {
        assert.ok(error instanceof BatchError);
        return [];
      });
      assert.ok(outcomes.every(({ result }) => result !== 'done'));
    }
    assert.deepEqual(
      commands.filter((line) => line.includes('update')),
      [],
    );
  });

  defect(9, 'state=idle is forced although slurmd has not registered; no wait for the drain', async () => {
    const { batch, commands } = slurmOf({ nodes: fixture('22.05/nodes-drained-before-birth.txt') });
    const [outcome] = await batch.joinCluster(['c1']);
    assert.equal(outcome?.result, 'not-yet');
    assert.deepEqual(
      commands.filter((line) => line.includes('update')),
      [],
    );
    const draining = { state: 'draining', node: { ...BUSY, state: 'draining', closed: 'ours' } } as const;
    const s = snapshot({ c1: { ...draining, record: { drainedBy: 'operator' } } }, [running('c1')]);
    assert.deepEqual(steps(s), [], 'drained, but its job still runs: nothing is deleted');
  });

  defect(10, 'no timeout, retry or reconciliation; failed nodes are left behind; no limit', async () => {
    await withVcp(
      { behaviour: { boot: 0.2, boot_fails: { '10.77.0.101': ['HOST_ERROR', 'no reason'] } } },
      async ({ cloud, until }) => {
        await cloud.create([lease(1)]);
        await until('it failed', async () => (await cloud.list())[0]?.state === 'failed');
        const failed = await cloud.list();
        assert.equal(failed[0]?.state, 'failed');
        await cloud.delete(failed);
        assert.deepEqual(await cloud.list(), []);
      },
    );
    const failed = snapshot({ c1: { state: 'starting', machine: { state: 'failed', message: 'HOST_ERROR' } } }, []);
    assert.equal(plan(failed).steps[0]?.kind, 'delete');
    assert.equal(plan(failed).steps[0]?.failed, true, 'and counted');
    const late = snapshot({ c1: { state: 'starting', record: { since: NOW - POOL.timing.boot - MINUTE } } });
    assert.equal(plan(late).steps[0]?.kind, 'delete');
    let brake = RELEASED;
    for (let n = 0; n < 3; n++) brake = afterBootFailure(brake, 'HOST_ERROR', NOW);
    assert.ok((brake.until ?? 0) > NOW, 'creation pauses');
    const most = snapshot({}, [job({ ask: { exclusive: true } }), job({ ask: { exclusive: true } })], {
      pool: { limits: { minNodes: 0, maxNodes: 1, maxStarting: 4 } },
    });
    assert.equal(steps(most).filter((step) => step.startsWith('create')).length, 1);
  });

  defect(11, 'the token on the command line; a munge key in the image and in git', async () => {
    const { command } = startOf(readVcpValues(specValues()), '/etc/hybrid-cloud');
    assert.doesNotMatch(command.join(' '), /the-token/);
    await withVcp({ behaviour: { hang: ['get_ugroup'] } }, async ({ cloud }) => {
      const stop = new AbortController();
      const list = cloud.list(stop.signal).catch(() => {});
      const ps = await run(['sh', '-c', 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"'], {
        timeout: 20_000,
      });
      assert.match(ps.stdout, /helper\.py/);
      assert.doesNotMatch(ps.stdout, /^emulated-token$|=emulated-token$/m);
      stop.abort();
      await list;
    });
    for (const folder of ['helpers', 'images', 'packaging']) {
      const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
      assert.deepEqual(
        files.filter((file) => /munge\.key$|\.pem$|id_ed25519$/.test(file)),
        [],
      );
      for (const file of files.filter((one) => one.endsWith('Containerfile'))) {
        assert.doesNotMatch(readFileSync(join(root, folder, file), 'utf8'), /^(COPY|ADD).*munge\.key/m);
      }
    }
  });

  defect(12, 'a BOOTING node has no address yet, so its address is picked again', () =>
    withVcp({ behaviour: { boot: 30, late_address: true } }, async (world) => {
      await world.cloud.create([lease(1)]);
      const next = world.again();
      const [machine] = await next.list();
      assert.deepEqual([machine?.host, machine?.ip, machine?.state], ['c1', '10.77.0.101', 'starting']);
      const [second] = await next.create([{ ...lease(1), lease: 'hc-ffffffffffff' }]);
      assert.equal(second?.error?.kind, 'ip-in-use');
      assert.equal((await world.calls('create_unit')).length, 1);
    }),
  );

  defect(13, 'Torque: counts stick once seen; join and leave not implemented', async () => {
    const xml = (name: string) => readFileSync(new URL(`../../batch/torque/fixtures/${name}`, import.meta.url), 'utf8');
    const answers = [xml('qstat_mixed_x.xml'), '<Data></Data>', '<Data></Data>'];
    const commands: string[] = [];
    const answer: Run = async (command) => {
      const line = command.join(' ');
      commands.push(line);
      // What pbsnodes tells after -o: the node is offline, with the note that it was given.
      const note = commands.findLast((one) => one.startsWith('pbsnodes -o'))?.match(/-N (.*) t1$/)?.[1];
      const nodes = xml('qstat_mixed_pbsnodes_x.xml');
      const offline = nodes.replace('<state>job-exclusive</state>', `<state>offline</state><note>${note}</note>`);
      if (line.startsWith('pbsnodes -x')) return toResult(command, note === undefined ? nodes : offline);
      if (line.startsWith('qstat -t -x')) return toResult(command, answers.shift() ?? '');
      return toResult(
        command,
        line.startsWith('qstat -Q') ? 'Queue: cloud\n    state_count = Queued:0 Running:0 \n' : '',
      );
    };
    const batch = makeTorque(
      { prefix: [], timeout: 30_000, nodeMemory: 0 },
      { run: answer, clock: manualClock(), log: quietLog },
    );
    const first = await batch.getStatus('cloud', ['t1', 't2', 't3']);
    assert.ok(Object.values(first.tally).reduce((sum, n) => sum + n, 0) > 0);
    assert.deepEqual((await batch.getStatus('cloud', ['t1', 't2', 't3'])).tally, {});
    await batch.leaveCluster(['t1'], 'nobody needs it');
    assert.ok(
      commands.some((line) => line.startsWith('pbsnodes -o')),
      'leaveCluster does something',
    );
    await batch.joinCluster(['t1']);
    assert.ok(
      commands.some((line) => /^pbsnodes -c .* t1$/.test(line)),
      `joinCluster does something: ${commands.join('; ')}`,
    );
  });

  defect(14, 'SIGTERM in the middle of an add leaves a half-built node; the unit has no Restart', () =>
    withVcp({ behaviour: { hang: ['create_unit'] } }, async (world) => {
      const stop = new AbortController();
      const create = world.cloud.create([lease(1)], stop.signal).catch((error: unknown) => error);
      await world.until('the SDK was asked', async () => (await world.calls('create_unit')).length === 1);
      stop.abort();
      const error = await create;
      assert.ok(error instanceof CloudError && error.kind === 'ambiguous', 'the lease is kept');
      await world.behave({});
      const next = world.again();
      await world.until('what was asked for came to be', async () => (await next.list()).length === 1);
      assert.equal((await next.list())[0]?.lease, lease(1).lease);
      const unit = readFileSync(join(root, 'packaging/systemd/hybrid-cloud.service'), 'utf8');
      assert.match(unit, /^Restart=on-failure$/m);
    }),
  );
});

describe('first generation', () => {
  defect(15, 'ssh flattens arguments: values are split and run by the remote shell', async () => {
    const evil = 'fs:/export dir;$(touch /tmp/x)`id`\'"';
    const mount = { source: evil, dir: '/mnt/a b', type: 'nfs', options: '' };
    const script = makeScript('mark', { name: 'c1', ip: '10.77.0.101' }, mount);
    const head = script.slice(0, script.indexOf('hc_tries='));
    const shell = await run(['sh'], { stdin: `${head}printf '%s|%s' "$hc_source" "$hc_dir"\n`, timeout: 10_000 });
    assert.equal(shell.stdout, `${evil}|/mnt/a b`);
  });

  defect(16, 'no wait for sshd, mount status unchecked: the node joins without its file system', () => {
    const answer = (kind: SshAnswer['kind'], stdout: string, code: number) =>
      judge({ kind, text: '', result: toResult(['ssh'], { stdout, code }) }, 'mark').kind;
    assert.equal(answer('unreachable', '', 255), 'wait', 'sshd is not up yet: waited for');
    assert.equal(answer('other-key', '', 255), 'identity', 'an old host key is no empty node name');
    assert.equal(answer('ran', 'Welcome\n', 0), 'command', 'a status of 0 proves nothing');
    assert.equal(answer('ran', 'mark FAIL mount nfs server not responding\n', 1), 'mount');
    assert.equal(answer('ran', 'mark OK nfs4 of fs:/export on /mnt\n', 0), 'done');
    assert.deepEqual(steps(snapshot({ c1: { state: 'preparing' } }, [job()], { underWay: new Set(['c1']) })), []);
  });

  defect(17, 'a temporary key pair is left in /tmp when the add fails', async () => {
    const place = `/tmp/vcp-defect-17-${process.pid}`;
    await mkdir(place, { recursive: true });
    const behaviour = { refuse: { '10.77.0.101': 'InsufficientInstanceCapacity' }, fail: {} };
    await withVcp({ env: [`TMPDIR=${place}`], behaviour }, async ({ cloud }) => {
      const [refused, made] = await cloud.create([lease(1), lease(2)]);
      assert.deepEqual([refused?.error?.kind, made?.error], ['capacity', null]);
    });
    assert.deepEqual(await readdir(place), []);
    await run(['rmdir', place], { timeout: 5000 });
  });

  defect(18, 'a node with an address outside hosts.json: KeyError, and cleanup never runs', () =>
    withVcp({}, async (world) => {
      await world.cloud.create([lease(1)]);
      await world.person(
        'spec = sdk.get_spec("aws", "small")',
        'spec.ip_addresses = ["10.77.0.250"]',
        'sdk.get_ugroup("hybridcloud").create_unit("unknown-one", spec)',
      );
      const machines = await world.cloud.list();
      assert.equal(machines.length, 2);
      const ours = machines.filter(({ host }) => host === 'c1');
      assert.deepEqual(await world.cloud.delete(ours), [{ host: 'c1', error: null }]);
      assert.deepEqual(
        (await world.cloud.list()).map(({ host }) => host),
        ['unknown-one'],
      );
    }),
  );

  defect(19, 'all-or-nothing scale-in: the whole group is deleted, foreign units included', () =>
    withVcp({}, async (world) => {
      await world.cloud.create([lease(1), lease(2), lease(3)]);
      const machines = await world.cloud.list();
      await world.cloud.delete(machines.filter(({ host }) => host === 'c2'));
      assert.deepEqual(
        (await world.cloud.list()).map(({ host }) => host),
        ['c1', 'c3'],
      );
      assert.deepEqual(await world.calls('cleanup'), []);
    }),
  );

  defect(20, 'the whole standard output is the answer: any print of the SDK breaks it; no free host is an error', () =>
    withVcp({ behaviour: { noise: true } }, async (world) => {
      const [outcome] = await world.cloud.create([lease(1)]);
      assert.deepEqual(outcome, { host: 'c1', id: 'hc-c1-000000000001', error: null });
      assert.equal((await world.cloud.list()).length, 1, 'not the forged empty answer that the SDK prints');
      assert.ok(world.logged.some((line) => line.includes('noise below Python')));
      const full = snapshot({ c1: busy, c2: busy, c3: busy, c4: busy }, [...HOSTS.map(running), job()]);
      assert.deepEqual(steps(full), []);
    }),
  );

  defect(21, 'relative start path, a program the image lacks, a slurm.conf fixed in the image', async () => {
    const help = await run(['sh', '-c', 'cd test && ../hybrid-cloud version'], {
      timeout: 60_000,
      cwd: root,
      env: { ...definedEnv(), HYBRID_CLOUD_NODE: process.execPath },
    });
    assert.equal(help.code, 0, help.stderr);
    for (const file of ['helpers/vcp/Containerfile', 'images/slurm-compute/Containerfile']) {
      const text = readFileSync(join(root, file), 'utf8');
      assert.doesNotMatch(text, /\b(curl|wget) /, file);
      assert.doesNotMatch(text, /^(COPY|ADD).*slurm\.conf/m, file);
    }
    assert.doesNotMatch(readFileSync(join(root, 'helpers/vcp/Containerfile'), 'utf8'), /vcp_config\.yml|hosts\.json/);
  });
});

describe('second generation', () => {
  const unit = { mode: 'unit', values: { VCP_KEEP_HOSTS: [] } } as const;

  defect(22, 'the exit status is lost in a pipe, and a node called None is joined', () =>
    withVcp({ ...unit, behaviour: { refuse: { '10.77.0.102': 'AllocationFailed' } } }, async ({ cloud }) => {
      const [outcome] = await cloud.create([lease(2)]);
      assert.deepEqual([outcome?.host, outcome?.id, outcome?.error?.kind], ['c2', null, 'capacity']);
      const full = snapshot({ c1: busy, c2: busy, c3: busy, c4: busy }, [...HOSTS.map(running), job()]);
      assert.deepEqual(steps(full), [], 'no free host: nothing is created or joined under a made-up name');
      const notUp = snapshot({ c2: { state: 'starting' } }, [job({ ask: { exclusive: true } })]);
      assert.deepEqual(steps(notUp), [], 'a machine that does not run is not joined');
    }),
  );

  defect(23, 'the node is deleted first and drained afterwards', () => {
    const empty = { clocks: { emptySince: NOW - 601 * SECOND, noWaitingSince: NOW - 601 * SECOND } };
    assert.deepEqual(steps(snapshot({ c1: ready }, [], empty)), ['drain c1 -> draining']);
    assert.deepEqual(steps(snapshot({ c1: { state: 'draining' } }, [], empty)), ['delete c1 -> stopping']);
    const old = snapshot({ c1: { state: 'draining' } }, [], { ...empty, batchReadAt: NOW - MINUTE });
    assert.deepEqual(steps(old), [], 'the reading is older than the drain: a new one is waited for');
  });

  defect(24, 'one node per 604 s; the first is always kept; the victim is chosen by file order', () => {
    const idle = { ...ready, record: { idleSince: NOW - 601 * SECOND } };
    assert.deepEqual(steps(snapshot({ c1: idle, c2: idle, c3: busy, c4: idle }, [running('c3')])), [
      'drain c1 -> draining',
      'drain c2 -> draining',
      'drain c4 -> draining',
    ]);
    const empty = { clocks: { emptySince: NOW - 601 * SECOND, noWaitingSince: NOW - 601 * SECOND } };
    const all = snapshot({ c1: idle, c2: idle, c3: idle, c4: idle }, [], empty);
    assert.equal(steps(all).length, 4, 'down to zero');
  });

  defect(25, 'no group or unit: AttributeError; nodes of the whole group are taken for the unit', async () => {
    await withVcp({ ...unit, values: { ...unit.values, VC_GROUP_NAME: 'nowhere' } }, async ({ cloud }) => {
      assert.deepEqual(await cloud.list(), []);
      const [outcome] = await cloud.create([lease(2)]);
      assert.match(outcome?.error?.message ?? '', /Unit Group nowhere does not exist/);
    });
    await withVcp(unit, async (world) => {
      await world.person(
        'spec = sdk.get_spec("aws", "small")',
        'spec.ip_addresses = ["10.77.0.103"]',
        'sdk.get_ugroup("OpenHPC").create_unit("login", spec)',
      );
      const machine = (await world.cloud.list()).find(({ ip }) => ip === '10.77.0.103');
      assert.equal(machine?.host, 'login', 'its own unit is told, not our host c3');
      const [outcome] = await world.cloud.create([lease(3)]);
      assert.equal(outcome?.error?.kind, 'ip-in-use');
      const [gone] = await world.cloud.delete([machine ?? assert.fail()]);
      assert.equal(gone?.error?.kind, 'config');
    });
  });

  defect(26, 'an mdx machine is made before add_nodes fails, and fails on its own name for ever', () =>
    withVcp({ ...unit, values: { ...unit.values, MDX_API_TOKEN: 'xxxxxx' } }, async (world) => {
      for (const call of [world.cloud.check(), world.cloud.create([lease(2)])]) {
        await assert.rejects(call, (error) => error instanceof CloudError && error.kind === 'config');
      }
      assert.deepEqual(await world.calls('add_nodes'), [], 'no machine is made that nobody takes away');
    }),
  );

  defect(27, 'the Dockerfile copies a file that is not there; variables nobody uses', () => {
    for (const [file, context] of [
      ['helpers/vcp/Containerfile', 'helpers/vcp'],
      ['images/slurm-compute/Containerfile', 'images'],
      ['images/torque-compute/Containerfile', 'images'],
    ] as const) {
      const text = readFileSync(join(root, file), 'utf8').replaceAll('\\\n', ' ');
      const copies = [...text.matchAll(/^(?:COPY|ADD) (?!--from)(.*)$/gm)].flatMap(([, words = '']) =>
        words.split(/\s+/).slice(0, -1),
      );
      assert.ok(copies.length > 0, file);
      for (const source of copies.filter((one) => !one.includes('${')))
        assert.ok(existsSync(join(root, context, source)), `${file}: ${source}`);
      for (const [, name = ''] of text.matchAll(/^ARG (\w+)/gm)) {
        assert.ok(text.split(`\${${name}}`).length > 1, `${file}: ${name} is used`);
      }
    }
    // A variable that nothing reads is told to whoever sets it; all others are read by some code of ours.
    const told = unusedKeys(Object.fromEntries(vcpOptions.map(({ key }) => [key, 'x']))).flatMap(({ keys }) => keys);
    const code = readdirSync(join(root, 'src/cloud/vcp'))
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(root, 'src/cloud/vcp', name), 'utf8'))
      .join('\n');
    for (const { key } of vcpOptions) {
      assert.ok(told.includes(key) || new RegExp(`(values\\.|values\\['|, |{ )${key}\\b`).test(code), key);
    }
  });

  defect(28, 'hosts.json, slurm.conf and add_host are kept in step by hand, and nobody notices', () => {
    const s = snapshot(
      { c1: { state: 'free', node: { state: 'absent' } }, c2: { state: 'free', node: { inQueue: false } } },
      [job({ ask: { exclusive: true } })],
    );
    assert.deepEqual(
      steps(s).filter((step) => step.startsWith('create')),
      ['create c3 -> starting'],
    );
    const { warnings } = plan(s);
    assert.ok(warnings.some((text) => text.includes('c1') && text.includes('does not know')));
    assert.ok(warnings.some((text) => text.includes('c2') && text.includes('not in queue')));
    // The other files follow from hosts.json, and what does not fit is noticed.
    const old = 'spec_options:\n    add_host: ["master:10.77.0.1", "c1:10.77.0.9"]\n';
    const remarks = addHostRemarks(old, 'f', POOL.hosts, true).map(({ text }) => text);
    assert.deepEqual(remarks, [
      'f: add_host has c1:10.77.0.9, hosts.json has 10.77.0.101 for c1',
      'f: add_host lacks 3 hosts: c2, c3 and c4',
    ]);
    assert.deepEqual(addHostRemarks(addHostLines(old, POOL.hosts).join('\n'), 'f', POOL.hosts, true), []);
    assert.match(slurmConfLines(POOL)[0] ?? '', /^NodeName=c\[1-4\] NodeAddr=10\.77\.0\.\[101-104\] /);
    assert.deepEqual(misplaced('10.77.0.9 c1 # of last year\n', POOL.hosts), [{ host: 'c1', at: 1, ip: '10.77.0.9' }]);
    assert.deepEqual(misplaced(hostsLines(POOL.hosts).join('\n'), POOL.hosts), []);
  });
});

function specValues(): Readonly<Record<string, unknown>> {
  return {
    VCP_ACCESSKEY: 'the-token',
    VCP_SDK_CONTAINER_IMAGE: 'vcpsdk:20.10.0',
    CONTAINER_RUNTIME: ['docker'],
    VCP_PARALLEL: true,
    VCP_TIMEOUT: 120_000,
    VC_NAME: 'hybridcloud',
    PROVIDER_NAME: 'aws',
    FLAVOR_NAME: 'small',
    IMAGE_NAME: 'i',
  };
}

function definedEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}
