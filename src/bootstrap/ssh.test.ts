import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { PrepareError } from '../domain/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import { type Run, type RunResult, run } from '../lib/run.ts';
import type { Knock } from '../lib/ssh.ts';
import { makeSshBootstrap } from './ssh.ts';
import { sshOptions } from './ssh-options.ts';

const c1 = { name: 'c1', ip: '10.77.0.101' };
const open: Knock = { kind: 'open', text: '' };
const closed: Knock = { kind: 'refused', text: 'Connection refused' };

type Login = (script: string, mark: string) => Partial<RunResult>;

const proven: Login = (_script, mark) => ({ code: 0, stdout: `Welcome!\n\n${mark} OK nfs4 of fs:/export on /mnt\n` });

interface World extends AsyncDisposable {
  readonly clock: Clock;
  readonly stateDir: string;
  readonly logins: { command: readonly string[]; script: string }[];
  knocks: number;
  prepare(signal?: AbortSignal): Promise<PrepareError | null>;
}

/** Only one thing sleeps here, so time leaps to its end; whoever waits ten times too long has lost. */
function leapClock(): Clock {
  let at = 0;
  return {
    now: () => 1_800_000_000_000 + at,
    monotonic: () => at,
    async sleep(ms) {
      at += ms;
      if (at > 3_600_000) throw new Error('it waits for ever');
      await setImmediate();
    },
  };
}

/** A node that is not there: ssh and the network answer as told, everything else of ssh.ts is real. */
async function world(login: Login, knocked: (nth: number) => Knock = () => open, more = {}): Promise<World> {
  const clock = leapClock();
  const stateDir = await mkdtemp(join(tmpdir(), 'bootstrap-ssh-'));
  const logins: World['logins'] = [];
  const fake: Run = async (command, options) => {
    if (command[0] !== 'ssh') return run(command, options);
    const script = options.stdin ?? '';
    logins.push({ command, script });
    const known = command.find((word) => word.startsWith('UserKnownHostsFile='))?.split('"')[1] ?? '';
    await writeFile(known.replaceAll('%%', '%'), 'c1 ssh-ed25519 AAAA\n');
    const base = { command, code: 255, signal: null, stdout: '', stderr: '', took: 5 };
    const flags = { timedOut: false, aborted: false, cut: false, notFound: false };
    const mark = /^hc_mark='(.*)'$/m.exec(script)?.[1] ?? '';
    return { ...base, ...flags, ...login(script, mark) };
  };
  const values = {
    NFS_MOUNT_POINT: 'fs:/export',
    NFS_LOCAL_DIR: '/mnt',
    NFS_TYPE: 'nfs',
    SSH_USER: 'root',
    SSH_PORT: 22,
    ...more,
  };
  const self: World = {
    clock,
    stateDir,
    logins,
    knocks: 0,
    async prepare(signal = new AbortController().signal) {
      const bootstrap = makeSshBootstrap(values, {
        run: fake,
        clock,
        log: quietLog,
        stateDir,
        knock: async () => knocked(self.knocks++),
      });
      try {
        await bootstrap.prepare(c1, signal);
        return null;
      } catch (error) {
        assert.ok(error instanceof PrepareError, `a PrepareError, not ${error}`);
        return error;
      }
    },
    [Symbol.asyncDispose]: () => rm(stateDir, { recursive: true, force: true }),
  };
  return self;
}

