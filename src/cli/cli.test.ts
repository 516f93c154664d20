import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ManualClock, manualClock, systemClock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import { ApiError, apiClient } from '../service/client.ts';
import { aJob, aReading, aStatus, type FakeControl, fakeControl, NOW } from '../service/fake-control.ts';
import { serve } from '../service/server.ts';
import { type CliParts, cli, type Flags } from './cli.ts';

/** A terminal whose output is kept. */
function terminal() {
  const seen = { out: '', err: '' };
  const keep = (side: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        seen[side] += chunk;
        done();
      },
    });
  return { seen, out: keep('out'), err: keep('err'), in: new PassThrough() };
}

interface Bench {
  readonly control: FakeControl;
  readonly socket: string;
  readonly clock: ManualClock;
  /** What the actions were called with. */
  readonly acted: [string, Flags][];
  /** Runs one command and tells what it printed. */
  call(argv: readonly string[], more?: Partial<CliParts>): Promise<{ code: number; out: string; err: string }>;
  parts(more?: Partial<CliParts>): CliParts & { readonly seen: { out: string; err: string } };
  /** Starts the service, and ends it. */
  start(): Promise<AsyncDisposable>;
}

/** The command line against a real socket in a folder of its own. */
async function bench(run: (bench: Bench) => Promise<void>, started = true): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hc-cli-'));
  const control = fakeControl();
  const socket = join(folder, 'api.sock');
  const clock = manualClock(NOW);
  const acted: [string, Flags][] = [];
  const act = (name: string) => async (flags: Flags) => {
    acted.push([name, flags]);
    return 0;
  };
  const parts = (more: Partial<CliParts> = {}) => ({
    ...terminal(),
    color: false,
    columns: 80,
    isTerminal: false,
    clock,
    version: '0.1.0',
    defaults: { socket, user: 'taro' },
    openClient: (path: string) => apiClient(path, systemClock),
    actions: { run: act('run'), check: act('check'), render: act('render'), lab: act('lab'), test: act('test') },
    ...more,
  });
  const start = () => serve(control, { socket, log: quietLog, clock: systemClock });
  const call = async (argv: readonly string[], more: Partial<CliParts> = {}) => {
    const all = parts(more);
    const code = await cli(argv, all);
    return { code, ...all.seen };
  };
  try {
    await using _service = started ? await start() : new AsyncDisposableStack();
    await run({ control, socket, clock, acted, call, parts, start });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every command, and what it answers when all is well. */
const commands: { argv: string[]; code: number; out?: RegExp; err?: RegExp }[] = [
  { argv: ['status'], code: 0, out: /^3 PD\n1 R\n\nnodes {4}1 ready, 2 starting/ },
  { argv: ['nodes'], code: 0, out: /^HOST .*\nc1 .*ready.*\n(.*\n)*c2 .*starting/ },
  { argv: ['jobs'], code: 0, out: /^JOB .*\n18 .*PD.*c2 is starting for it\n17 .*on c1\n$/ },
  { argv: ['plan'], code: 0, out: /creating c4\.\n\ncreate c4: 1 job waits/ },
  { argv: ['explain', '18'], code: 0, out: /^Job 18 waits for c2, which is starting\.\n$/ },
  { argv: ['explain', '99'], code: 1, err: /^The queue has no job 99, and the pool has no host 99\n$/ },
  { argv: ['explain', 'a b'], code: 2, err: /^name: neither a job id nor a host name\n$/ },
  { argv: ['explain'], code: 2, err: /missing required argument 'name'/ },
  { argv: ['events'], code: 0, out: /^Nothing has happened yet\.\n$/ },
  { argv: ['events', '-n', '0'], code: 2, err: /A number from 1 to 1000 is expected/ },
  { argv: ['hold', 'c1'], code: 0, out: /^done: hold c1 by taro\n$/ },
  { argv: ['hold', 'c9'], code: 1, err: /^c9 is no host of this pool; its hosts are c1 and c2\n$/ },
  { argv: ['hold', '-x'], code: 2, err: /unknown option '-x'/ },
  { argv: ['hold'], code: 2, err: /missing required argument 'host'/ },
  { argv: ['hold', '\u001b[2J'], code: 2, err: /^host: not a host name/ },
  { argv: ['release'], code: 0, out: /^done: release everything by taro\n$/ },
  { argv: ['release', 'c1'], code: 0, out: /^done: release c1 by taro\n$/ },
  { argv: ['drain', 'c2'], code: 0, out: /^done: drain c2 by taro\n$/ },
  { argv: ['cleanup'], code: 2, err: /say --yes/ },
  { argv: ['cleanup', '--yes'], code: 0, out: /^done: cleanup by taro\n$/ },
  { argv: ['poke'], code: 0, out: /^done: poke\n$/ },
  { argv: ['version'], code: 0, out: /^hybrid-cloud 0\.1\.0\nservice {6}0\.1\.0 \(pid 4242\)\n$/ },
  { argv: ['--version'], code: 0, out: /^0\.1\.0\n$/ },
  { argv: ['run'], code: 0 },
  { argv: ['check'], code: 0 },
  { argv: ['render', 'hosts'], code: 0 },
  { argv: ['render'], code: 2, err: /missing required argument 'what'/ },
  { argv: ['render', 'fstab'], code: 2, err: /Allowed choices are add-host, hosts, slurm-conf/ },
  { argv: ['render', 'hosts', '--cpus', '2'], code: 2, err: /go together with 'render slurm-conf' only/ },
  { argv: ['render', 'slurm-conf', '--memory', '8G'], code: 2, err: /A whole number from 1 up/ },
  { argv: ['lab'], code: 0 },
  { argv: ['lab', 'up', '--once'], code: 2, err: /--once does not go together with 'lab up'/ },
  { argv: ['lab', 'up', '--simulated'], code: 2, err: /--simulated does not go together with 'lab up'/ },
  { argv: ['lab', '--simulated', '--batch', 'slurm'], code: 2, err: /--simulated does not go together with --batch/ },
  { argv: ['lab', '--simulated', '--vcp'], code: 2, err: /--simulated does not go together with --vcp/ },
  { argv: ['lab', '--batch', 'lsf'], code: 2, err: /slurm, gridengine/ },
  {
    argv: ['lab', '--vcp', '--batch', 'gridengine'],
    code: 2,
    err: /--vcp does not go together with --batch gridengine/,
  },
  { argv: ['lab', 'sideways'], code: 2, err: /Allowed choices are up, down/ },
  { argv: ['test'], code: 0 },
  { argv: ['--help'], code: 0, out: /^Usage: hybrid-cloud/ },
  { argv: ['help', 'hold'], code: 0, out: /^Usage: hybrid-cloud hold \[options\] <host>/ },
  { argv: [], code: 2, err: /^Usage: hybrid-cloud/ },
  { argv: ['statsu'], code: 2, err: /unknown command 'statsu'\n\(Did you mean status\?\)/ },
  { argv: ['nope\u001b[2J'], code: 2, err: /unknown command 'nope\?\[2J'/ },
  { argv: ['status', '--jsn'], code: 2, err: /unknown option '--jsn'\n\(Did you mean --json\?\)/ },
  { argv: ['status', 'extra'], code: 2, err: /too many arguments/ },
  { argv: ['--set', 'POLL_INTERVAL', 'run'], code: 2, err: /KEY=VALUE is expected/ },
];
for (const { argv, code, out, err } of commands) {
  test(`'hybrid-cloud ${JSON.stringify(argv.join(' ')).slice(1, -1)}' ends with ${code}`, () =>
    bench(async ({ call }) => {
      const result = await call(argv);
      assert.equal(result.code, code, result.err);
      assert.match(result.out, out ?? /^$/);
      assert.match(result.err, err ?? /^$/);
    }));
}

test('--json prints exactly the view', () =>
  bench(async ({ call, control }) => {
    control.emit({ subject: 'c1', text: 'joined' });
    const views: [string[], unknown][] = [
      [['status'], control.status()],
      [['nodes'], control.nodes()],
      [['jobs'], control.jobs()],
      [['plan'], await control.plan()],
      [['explain', '18'], control.explain('18')],
      [['events'], control.events(20)],
    ];
    for (const [argv, view] of views) {
      const { code, out } = await call([...argv, '--json']);
      assert.equal(code, 0);
      assert.equal(out, `${JSON.stringify(view, null, 2)}\n`);
    }
    assert.deepEqual(JSON.parse((await call(['version', '--json'])).out), {
      version: '0.1.0',
      service: { version: '0.1.0', pid: 4242, startedAt: control.status().startedAt },
    });
  }));

test('names and reasons that users choose never reach the terminal as they are', () =>
  bench(async ({ call, control }) => {
    const evil = '\u001b]0;x\u0007\u001b[2J\r\n\u009b31m\u202e';
    control.emit({ subject: evil, text: evil });
    const job = aJob({ id: '18', user: evil, name: evil, reason: evil, verdict: null });
    control.show.jobs = [job];
    control.show.nodes = control.show.nodes.map((node) => ({ ...node, reason: evil }));
    control.show.explain = [{ kind: 'job', name: '18', text: evil }];
    control.show.status = aStatus({
      summary: evil,
      warnings: [evil],
      tally: { [evil]: 1 },
      waitingBecause: [{ text: evil, jobs: 1 }],
      batch: aReading({ ok: false, message: evil }),
    });
    control.refuse = evil;
    for (const argv of [['status'], ['nodes'], ['jobs'], ['explain', '18'], ['events'], ['hold', 'c1'], ['plan']]) {
      for (const order of [argv, [...argv, '--json']]) {
        const { out, err } = await call(order, { columns: Infinity });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        assert.doesNotMatch(`${out}${err}`.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u202e]/, order.join(' '));
      }
    }
  }));

