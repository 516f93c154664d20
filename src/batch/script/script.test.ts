/**
 * The functions of a site, run by a real bash: what counts as an answer, and what must not.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BatchError } from '../../domain/errors.ts';
import { type ManualClock, manualClock } from '../../lib/clock.ts';
import { quietLog } from '../../lib/log.ts';
import { type Run, run } from '../../lib/run.ts';
import type { Batch, QueueStatus } from '../batch.ts';
import { SETTLES } from './memory.ts';
import { makeScriptBatch } from './script.ts';

/** The example of the specification, as squeue prints it. */
const SQUEUE = `cat <<END
JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)
   18     cloud   run.sh   ubuntu PD       0:00      1 (Resources)
   21     xxxxx   run.sh   ubuntu  R       0:00      1 (Priority)
   19     cloud   run.sh   ubuntu PD       0:00      1 (Priority)
   20     cloud   run.sh   ubuntu PD       0:00      1 (Priority)
   17     cloud   run.sh   ubuntu  R       0:50      1 c1
END`;

/** get_status in the style of the specification's slurm-functions.sh. */
const SLURM_STYLE = `
  WAIT_COUNT=0
  RUN_COUNT=0
  job_stat=\`squeue | awk '{ if ($2 == "'\${QUEUE_NAME}'") print $5 }' | sort | uniq -c\`
  while read line
  do
    n=\`echo $line | awk '{print $1}'\`
    st=\`echo $line | awk '{print $2}'\`
    case $st in
    "PD") WAIT_COUNT=$n ;;
    "R") RUN_COUNT=$n ;;
    esac
  done <<END
$job_stat
END`;

/** In the style of its torque-functions.sh, which sets a count only when there is something to count. */
const TORQUE_STYLE = `
  while read n st
  do
    if [ "$st" = "Q" ]; then WAIT_COUNT=$n; fi
    if [ "$st" = "R" ]; then RUN_COUNT=$n; fi
  done < <(squeue | awk '$2=="'$QUEUE_NAME'" {print ($5 == "PD") ? "Q" : $5}' | sort | uniq -c)`;

const LINES = `squeue | awk '$2=="'$QUEUE_NAME'" {print $5}' | sort | uniq -c`;

interface Site extends Disposable {
  readonly dir: string;
  readonly clock: ManualClock;
  batch(): Batch;
  /** What the next calls of `squeue` do. */
  squeue(text: string): void;
}