describe('waiting', () => {
  test('a machine that answers at once is prepared without a pause', async () => {
    await using w = await world(proven);
    assert.equal(await w.prepare(), null);
    assert.deepEqual([w.knocks, w.logins.length, w.clock.monotonic()], [1, 1, 0]);
  });

  test('while sshd is not there, ssh is not even started', async () => {
    await using w = await world(proven, (nth) => (nth < 10 ? closed : open));
    assert.equal(await w.prepare(), null);
    assert.deepEqual([w.knocks, w.logins.length], [11, 1]);
  });

  test('the first pauses are short, the longest is 3 s', async () => {
    const times: number[] = [];
    await using w = await world(proven, (nth) => {
      times.push(w.clock.monotonic());
      return nth < 20 ? closed : open;
    });
    assert.equal(await w.prepare(), null);
    const pauses = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    assert.deepEqual(pauses.slice(0, 4), [300, 450, 675, 1012.5]);
    assert.deepEqual(pauses.slice(10), Array(10).fill(3_000));
  });

  test('an abort says for how long and what the last trouble was', async () => {
    const stop = new AbortController();
    await using w = await world(proven, () => {
      if (w.clock.monotonic() < 180_000) return closed;
      stop.abort();
      return { kind: 'unasked', text: 'stopped' };
    });
    const error = await w.prepare(stop.signal);
    assert.equal(error?.kind, 'timeout');
    assert.equal(
      error?.message,
      'c1 (10.77.0.101) was not prepared within 3 min: sshd does not answer on port 22: Connection refused',
    );
  });

  test('a mount that hangs until the abort is what the error tells', async () => {
    const stop = new AbortController();
    await using w = await world((_script, mark) => {
      stop.abort();
      return {
        code: null,
        signal: 'SIGTERM',
        aborted: true,
        stdout: `\n${mark} TRY fs:/export cannot be mounted yet: no\n`,
      };
    });
    const error = await w.prepare(stop.signal);
    assert.equal(error?.kind, 'timeout');
    assert.match(error?.message ?? '', /fs:\/export cannot be mounted yet: no$/);
  });
});

describe('faults', () => {
  const denied: Login = () => ({ stderr: 'root@10.77.0.101: Permission denied (publickey).\n' });

  test('a key that is refused for a while and then taken is no fault', async () => {
    let tries = 0;
    await using w = await world((script, mark) => (++tries < 6 ? denied(script, mark) : proven(script, mark)));
    assert.equal(await w.prepare(), null);
    assert.equal(tries, 6);
  });

  for (const [what, login, kind, text, hint, patient] of [
    [
      'a key that is refused for good',
      denied,
      'refused',
      /refuses our key: .*Permission denied/,
      /id_ed25519\.pub/,
      true,
    ],
    [
      'a machine with another name',
      (_s, mark) => ({ code: 1, stdout: `\n${mark} FAIL identity the machine calls itself web1, not c1\n` }),
      'identity',
      /^c1 \(10\.77\.0\.101\): the machine calls itself web1, not c1$/,
      /10\.77\.0\.101/,
      true,
    ],
    [
      'a login that runs no script',
      () => ({ code: 1, stderr: 'sudo: a password is required\n' }),
      'command',
      /a password is required/,
      /^$/,
      true,
    ],
    [
      'a changed host key',
      () => ({ stderr: '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n' }),
      'identity',
      /host key is another than before/,
      /10\.77\.0\.101/,
      false,
    ],
    [
      'a file system that cannot be mounted',
      (_s, mark) => ({ code: 1, stdout: `\n${mark} FAIL mount access denied\n` }),
      'mount',
      /access denied/,
      /export it to 10\.77\.0\.101/,
      false,
    ],
    [
      'an ssh that is too old',
      () => ({ stderr: 'command-line line 0: unsupported option "accept-new".\n' }),
      'command',
      /unsupported option/,
      /^$/,
      false,
    ],
    ['an ssh that is not installed', () => ({ code: null, notFound: true }), 'command', /not installed/, /^$/, false],
  ] as const satisfies readonly (readonly [string, Login, string, RegExp, RegExp, boolean])[]) {
    test(`${what} ends it ${patient ? 'after 30 s' : 'at once'}`, async () => {
      await using w = await world(login);
      const error = await w.prepare();
      assert.equal(error?.kind, kind);
      assert.match(error?.message ?? '', text);
      assert.match(error?.hint ?? '', hint);
      const took = w.clock.monotonic();
      if (patient) assert.ok(took >= 30_000 && took < 36_000, `after ${took} ms`);
      else assert.equal(w.logins.length, 1);
    });
  }

  test('a refused key is not offered so often that sshd shuts us out', async () => {
    const times: number[] = [];
    await using w = await world((script, mark) => {
      times.push(w.clock.monotonic());
      return denied(script, mark);
    });
    await w.prepare();
    // As sshd counts: 1 s for the knock, 5 s for each refusal, minus the time that passed; shut out from 15 s on.
    let penalty = 1_000;
    for (const [i, at] of times.entries()) {
      penalty = Math.max(0, penalty - (at - (times[i - 1] ?? 0))) + 5_000;
      assert.ok(penalty < 15_000, `${penalty} at ${at}`);
    }
    assert.deepEqual([times.length, w.knocks], [9, 1]);
  });

  test('a connection lost in between does not start the patience anew', async () => {
    let tries = 0;
    await using w = await world((script, mark) =>
      ++tries % 3 === 0 ? { stderr: 'Connection closed by 10.77.0.101 port 22\n' } : denied(script, mark),
    );
    const error = await w.prepare();
    assert.equal(error?.kind, 'refused');
    assert.ok(w.clock.monotonic() < 40_000);
  });

  test('a port that closes, as in a reboot, starts the patience anew', async () => {
    let tries = 0;
    await using w = await world(
      (script, mark) => {
        tries += 1;
        if (w.clock.monotonic() > 60_000) return proven(script, mark);
        return tries % 5 === 0 ? { stderr: 'Connection closed by 10.77.0.101 port 22\n' } : denied(script, mark);
      },
      (nth) => (nth % 2 === 1 ? closed : open),
    );
    assert.equal(await w.prepare(), null);
    assert.ok(w.clock.monotonic() > 60_000);
  });

  test('a state folder that cannot be written is a fault of the command kind', async () => {
    await using w = await world(proven);
    await rm(w.stateDir, { recursive: true });
    await writeFile(w.stateDir, '');
    const error = await w.prepare();
    assert.equal(error?.kind, 'command');
    assert.match(error?.hint ?? '', /STATE_DIR/);
  });
});