test('global flags count before and behind the command', () =>
  bench(async ({ call, acted }) => {
    const flags = [
      '--config-dir',
      '/etc/x',
      '--socket',
      '/s',
      '--set',
      'queue_name=a',
      '--set',
      'QUEUE_NAME=b=c',
      '--no-color',
    ];
    const expected = { configDir: '/etc/x', socket: '/s', set: { QUEUE_NAME: 'b=c' }, json: false, color: false };
    const running = { ...expected, standby: false };
    await call([...flags, 'run'], { color: true });
    await call(['run', ...flags], { color: true });
    await call(['check', '--json'], { color: true });
    await call(['render', 'slurm-conf', '--cpus', '2']);
    await call(['lab', 'up']);
    await call(['lab', '--once', '--json', '--batch', 'gridengine']);
    await call(['lab', '--vcp', '--batch', 'slurm', '--once']);
    await call(['test', 'planner', 'store']);
    await call(['test', '--chaos', '10000', '--seed', '7']);
    const none = { configDir: undefined, socket: undefined, set: {}, json: false, color: false };
    assert.deepEqual(acted, [
      ['run', running],
      ['run', running],
      ['check', { ...none, json: true, color: true }],
      ['render', { ...none, what: 'slurm-conf', cpus: 2, memory: undefined }],
      ['lab', { ...none, mode: 'up', batch: undefined, vcp: false, simulated: false }],
      ['lab', { ...none, json: true, mode: 'once', batch: 'gridengine', vcp: false, simulated: false }],
      ['lab', { ...none, mode: 'once', batch: 'slurm', vcp: true, simulated: false }],
      ['test', { ...none, what: ['planner', 'store'] }],
      ['test', { ...none, what: ['--chaos', '10000', '--seed', '7'] }],
    ]);
  }));