function site(
  getStatus: string,
  more = 'join_cluster() { :; }\nleave_cluster() { :; }\ncheck_version() { echo squeue 1.2; }\n',
): Site {
  const dir = mkdtempSync(join(tmpdir(), 'hc-script-'));
  const file = join(dir, 'functions.sh');
  writeFileSync(file, `get_status() {\n${getStatus}\n}\n${more}`);
  const clock = manualClock();
  const env = { PATH: `${dir}:/usr/bin:/bin`, LC_ALL: 'C.UTF-8' };
  const siteRun: Run = (command, options) => run(command, { ...options, env });
  const squeue = (text: string): void => writeFileSync(join(dir, 'squeue'), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  squeue(SQUEUE);
  return {
    dir,
    clock,
    squeue,
    batch: () =>
      makeScriptBatch({ file, prefix: [], timeout: 3000 }, { run: siteRun, clock, log: quietLog, stateDir: dir }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

const EMPTY = 'echo "JOBID PARTITION NAME USER ST"';
const json = (value: unknown): string => `cat <<'END'\n${JSON.stringify(value)}\nEND`;

describe('what get_status answers', () => {
  const cases: readonly (readonly [string, string, string, Record<string, number> | string])[] = [
    ['the style of slurm-functions.sh', SLURM_STYLE, SQUEUE, { PD: 3, R: 1 }],
    ['the same, no job at all', SLURM_STYLE, EMPTY, {}],
    [
      'the same, squeue fails',
      SLURM_STYLE,
      'echo "squeue: error: Unable to contact slurm controller" >&2; exit 1',
      'silent',
    ],
    ['the same, squeue is not there', SLURM_STYLE, 'exec no-such-program', 'silent'],
    ['the same, ssh fails', SLURM_STYLE, 'exit 255', 'silent'],
    ['the style of torque-functions.sh', TORQUE_STYLE, SQUEUE, { PD: 3, R: 1 }],
    ['the same, no job at all: nothing is set, nothing failed', TORQUE_STYLE, EMPTY, {}],
    ['the same, qstat fails in <(...)', TORQUE_STYLE, 'exit 1', 'silent'],
    ['lines', LINES, SQUEUE, { PD: 3, R: 1 }],
    ['lines, squeue fails', LINES, 'exit 1', 'silent'],
    ['no line at all', LINES, EMPTY, 'garbled'],
    ['lines of zero', 'echo 0 PD; echo 0 R', SQUEUE, {}],
    ['other codes', 'echo 2 Q; echo 1 E; echo 4 C; echo 3 H', SQUEUE, { Q: 2, E: 1, H: 3 }],
    ['an unknown code counts as running', 'echo 2 ZZ', SQUEUE, { ZZ: 2 }],
    ['grep that finds nothing', 'WAIT_COUNT=$(squeue | grep -c QQ); RUN_COUNT=$(squeue | grep QQ | wc -l)', SQUEUE, {}],
    ['grep behind a squeue that fails', 'WAIT_COUNT=$(squeue | grep -c PD); RUN_COUNT=0', 'exit 1', 'silent'],
    [
      'a failure with its message thrown away',
      'WAIT_COUNT=0; RUN_COUNT=0; x=$(squeue 2>/dev/null | wc -l) 2>/dev/null',
      'exit 1',
      'silent',
    ],
    ['a failure hidden by local', 'local x=$(squeue); WAIT_COUNT=0; RUN_COUNT=0', 'exit 1', 'silent'],
    ['a failure behind a variable of its own', 'X=1 squeue >/dev/null; WAIT_COUNT=0; RUN_COUNT=0', 'exit 1', 'silent'],
    ['a failure that the file allows', 'x=$(squeue || true); WAIT_COUNT=0; RUN_COUNT=0', 'exit 1', {}],
    [
      'a failure in a function of its own',
      'ask() { squeue | wc -l; }\nn=$(ask); WAIT_COUNT=0; RUN_COUNT=0',
      'exit 1',
      'silent',
    ],
    ['one count of two', 'WAIT_COUNT=2', SQUEUE, { PD: 2 }],
    ['no number', 'WAIT_COUNT=; RUN_COUNT=none', SQUEUE, 'garbled'],
    ['a negative number', 'WAIT_COUNT=-1', SQUEUE, 'garbled'],
    ['nothing', ':', SQUEUE, 'garbled'],
    ['words', 'echo all is well', SQUEUE, 'garbled'],
    ['exit', 'exit 0', SQUEUE, 'silent'],
    ['return 3', 'WAIT_COUNT=1; RUN_COUNT=1; return 3', SQUEUE, 'silent'],
    ['return 1', 'WAIT_COUNT=1; RUN_COUNT=1; return 1', SQUEUE, 'silent'],
    [
      'JSON',
      json({
        jobs: [
          { id: 5, state: 'waiting' },
          { id: '6', state: 'running', code: 'r', hosts: ['c1'] },
        ],
      }),
      SQUEUE,
      { PD: 1, r: 1 },
    ],
    ['half of JSON', 'echo \'{"jobs": [\'', SQUEUE, 'garbled'],
    ['JSON of another form', json({ nodes: [] }), SQUEUE, 'garbled'],
    ['JSON and a failure', `${json({ jobs: [] })}\nreturn 2`, SQUEUE, 'silent'],
    ['an error in JSON', json({ error: { kind: 'no-queue', message: 'no such queue' } }), SQUEUE, 'no-queue'],
  ];
  for (const [title, getStatus, squeue, expected] of cases) {
    test(`${title}: ${typeof expected === 'string' ? expected : JSON.stringify(expected)}`, async () => {
      using one = site(getStatus);
      one.squeue(squeue);
      const reading = one.batch().getStatus('cloud', ['c1', 'c2']);
      if (typeof expected !== 'string') assert.deepEqual((await reading).tally, expected);
      else await assert.rejects(reading, (error) => error instanceof BatchError && error.kind === expected);
    });
  }

  test('a function that hangs is ended with everything it started', async () => {
    using one = site('WAIT_COUNT=0; squeue | wc -l > /dev/null; RUN_COUNT=0');
    one.squeue(`echo $$ > ${one.dir}/pid; exec sleep 60`);
    await assert.rejects(one.batch().getStatus('cloud', []), (error) => {
      assert.ok(error instanceof BatchError && error.kind === 'silent');
      assert.match(error.message, /did not end within 3 s/);
      return true;
    });
    const pid = readFileSync(join(one.dir, 'pid'), 'utf8').trim();
    const state = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] : 'gone';
    assert.ok(state === 'gone' || state === 'Z', `process ${pid} is still there: ${state}`);
  });

  test('one bad entry among good ones is shown, and its node keeps its machine', async () => {
    using one = site(
      json({
        jobs: [
          { id: '1', state: 'waiting' },
          { id: '2', state: 'flying', hosts: ['c1'] },
        ],
        nodes: [
          { host: 'c1', state: 'idle', cpus: 4 },
          { host: 'c2', state: 'idle', cpus: 4 },
          { host: 'c3', state: 'odd' },
        ],
      }),
    );
    const { jobs, nodes, unreadable } = await one.batch().getStatus('cloud', ['c1', 'c2', 'c3']);
    assert.deepEqual([jobs.length, unreadable.length], [1, 2]);
    assert.deepEqual(
      nodes.map(({ state, hasJob }) => [state, hasJob]),
      [
        ['unknown', true],
        ['idle', false],
        ['unknown', true],
      ],
    );
  });
});

describe('with counts only', () => {
  const brief = (status: QueueStatus) =>
    status.nodes.map((node) => [node.closed, node.state, node.hasJob, node.cpusFree]);
  const HOSTS = ['c1', 'c2', 'c3'];

  test('waiting jobs are for one node each; while a job runs, every open node may have it', async () => {
    using one = site(SLURM_STYLE);
    const batch = one.batch();
    const { jobs } = await batch.getStatus('cloud', HOSTS);
    assert.deepEqual(
      jobs.map(({ id, state, tasks, ask }) => [id, state, tasks, ask.nodes]),
      [
        ['running', 'running', 1, 1],
        ['waiting', 'waiting', 3, 1],
      ],
    );
    await batch.leaveCluster(['c2', 'c3'], 'no machine');
    await batch.joinCluster(['c1', 'c2']);
    assert.deepEqual(brief(await batch.getStatus('cloud', HOSTS)), [
      ['no', 'busy', true, 0],
      ['no', 'busy', true, 1],
      ['ours', 'draining', true, 1],
    ]);
  });

  test('a closed node is free of jobs only when none has run for a while without a break', async () => {
    using one = site(SLURM_STYLE);
    const batch = one.batch();
    await batch.getStatus('cloud', HOSTS);
    await batch.joinCluster(HOSTS);
    await batch.leaveCluster(HOSTS, 'not wanted');
    const busy = async (): Promise<boolean> =>
      (await batch.getStatus('cloud', HOSTS)).nodes.some((node) => node.hasJob);
    await one.clock.advance(2 * SETTLES);
    assert.equal(await busy(), true, 'a job runs');
    one.squeue(EMPTY);
    assert.equal(await busy(), true, 'it has only just ended');
    const { nodes } = await batch.getStatus('cloud', HOSTS);
    assert.deepEqual([nodes[0]?.closed, nodes[0]?.state], ['ours', 'unknown'], 'neither opened again nor deleted');
    await one.clock.advance(SETTLES / 2);
    one.squeue(SQUEUE);
    assert.equal(await busy(), true);
    one.squeue(EMPTY);
    await one.clock.advance(SETTLES);
    assert.equal(await busy(), true, 'the time begins anew');
    await one.clock.advance(SETTLES);
    assert.equal(await busy(), false);
    one.squeue(SQUEUE);
    assert.equal(await busy(), false, 'what is closed and settled gets no job');
  });

  test('what is closed survives a restart, and a damaged file only makes it be closed again', async () => {
    using one = site(SLURM_STYLE);
    const first = one.batch();
    await first.getStatus('cloud', HOSTS);
    await first.leaveCluster(['c2'], 'no machine');
    const again = await one.batch().getStatus('cloud', HOSTS);
    assert.deepEqual(
      again.nodes.map(({ closed, reason }) => [closed, reason]),
      [
        ['no', ''],
        ['ours', 'hybrid-cloud: no machine'],
        ['no', ''],
      ],
    );
    writeFileSync(join(one.dir, 'batch-script.json'), '{"hosts": [');
    const third = await one.batch().getStatus('cloud', HOSTS);
    assert.deepEqual(
      third.nodes.map(({ closed, hasJob }) => [closed, hasJob]),
      [
        ['no', true],
        ['no', true],
        ['no', true],
      ],
    );
  });

  test('join_cluster that fails leaves the host closed, to be asked again; leave_cluster that fails is told', async () => {
    using one = site(
      SLURM_STYLE,
      'join_cluster() { echo "node $1 is not there" >&2; return 1; }\nleave_cluster() { return 2; }\ncheck_version() { :; }\n',
    );
    const batch = one.batch();
    const [joined] = await batch.joinCluster(['c1']);
    assert.deepEqual([joined?.result, joined?.message], ['not-yet', 'join_cluster ended with 1: node c1 is not there']);
    assert.equal((await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed, 'ours');
    await one.clock.advance(300_000);
    assert.equal(
      (await batch.getStatus('cloud', ['c1'])).nodes[0]?.closed,
      'no',
      'nobody tries any more: it may be open',
    );
    const [left] = await batch.leaveCluster(['c2'], 'why');
    assert.equal(left?.result, 'failed');
  });

  test('names and reasons are arguments, never shell text; each host is called once', async () => {
    using one = site(
      SLURM_STYLE,
      'join_cluster() { :; }\nleave_cluster() { echo "$#|$1|$2|$QUEUE_NAME|$HOST_NAMES" >> "$(dirname "$BASH_SOURCE")/called"; }\ncheck_version() { :; }\n',
    );
    const batch = one.batch();
    await batch.getStatus('cloud', HOSTS);
    const outcomes = await batch.leaveCluster(['c1', 'c2', '$(touch x);c3'], 'it\'s "idle" $(touch y)');
    assert.deepEqual(
      outcomes.map(({ result }) => result),
      ['done', 'done', 'failed'],
    );
    assert.deepEqual(readFileSync(join(one.dir, 'called'), 'utf8').trim().split('\n').sort(), [
      '2|c1|hybrid-cloud: it\'s "idle" $(touch y)|cloud|c1 c2 c3',
      '2|c2|hybrid-cloud: it\'s "idle" $(touch y)|cloud|c1 c2 c3',
    ]);
    await batch.leaveCluster(['c1'], 'again');
    assert.equal(readFileSync(join(one.dir, 'called'), 'utf8').trim().split('\n').length, 2, 'closed already');
  });
});

describe('check_version', () => {
  test('what it prints is the version', async () => {
    using one = site(SLURM_STYLE);
    assert.deepEqual(await one.batch().checkVersion(), { family: 'script', text: 'squeue 1.2' });
  });

  const failures: readonly (readonly [string, string, RegExp])[] = [
    [
      'a function that is missing',
      'check_version() { :; }\nleave_cluster() { :; }\n',
      /missing.*does not define join_cluster/,
    ],
    [
      'check_version that fails',
      'check_version() { echo "no squeue" >&2; return 1; }\nleave_cluster() { :; }\njoin_cluster() { :; }\n',
      /version.*ended with 1: no squeue/,
    ],
    ['a file that bash cannot read', 'if then\n', /missing.*syntax error|missing.*does not define/],
  ];
  for (const [title, more, says] of failures) {
    test(`${title} is told`, async () => {
      using one = site(SLURM_STYLE, more);
      await assert.rejects(one.batch().checkVersion(), (error) => {
        assert.ok(error instanceof BatchError);
        assert.match(`${error.kind}: ${error.message}`, says);
        return true;
      });
    });
  }

  test('a file that is not there is told', async () => {
    using one = site(SLURM_STYLE);
    rmSync(join(one.dir, 'functions.sh'));
    await assert.rejects(
      one.batch().checkVersion(),
      (error) => error instanceof BatchError && error.kind === 'missing',
    );
  });
});

test('10,000 jobs in JSON cost one call and less than 500 ms of CPU', async () => {
  const jobs = Array.from({ length: 10_000 }, (_, i) => ({
    id: String(i),
    state: 'waiting',
    user: 'alice',
    name: `job ${i}`,
    nodes: 1,
    cpus: 2,
    priority: i,
  }));
  using one = site('cat "$(dirname "$BASH_SOURCE")/jobs.json"');
  writeFileSync(join(one.dir, 'jobs.json'), JSON.stringify({ jobs, nodes: [{ host: 'c1', state: 'idle', cpus: 4 }] }));
  const batch = one.batch();
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const before = process.cpuUsage();
    assert.deepEqual((await batch.getStatus('cloud', ['c1'])).tally, { PD: 10_000 });
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  assert.ok(least < 500, `${Math.round(least)} ms of CPU`);
});