describe('the login', () => {
  test('nothing of the site stands on the command line, and no configuration of the machine is read', async () => {
    await using w = await world(proven, undefined, { NFS_MOUNT_POINT: 'fs:/secret place', NFS_OPTIONS: 'password=x' });
    await w.prepare();
    const command = w.logins[0]?.command.join(' ') ?? '';
    assert.ok(!/secret|password/.test(command), command);
    assert.match(
      command,
      /^ssh -F \/dev\/null .*BatchMode=yes .*IdentitiesOnly=yes .*-l root -- 10\.77\.0\.101 sh -s$/,
    );
    assert.match(w.logins[0]?.script ?? '', /^hc_source='fs:\/secret place'$/m);
  });

  test('another user than root becomes root there', async () => {
    await using w = await world(proven, undefined, { SSH_USER: 'ubuntu' });
    await w.prepare();
    assert.equal(w.logins[0]?.command.at(-1), 'sudo -n sh -s');
  });

  test('every preparation has a mark of its own, and another mark is not believed', async () => {
    await using w = await world((script) => ({ code: 0, stdout: `\nhc-000000000000 OK\n${script}` }));
    const error = await w.prepare();
    assert.equal(error?.kind, 'command');
  });

  test('the host key is kept only from the login that proved the host', async () => {
    let tries = 0;
    await using w = await world((script, mark) =>
      ++tries === 1 ? { stderr: 'Connection reset by peer\n' } : proven(script, mark),
    );
    await w.prepare();
    assert.deepEqual(await readdir(join(w.stateDir, 'ssh', 'known_hosts.d')), ['c1']);
    await w.prepare();
    const files = w.logins.map(({ command }) => command.find((word) => word.startsWith('UserKnownHostsFile=')) ?? '');
    assert.match(files[0] ?? '', /c1%%[0-9a-f]+"$/);
    assert.notEqual(files[0], files[1]);
    assert.match(files[2] ?? '', /\/c1"$/);
  });
});

describe('the key', () => {
  test('is made once, for us alone, and never again', async () => {
    await using w = await world(proven);
    await Promise.all([w.prepare(), w.prepare(), w.prepare()]);
    const folder = join(w.stateDir, 'ssh');
    assert.deepEqual((await readdir(folder)).toSorted(), ['id_ed25519', 'id_ed25519.pub', 'known_hosts.d']);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder, 'id_ed25519'))).mode & 0o777, 0o600);
    const before = await readFile(join(folder, 'id_ed25519'), 'utf8');
    await w.prepare();
    assert.equal(await readFile(join(folder, 'id_ed25519'), 'utf8'), before);
  });

  test('gets its public half back when that is lost', async () => {
    await using w = await world(proven);
    await w.prepare();
    const file = join(w.stateDir, 'ssh', 'id_ed25519.pub');
    const before = await readFile(file, 'utf8');
    await rm(file);
    await w.prepare();
    assert.equal(await readFile(file, 'utf8'), before);
  });
});