test('the exit code of an action is the exit code of the command', () =>
  bench(async ({ call, parts }) => {
    const actions = { ...parts().actions, check: async () => 1, run: async () => 2 };
    assert.equal((await call(['check'], { actions })).code, 1);
    assert.equal((await call(['run'], { actions })).code, 2);
  }));

test('the socket is that of --socket, else of --set API_SOCKET, else of the environment, else the usual one', async () => {
  const asked: string[] = [];
  const openClient = (path: string) => {
    asked.push(path);
    return apiClient('/nowhere/api.sock');
  };
  await bench(async ({ call }) => {
    const set = ['--set', 'API_SOCKET=/set.sock'];
    await call(['status', ...set, '--socket', '/flag.sock'], { openClient, defaults: { socket: '/env.sock' } });
    await call(['status', ...set], { openClient, defaults: { socket: '/env.sock' } });
    await call(['status'], { openClient, defaults: { socket: '/env.sock' } });
    await call(['status'], { openClient, defaults: {} });
  }, false);
  assert.deepEqual(asked, ['/flag.sock', '/set.sock', '/env.sock', '/run/hybrid-cloud/api.sock']);
});

test('without a service every command that needs it says so and ends with 1', () =>
  bench(async ({ call, socket }) => {
    const needs = [
      ['status'],
      ['nodes'],
      ['jobs'],
      ['plan'],
      ['explain', '1'],
      ['events'],
      ['events', '-f'],
      ['hold', 'c1'],
    ];
    for (const argv of [...needs, ['release'], ['drain', 'c1'], ['cleanup', '--yes'], ['poke']]) {
      const { code, out, err } = await call(argv);
      assert.equal(code, 1, argv.join(' '));
      assert.equal(out, '');
      assert.equal(
        err,
        `The service does not answer at ${socket}: is it running? (systemctl status hybrid-cloud)\n`,
        argv.join(' '),
      );
    }
    const version = await call(['version']);
    assert.deepEqual([version.code, version.out], [0, 'hybrid-cloud 0.1.0\n']);
  }, false));

