import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeNotify } from './notify.ts';
import { type Run, type RunOptions, type RunResult, run } from './run.ts';

function recorder(answer: Partial<RunResult> | Error = {}) {
  const calls: { command: readonly string[]; options: RunOptions }[] = [];
  const recorded: Run = async (command, options) => {
    calls.push({ command, options });
    if (answer instanceof Error) throw answer;
    return { ...ended, command, ...answer };
  };
  return { calls, run: recorded, words: () => calls.map((call) => call.command.slice(1).join(' ')) };
}

const ended: RunResult = {
  command: [],
  code: 0,
  signal: null,
  stdout: '',
  stderr: '',
  took: 1,
  timedOut: false,
  aborted: false,
  cut: false,
  notFound: false,
};

const NOTIFY_SOCKET = '/run/systemd/notify';

test('outside systemd nothing is started and no sign of life is asked for', async () => {
  for (const env of [{}, { NOTIFY_SOCKET: '' }, { WATCHDOG_USEC: '120000000' }]) {
    const seen = recorder();
    const notify = makeNotify({ run: seen.run, env });
    await Promise.all([notify.ready('up'), notify.status('busy'), notify.watchdog(), notify.stopping()]);
    assert.deepEqual(seen.words(), []);
    assert.equal(notify.watchdogEvery, null);
  }
});

test('each message becomes one systemd-notify, in order, with the socket as its only knowledge of us', async () => {
  const seen = recorder();
  const notify = makeNotify({ run: seen.run, env: { NOTIFY_SOCKET } });
  await Promise.all([notify.ready('looking'), notify.watchdog(), notify.status('3 jobs wait'), notify.stopping()]);
  assert.deepEqual(seen.words(), ['--ready --status=3 jobs wait', 'WATCHDOG=1', 'STOPPING=1']);
  for (const { command, options } of seen.calls) {
    assert.equal(command[0], 'systemd-notify');
    assert.deepEqual(Object.keys(options.env ?? {}).sort(), ['LC_ALL', 'NOTIFY_SOCKET', 'PATH']);
    assert.equal(options.env?.NOTIFY_SOCKET, NOTIFY_SOCKET);
    assert.ok(options.timeout <= 10_000, 'bounded');
  }
});

test('of status texts only a new one is sent, and of several waiting ones only the newest', async () => {
  const seen = recorder();
  const notify = makeNotify({ run: seen.run, env: { NOTIFY_SOCKET } });
  await notify.status('one');
  await notify.status('one');
  await Promise.all([notify.status('two'), notify.status('three'), notify.status('four')]);
  await notify.status('five\nlines\u001b[31m');
  assert.deepEqual(seen.words(), ['--status=one', '--status=four', '--status=five lines [31m']);
});

test('a systemd-notify that fails is told once and stops nothing', async () => {
  for (const answer of [{ code: 1, stderr: 'no access' }, { code: null, notFound: true }, new Error('spawn failed')]) {
    const told: string[] = [];
    const notify = makeNotify({
      run: recorder(answer).run,
      env: { NOTIFY_SOCKET },
      trouble: (text) => told.push(text),
    });
    await notify.ready('up');
    await notify.watchdog();
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^systemd hears nothing from us: ./);
  }
});

test('the sign of life is due at half of what systemd allows', () => {
  const table: [string | undefined, number | null][] = [
    ['120000000', 60_000],
    ['1000', 1],
    [undefined, null],
    ['', null],
    ['0', null],
    ['-5', null],
    ['soon', null],
  ];
  for (const [WATCHDOG_USEC, expected] of table) {
    const notify = makeNotify({ run: recorder().run, env: { NOTIFY_SOCKET, WATCHDOG_USEC } });
    assert.equal(notify.watchdogEvery, expected, `WATCHDOG_USEC=${WATCHDOG_USEC}`);
  }
});

/** Writes every datagram as a line and says when it listens; ends when killed. perl is on every Debian and Ubuntu. */
const LISTENER = `
  use IO::Socket::UNIX; use Socket; $| = 1;
  my ($path, $file) = @ARGV;
  my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "$path: $!";
  open my $out, '>', $file or die; $out->autoflush; print $out "listening\\n";
  while (1) { $socket->recv(my $text, 4096); next if $text eq '' || $text =~ /^BARRIER/; $text =~ s/\\n/|/g; print $out "$text\\n"; }
`;

test('a real systemd-notify delivers to a real socket', async (t) => {
  const probe = await run(['systemd-notify', '--version'], { timeout: 5000 });
  if (probe.code !== 0) return t.skip('needs systemd-notify (package systemd)');
  if ((await run(['perl', '-MIO::Socket::UNIX', '-e', '1'], { timeout: 5000 })).code !== 0) return t.skip('needs perl');
  const folder = await mkdtemp(join(tmpdir(), 'hc-notify-'));
  t.after(() => rm(folder, { recursive: true }));
  const [socket, file] = [join(folder, 'socket'), join(folder, 'seen')];
  const seen = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1);

  const enough = new AbortController();
  const listener = run(['perl', '-e', LISTENER, socket, file], { timeout: 20_000, signal: enough.signal });
  let ended = false;
  void listener.finally(() => {
    ended = true;
  });
  const listening = async () => ended || (await seen()).includes('listening');
  while (!(await listening())) await new Promise((resolve) => setImmediate(resolve));
  const told: string[] = [];
  const notify = makeNotify({ run, env: { NOTIFY_SOCKET: socket }, trouble: (text) => told.push(text) });
  await notify.ready('looking at queue cloud');
  await notify.status('3 jobs wait; creating c4');
  await notify.watchdog();
  await notify.stopping();
  enough.abort();
  assert.equal((await listener).aborted, true, (await listener).stderr);
  assert.deepEqual(told, []);
  assert.deepEqual((await seen()).slice(1), [
    'READY=1|STATUS=looking at queue cloud',
    'STATUS=3 jobs wait; creating c4',
    'WATCHDOG=1',
    'STOPPING=1',
  ]);
});