describe('options', () => {
  const parse = (key: string, text: string) => sshOptions.find((option) => option.key === key)?.schema.safeParse(text);

  for (const [key, text, value] of [
    ['NFS_MOUNT_POINT', '172.30.2.194:/export', '172.30.2.194:/export'],
    ['NFS_MOUNT_POINT', "fs:/a b;'c", "fs:/a b;'c"],
    ['NFS_LOCAL_DIR', '/mnt//data/', '/mnt/data'],
    ['NFS_TYPE', 'nfs4', 'nfs4'],
    ['NFS_OPTIONS', 'ro,vers=4.2', 'ro,vers=4.2'],
    ['SSH_USER', 'ubuntu', 'ubuntu'],
    ['SSH_PORT', '20022', 20_022],
  ] as const) {
    test(`${key}=${text} is taken`, () => assert.equal(parse(key, text)?.data, value));
  }

  for (const [key, text, expected] of [
    ['NFS_MOUNT_POINT', '', /server:\/directory/],
    ['NFS_MOUNT_POINT', '-o:/x', /server:\/directory/],
    ['NFS_MOUNT_POINT', 'fs:/a\nb', /server:\/directory/],
    ['NFS_LOCAL_DIR', 'mnt', /full path/],
    ['NFS_LOCAL_DIR', '/', /full path/],
    ['NFS_TYPE', 'nfs -o x', /file system type/],
    ['SSH_USER', '-oProxyCommand=x', /user name/],
    ['SSH_PORT', '70000', /1 to 65535/],
    ['SSH_PORT', 'ssh', /port number/],
  ] as const) {
    test(`${key}=${JSON.stringify(text)} is refused with what is expected`, () => {
      assert.match(parse(key, text)?.error?.issues[0]?.message ?? '', expected);
    });
  }

  test('check wants server:/directory for NFS, and names the public key otherwise', async () => {
    await using w = await world(proven);
    for (const [source, type, fine] of [
      ['fs:/export', 'nfs', true],
      ['[fd00::1]:/export', 'nfs4', true],
      ['/srv/shared', 'bind', true],
      ['/srv/shared', 'nfs', false],
      ['fs/export', 'nfs4', false],
    ] as const) {
      const values = { NFS_MOUNT_POINT: source, NFS_LOCAL_DIR: '/mnt', NFS_TYPE: type, SSH_USER: 'root', SSH_PORT: 22 };
      const check = makeSshBootstrap(values, { run, clock: w.clock, log: quietLog, stateDir: w.stateDir }).check();
      if (fine) assert.match(await check, /authorized_keys: ssh-ed25519 AAAA\S+ hybrid-cloud$/);
      else await assert.rejects(check, { name: 'PrepareError', kind: 'command' });
    }
  });
});