test('who may not change anything is told the line to type', () =>
  bench(async ({ call }) => {
    const forbidden = async (): Promise<never> => {
      throw new ApiError('forbidden', `only root or the service's user may do this (sudo hybrid-cloud …)`);
    };
    const { code, err } = await call(['hold', 'c1'], { openClient: () => ({ get: forbidden, post: forbidden }) });
    assert.equal(code, 1);
    assert.equal(err, "only root or the service's user may do this (sudo hybrid-cloud hold c1)\n");
  }));

test('a reader that has seen enough ends a command quietly', () =>
  bench(async ({ call, control }) => {
    control.emit({ text: 'something' });
    for (const argv of [['status'], ['events', '--follow'], ['--help']]) {
      const out = new Writable({
        write(_chunk, _encoding, done) {
          done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
        },
      });
      assert.deepEqual(await call(argv, { out }), { code: 0, out: '', err: '' }, argv.join(' '));
    }
  }));

test('what the service refuses is printed and ends with 1', () =>
  bench(async ({ call, control }) => {
    control.refuse = 'c1 is already held';
    assert.deepEqual(await call(['hold', 'c1']), { code: 1, out: '', err: 'c1 is already held\n' });
  }));

test('a user name the API would refuse is not sent; the order itself is', async () => {
  const sent: unknown[] = [];
  const post = async <T>(path: string, body: unknown): Promise<T> => {
    sent.push([path, body]);
    return { ok: true, text: 'done' } as T;
  };
  const openClient = () => ({ get: () => Promise.reject(new Error('nothing is read here')), post });
  await bench(async ({ call }) => {
    for (const user of ['taro', 'x\ny', undefined]) await call(['hold', 'c1'], { openClient, defaults: { user } });
  }, false);
  assert.deepEqual(sent, [
    ['/hold/c1', { by: 'taro' }],
    ['/hold/c1', {}],
    ['/hold/c1', {}],
  ]);
});

for (const [typed, code] of [
  ['y\n', 0],
  ['yes\n', 0],
  ['n\n', 1],
  ['\n', 1],
  ['yo\n', 1],
  ['', 1],
] as const) {
  test(`cleanup asks on a terminal: ${JSON.stringify(typed)} ends with ${code}`, { timeout: 10_000 }, () =>
    bench(async ({ call, control }) => {
      const keys = new PassThrough();
      keys.end(typed);
      const { code: got, out } = await call(['cleanup'], { isTerminal: true, in: keys });
      assert.equal(got, code);
      assert.match(out, /3 nodes of pool cloud will get no new jobs .*\n?.*Now: 1 job runs,\n?.*3 jobs wait\./s);
      assert.deepEqual(control.told, code === 0 ? ['cleanup by taro'] : []);
    }),
  );
}

