// time limit: 300 s
/**
 * Two pools end to end: the real program with its configuration, a batch system of shell functions and clouds in folders.
 * Two queues, one of them with two clouds of which the first has no capacity; the service is killed on the way.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/lib/clock.ts';
import { run } from '../src/lib/run.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = [process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'src/main.ts')];

/** A network of its own without any address: what is knocked at there is silent, as addresses of new machines are. */
const ALONE = [...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--net'];

interface Site {
  /** Does one job wait in this queue? */
  queue(name: string, waits: boolean): void;
  machines(cloud: string): string[];
  start(): ChildProcess;
  call(...argv: string[]): Promise<{ code: number | null; out: string }>;
  /** Waits for the service to come to this, 75 s at most. */
  until(what: string, check: () => Promise<boolean> | boolean): Promise<void>;
  /** What it has logged. */
  log(): string;
}

/** Nodes are up when their machine is in some cloud, and closed when we closed them; jobs wait as the test says. */
const functions = (dir: string) => `
get_status() {
  nodes=
  for host in $HOST_NAMES; do
    up='"state":"down"'
    if grep -qs "\\"$host\\"" '${dir}'/*/machines.json; then up='"state":"idle","registration":"1"'; fi
    closed=no
    if [ -e '${dir}'/closed-"$host" ]; then closed=ours; fi
    nodes="$nodes\${nodes:+,}{\\"host\\":\\"$host\\",$up,\\"cpus\\":1,\\"closed\\":\\"$closed\\"}"
  done
  echo "{\\"jobs\\":[$(cat '${dir}'/"$QUEUE_NAME".jobs)],\\"nodes\\":[$nodes]}"
}
join_cluster() { rm -f '${dir}'/closed-"$1"; }
leave_cluster() { : >'${dir}'/closed-"$1"; }
check_version() { echo stand-in 1; }
`;

function site(t: TestContext): Site {
  const dir = mkdtempSync(join(tmpdir(), 'hc-two-pools-'));
  const children: ChildProcess[] = [];
  t.after(async () => {
    for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await systemClock.sleep(200);
    rmSync(dir, { recursive: true, force: true });
  });
  const cloud = (name: string, faults: object = {}) => {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'faults.json'), JSON.stringify(faults));
    return [process.execPath, join(root, 'test/support/file-cloud.ts'), join(dir, name)].join(' ');
  };
  writeFileSync(join(dir, 'functions.sh'), functions(dir));
  writeFileSync(
    join(dir, 'hybrid-cloud.yaml'),
    `batch_system: script
batch_script: ${dir}/functions.sh
bootstrap: none
state_dir: ${dir}/state
api_socket: ${dir}/run/api.sock
poll_interval: 1
cleanup_node_wait_time: 2
cloud: command
pools:
  - name: cpu
    queue: one
    cloud_command: ${cloud('campus')}
    hosts: { 10.77.0.1: c1, 10.77.0.2: c2 }
  - name: gpu
    queue: two
    clouds:
      - name: full
        kind: command
        cloud_command: ${cloud('full', { refuse: { g1: 'capacity' } })}
        hosts: { 10.77.1.1: g1 }
      - name: dear
        kind: command
        cloud_command: ${cloud('dear')}
        price_per_hour: 3600
        hosts: { 10.77.1.2: g2 }
        budget: { money_per_day: 100000000, nodes: 1 }
`,
  );
  let log = '';
  const call = async (...argv: string[]) => {
    const result = await run([...program, '--config-dir', dir, '--socket', join(dir, 'run/api.sock'), ...argv], {
      timeout: 60_000,
    });
    return { code: result.code, out: result.stdout + result.stderr };
  };
  return {
    call,
    queue: (name, waits) => writeFileSync(join(dir, `${name}.jobs`), waits ? '{"id":"1","state":"waiting"}' : ''),
    machines(name) {
      try {
        const found = JSON.parse(readFileSync(join(dir, name, 'machines.json'), 'utf8')) as { hostname: string }[];
        return found.map((one) => one.hostname);
      } catch {
        return [];
      }
    },
    start() {
      const child = spawn('unshare', [...ALONE, ...program, 'run', '--config-dir', dir], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child.stderr?.on('data', (part) => {
        log += part;
      });
      children.push(child);
      return child;
    },
    async until(what, check) {
      const end = systemClock.monotonic() + 75_000;
      while (systemClock.monotonic() < end) {
        if (await check()) return;
        await systemClock.sleep(200);
      }
      assert.fail(`${what} did not come in time\n${log}\n${(await call('status')).out}`);
    },
    log: () => log,
  };
}

test('two pools and three clouds: check, work, failover, a kill, and everything away again', async (t) => {
  const s = site(t);
  s.queue('one', true);
  s.queue('two', true);
  const checked = await s.call('check');
  assert.equal(checked.code, 0, checked.out);
  for (const part of [
    /cpu: cloud +list answers/,
    /gpu: cloud full +list answers/,
    /gpu: queue +two is there, with 1 PD/,
  ])
    assert.match(checked.out, part);

  const first = s.start();
  const ready = async (pool: string, host: string) => {
    const { out, code } = await s.call('nodes', '--json', '--pool', pool);
    if (code !== 0) return false;
    const nodes = JSON.parse(out) as { host: string; state: string }[];
    return nodes.find((node) => node.host === host)?.state === 'ready';
  };
  await s.until('c1 and g2', async () => (await ready('cpu', 'c1')) && (await ready('gpu', 'g2')));
  assert.deepEqual([s.machines('campus'), s.machines('full'), s.machines('dear')], [['c1'], [], ['g2']]);
  const events = (await s.call('events', '-n', '100')).out;
  assert.match(events, /cpu: c1: free -> starting/);
  assert.match(events, /gpu: g2: free -> starting: .*full is passed over: creation is paused/);
  assert.match(s.log(), /c1: free -> starting.* pool=cpu/);

  first.kill('SIGKILL');
  await once(first, 'exit');
  const second = s.start();
  await s.until('it is back', async () => (await s.call('status')).code === 0 && (await ready('gpu', 'g2')));
  const status = (await s.call('status')).out;
  assert.match(status, /== pool cpu\n1 PD/);
  assert.match(status, /clouds +full 0 of 1, dear 1 of 1/);
  assert.match(status, /used +today [\d.]+ node hours for [1-9]/, 'what was counted before the kill is there');
  assert.match(status, /pause +No new nodes in full for .*capacity/);

  s.queue('one', false);
  s.queue('two', false);
  const empty = () => s.machines('campus').length + s.machines('full').length + s.machines('dear').length === 0;
  await s.until('all machines are gone', empty);
  second.kill('SIGTERM');
  const [code] = await once(second, 'exit');
  assert.equal(code, 0);
});