/** Waits, bounded by the test's time limit, until it holds; lets time pass for whoever sleeps meanwhile. */
async function until(clock: ManualClock, holds: () => boolean): Promise<void> {
  while (!holds()) {
    await clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('events --follow prints what comes, over a restart, and ends with 0', { timeout: 20_000 }, () =>
  bench(async ({ control, clock, parts, start }) => {
    const stop = new AbortController();
    const all = parts({ signal: stop.signal });
    control.emit({ subject: 'c1', text: 'before' });
    await using first = new AsyncDisposableStack();
    first.use(await start());
    const following = cli(['events', '--follow'], all);
    await until(clock, () => control.waiters() === 1);
    assert.match(all.seen.out, /^.*info {3}c1 {6}before\n$/);

    control.emit({ level: 'warn', subject: 'gpu-node-1', text: 'meanwhile' });
    await until(clock, () => all.seen.out.includes('meanwhile'));
    await until(clock, () => control.waiters() === 1);
    await first.disposeAsync();
    await until(clock, () => all.seen.err.includes('Waiting for it'));
    control.emit({ subject: 'c2', text: 'while away' });
    await using _second = await start();
    await until(clock, () => all.seen.out.includes('while away'));

    stop.abort();
    assert.equal(await following, 0);
    assert.equal(all.seen.err.match(/Waiting for it/g)?.length, 1, 'said once');
    const texts = all.seen.out.split('\n').map((line) => line.slice(23));
    assert.deepEqual(texts, ['c1      before', 'gpu-node-1  meanwhile', 'c2          while away', '']);
  }, false),
);

test('events --follow finds its place again when the ids begin anew', { timeout: 20_000 }, async () => {
  await bench(async ({ clock, parts, control }) => {
    const stop = new AbortController();
    const asked: string[] = [];
    let ids = 100;
    const event = (id: number) => ({ id, at: NOW, level: 'info', subject: null, text: `event ${id}` });
    const get = async <T>(path: string): Promise<T> => {
      asked.push(path);
      if (asked.length === 2) {
        ids = 1;
        throw new ApiError('down', 'gone');
      }
      if (asked.length > 4) stop.abort();
      return [event(ids)] as T;
    };
    const post = () => Promise.reject(new Error('nothing is changed here'));
    const all = parts({ signal: stop.signal, openClient: () => ({ get, post }) });
    const following = cli(['events', '-f'], all);
    let done = false;
    void following.then(() => {
      done = true;
    });
    await until(clock, () => done);
    assert.equal(await following, 0);
    assert.deepEqual(asked.slice(0, 4), [
      '/events?limit=20',
      '/events?limit=1000&after=100&wait=30',
      '/events?limit=1',
      '/events?limit=1000&after=0&wait=0',
    ]);
    assert.match(all.seen.out, /event 100\n(.*\n)*.*event 1\n/);
    assert.deepEqual(control.told, []);
  }, false);
});

test('poke loads neither zod nor hono nor the configuration', () => {
  const start = ['./cli.ts', './commands/orders.ts', '../service/client.ts'];
  const here = fileURLToPath(import.meta.url);
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, from = ''] of text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'/gm)) {
      if (from.startsWith('.')) visit(resolve(dirname(file), from));
      else if (!from.startsWith('node:')) packages.add(from);
    }
  };
  for (const file of start) visit(resolve(dirname(here), file));
  assert.deepEqual([...packages], ['commander']);
  const src = resolve(dirname(here), '..');
  assert.deepEqual([...files].map((file) => relative(src, file)).sort(), [
    'cli/cli.ts',
    'cli/commands/orders.ts',
    'cli/options.ts',
    'cli/parts.ts',
    'cli/render/text.ts',
    'cli/simulate-options.ts',
    'lib/clock.ts',
    'service/client.ts',
    'service/paths.ts',
  ]);
});
