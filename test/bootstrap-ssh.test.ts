/**
 * BOOTSTRAP=ssh against a real sshd. A node is an sshd on loopback with its own mounts, processes and host name, so
 * nothing it mounts is seen outside, and all of it goes when its first process does.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bootstrapContract } from '../src/bootstrap/bootstrap.contract.ts';
import type { Bootstrap } from '../src/bootstrap/bootstrap.ts';
import { ownKey, sshFolder } from '../src/bootstrap/key.ts';
import { makeSshBootstrap } from '../src/bootstrap/ssh.ts';
import { PrepareError } from '../src/domain/errors.ts';
import { type Clock, systemClock } from '../src/lib/clock.ts';
import { quietLog } from '../src/lib/log.ts';
import { run } from '../src/lib/run.ts';
import { knock, runScript } from '../src/lib/ssh.ts';

const missing = whatIsMissing();
const skip = missing !== null && process.env.CI !== 'true' ? missing : false;

function whatIsMissing(): string | null {
  if (process.getuid?.() !== 0) return 'an sshd with its own mounts and host name needs root';
  return existsSync('/usr/sbin/sshd') ? null : 'openssh-server is not installed';
}

/** Pauses cost 20 ms at most, and count in full: what takes 30 s of patience takes none of the test's. */
function hastyClock(): Clock {
  let ahead = 0;
  return {
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
    async sleep(ms, signal) {
      await systemClock.sleep(Math.min(ms, 20), signal);
      ahead += ms;
    },
  };
}

interface NodeOptions {
  readonly name?: string;
  readonly addresses?: readonly string[];
  /** Lines for sshd_config. */
  readonly config?: readonly string[];
  /** Programs that stand in front of the node's own: name → text of a shell script. */
  readonly programs?: Readonly<Record<string, string>>;
}

interface Site extends AsyncDisposable {
  /** Everything of this test; also seen by the nodes. */
  readonly dir: string;
  readonly port: number;
  readonly stateDir: string;
  /** Starts a node; it runs until `stop` or the end of the test. */
  start(options?: NodeOptions): Promise<{ stop(): Promise<void> }>;
  bootstrap(values?: Readonly<Record<string, string>>): Bootstrap;
  /** Runs a script on the node and gives its output. */
  on(script: string, address?: string): Promise<string>;
  /** Makes a directory with a file `here` in it. */
  shared(name?: string): Promise<string>;
}

const local = '127.0.0.1';
const c1 = { name: 'c1', ip: local };

async function makeSite(): Promise<Site> {
  const dir = await mkdtemp(join(tmpdir(), 'hybrid-cloud-sshd-'));
  const stateDir = join(dir, 'state');
  const port = await freePort();
  const stops: (() => Promise<void>)[] = [];
  const key = await ownKey(run, stateDir);
  await copyFile(key.publicFile, join(dir, 'authorized_keys'));

  return {
    dir,
    port,
    stateDir,

    async start({ name = 'c1', addresses = [local], config = [], programs = {} } = {}) {
      const home = await mkdtemp(join(dir, 'node-'));
      await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(home, 'host_key')], { timeout: 20_000 });
      for (const [program, text] of Object.entries(programs)) {
        await mkdir(join(home, 'bin'), { recursive: true });
        await writeFile(join(home, 'bin', program), `#!/bin/sh\n${text}\n`);
        await chmod(join(home, 'bin', program), 0o755);
      }
      const lines = [
        ...config,
        ...addresses.map((address) => `ListenAddress ${address}:${port}`),
        `HostKey ${join(home, 'host_key')}`,
        `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
        `SetEnv PATH=${join(home, 'bin')}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
        'PermitRootLogin prohibit-password',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'StrictModes no',
        'UsePAM no',
        'PidFile none',
      ];
      await writeFile(join(home, 'sshd_config'), `${lines.join('\n')}\n`);
      // unshare does not end on SIGTERM, so a shell in front of it hears it and kills; --kill-child does the rest.
      const inside =
        'mount -t tmpfs tmpfs /run && mkdir /run/sshd && hostname "$1" && exec /usr/sbin/sshd -D -e -f "$2"';
      const outside = `unshare --mount --uts --pid --fork --kill-child --mount-proc sh -c '${inside}' sh "$1" "$2" &
        trap "kill -9 $!" TERM; wait`;
      const end = new AbortController();
      const command = ['sh', '-c', outside, 'sh', name, join(home, 'sshd_config')];
      const ended = run(command, { timeout: 300_000, signal: end.signal });
      const stop = async () => {
        end.abort();
        await ended;
      };
      stops.push(stop);
      await until(async () => (await knock(addresses[0] ?? local, port, 500)).kind === 'open');
      return { stop };
    },

    bootstrap(values = {}) {
      const base = { NFS_MOUNT_POINT: join(dir, 'shared'), NFS_LOCAL_DIR: join(dir, 'mnt'), NFS_TYPE: 'bind' };
      const login = { SSH_USER: 'root', SSH_PORT: port };
      return makeSshBootstrap({ ...base, ...login, ...values }, { run, clock: hastyClock(), log: quietLog, stateDir });
    },

    async on(script, address = local) {
      const knownHostsFile = join(dir, 'known_hosts_of_the_test');
      await rm(knownHostsFile, { force: true });
      const target = { address, port, user: 'root', keyFile: key.file, knownHostsFile, alias: 'test' };
      const answer = await runScript(run, target, script, 30_000);
      assert.equal(answer.kind, 'ran', answer.text);
      return answer.result.stdout;
    },

    async shared(name = 'shared') {
      const path = join(dir, name);
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'here'), 'yes');
      return path;
    },

    async [Symbol.asyncDispose]() {
      for (const stop of stops) await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, local, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** Looks every 25 ms, for 20 s at most. */
async function until(seen: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await seen()); looks++) {
    assert.ok(looks < 800, 'it did not happen within 20 s');
    await systemClock.sleep(25);
  }
}

const soon = () => AbortSignal.timeout(30_000);

async function failure(promise: Promise<void>): Promise<PrepareError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown) => thrown,
  );
  assert.ok(error instanceof PrepareError, `a PrepareError, not ${error}`);
  return error;
}

bootstrapContract(
  'ssh',
  async () => {
    const site = await makeSite();
    const { dir } = site;
    await site.shared();
    await site.start();
    await site.start({ name: 'c3', addresses: ['127.0.0.3'], config: ['ForceCommand sleep 600'] });
    return {
      bootstrap: site.bootstrap(),
      good: c1,
      wrong: { name: 'c2', ip: local },
      stuck: { name: 'c3', ip: '127.0.0.3' },
      silent: { name: 'c9', ip: '127.0.0.9' },
      mounted: async () => (await site.on(`cat '${dir}/mnt/here' 2>/dev/null`)) === 'yes',
      [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
    };
  },
  skip || {
    'a dead address does not answer':
      'not applicable: every address of loopback answers; lib/ssh.test.ts has a network for it',
  },
);

describe('a real login', { skip }, () => {
  test('mounts, proves and leaves nothing mounted outside of the node', async () => {
    await using site = await makeSite();
    await site.shared();
    await site.start();
    await site.bootstrap().prepare(c1, soon());
    assert.equal(await site.on(`cat '${site.dir}/mnt/here'`), 'yes');
    assert.deepEqual(await readdir(join(site.dir, 'mnt')), [], 'the mount is the node’s alone');
    assert.deepEqual(await readdir(join(sshFolder(site.stateDir), 'known_hosts.d')), ['c1']);
  });

  test('a mount that is there already is only proven, and stays one mount', async () => {
    await using site = await makeSite();
    const { dir } = site;
    await site.shared();
    await site.start();
    await site.on(`mkdir -p '${dir}/mnt' && mount --bind '${dir}/shared' '${dir}/mnt'`);
    await site.bootstrap().prepare(c1, soon());
    await site.bootstrap().prepare(c1, soon());
    assert.equal(await site.on(`grep -c '${dir}/mnt' /proc/self/mountinfo`), '1\n');
  });

  test('the place may be reached through a symbolic link, and a slash at the end does no harm', async () => {
    await using site = await makeSite();
    const { dir } = site;
    await site.shared();
    await site.start();
    await site.on(`mkdir '${dir}/real' && ln -s real '${dir}/mnt'`);
    await site.bootstrap({ NFS_MOUNT_POINT: `${dir}//shared/` }).prepare(c1, soon());
    assert.equal(await site.on(`cat '${dir}/real/here'`), 'yes');
  });

  test('a file system by source, type and options is mounted as said', async () => {
    await using site = await makeSite();
    const { dir } = site;
    await site.start();
    const values = { NFS_MOUNT_POINT: 'fs.example:/export', NFS_TYPE: 'tmpfs', NFS_OPTIONS: 'size=64k,noexec' };
    const bootstrap = site.bootstrap(values);
    await bootstrap.prepare(c1, soon());
    await bootstrap.prepare(c1, soon());
    const mounts = await site.on(`grep '${dir}/mnt' /proc/self/mountinfo`);
    assert.match(mounts, /^\S+ \S+ \S+ \/ \S+ [^\n]*noexec[^\n]* - tmpfs fs\.example:\/export [^\n]*size=64k[^\n]*\n$/);
  });

  test('the full host name will do, also when the short one is registered, and the other way round', async () => {
    for (const [own, registered] of [
      ['c1.site.example', 'c1'],
      ['c1', 'c1.site.example'],
      ['c1.site.example', 'c1.site.example'],
    ] as const) {
      await using site = await makeSite();
      await site.shared();
      await site.start({ name: own });
      await site.bootstrap().prepare({ name: registered, ip: local }, soon());
      assert.equal(await site.on(`cat '${site.dir}/mnt/here'`), 'yes', `${own} for ${registered}`);
    }
  });

  test('banners, chatty login files and open lines do no harm', async () => {
    await using site = await makeSite();
    await site.shared();
    await writeFile(join(site.dir, 'banner'), 'AUTHORIZED USE ONLY\nHC OK\n'.repeat(50));
    const noise = join(site.dir, 'noise');
    await writeFile(
      noise,
      `#!/bin/sh\necho OK; echo error >&2; printf 'FAIL mount no line end'\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n`,
    );
    await chmod(noise, 0o755);
    await site.start({ config: [`Banner ${join(site.dir, 'banner')}`, `ForceCommand ${noise}`] });
    await site.bootstrap().prepare(c1, soon());
    assert.match(await site.on(`cat '${site.dir}/mnt/here'`), /yes$/);
  });

  test('NFS before version 4 starts rpcbind where it is there and does not run, then mounts as the specification does', async () => {
    for (const [type, options, running, expected] of [
      ['nfs', '', false, 'rpcbind\nmount -t nfs -- 127.0.0.1:/export DIR\n'],
      ['nfs', '', true, 'mount -t nfs -- 127.0.0.1:/export DIR\n'],
      ['nfs', 'ro,vers=4.2', false, 'mount -t nfs -o ro,vers=4.2 -- 127.0.0.1:/export DIR\n'],
      ['nfs4', '', false, 'mount -t nfs4 -- 127.0.0.1:/export DIR\n'],
    ] as const) {
      await using site = await makeSite();
      const { dir } = site;
      const note = `echo "\${0##*/}\${1:+ }$*" >>'${dir}/calls'`;
      await site.start({
        programs: {
          rpcbind: note,
          rpcinfo: `exit ${running ? 0 : 1}`,
          // This kernel may have no NFS: the same mount as a tmpfs, under the same name.
          mount: `${note}\nwhile [ "$1" != -- ]; do shift; done\nexec /bin/mount -t tmpfs "$@"`,
        },
      });
      await site
        .bootstrap({ NFS_MOUNT_POINT: '127.0.0.1:/export', NFS_TYPE: type, NFS_OPTIONS: options })
        .prepare(c1, soon());
      assert.equal((await readFile(join(dir, 'calls'), 'utf8')).replaceAll(join(dir, 'mnt'), 'DIR'), expected);
    }
  });

  test('a mount that works at the third try is a mount, with pauses in between', async () => {
    await using site = await makeSite();
    const { dir } = site;
    await site.shared();
    await site.start({
      programs: {
        sleep: `echo "$1" >>'${dir}/sleeps'`,
        mount: `echo x >>'${dir}/tries'; [ "$(wc -l <'${dir}/tries')" -ge 3 ] && exec /bin/mount "$@"; echo busy >&2; exit 32`,
      },
    });
    await site.bootstrap().prepare(c1, soon());
    assert.equal(await readFile(join(dir, 'sleeps'), 'utf8'), '1\n2\n');
  });
});

describe('a login that must fail', { skip }, () => {
  test('at a machine with another name', async () => {
    await using site = await makeSite();
    await site.shared();
    await site.start({ name: 'web1' });
    const error = await failure(site.bootstrap().prepare(c1, soon()));
    assert.equal(error.kind, 'identity');
    assert.equal(error.message, 'c1 (127.0.0.1): the machine calls itself web1, not c1');
    assert.equal(existsSync(join(site.dir, 'mnt')), false, 'nothing was touched there');
  });

  test('at a machine with a name that only begins like ours', async () => {
    await using site = await makeSite();
    await site.start({ name: 'c10' });
    assert.equal((await failure(site.bootstrap().prepare(c1, soon()))).kind, 'identity');
  });

  test('at a machine that does not have the address', async () => {
    await using site = await makeSite();
    await site.shared();
    // All of 127.0.0.0/8 leads to this machine, but only 127.0.0.1 is an address of it.
    await site.start({ addresses: ['127.0.0.9'] });
    const error = await failure(site.bootstrap().prepare({ name: 'c1', ip: '127.0.0.9' }, soon()));
    assert.equal(error.kind, 'identity');
    assert.match(error.message, /the machine does not have the address 127\.0\.0\.9$/);
  });

  test('for a source that does not exist', async () => {
    await using site = await makeSite();
    await site.start({ programs: { sleep: 'exit 0' } });
    const error = await failure(site.bootstrap().prepare(c1, soon()));
    assert.equal(error.kind, 'mount');
    assert.match(error.message, /shared cannot be mounted on \S+mnt \(tried 5 times\): mount: .*shared/);
  });

  test('for a place where something else is mounted, whatever lies below', async () => {
    await using site = await makeSite();
    const { dir } = site;
    await site.shared();
    await site.start();
    await site.on(
      `mkdir '${dir}/mnt' && mount --bind '${dir}/shared' '${dir}/mnt' && mount -t tmpfs scratch '${dir}/mnt'`,
    );
    const error = await failure(site.bootstrap().prepare(c1, soon()));
    assert.equal(error.kind, 'mount');
    assert.match(error.message, /mnt holds something else: tmpfs of scratch, not \S+shared$/);
  });

  test('for a mount command that says yes and does nothing', async () => {
    await using site = await makeSite();
    await site.shared();
    await site.start({ programs: { sleep: 'exit 0', mount: 'exit 0' } });
    const error = await failure(site.bootstrap().prepare(c1, soon()));
    assert.equal(error.kind, 'mount');
    assert.match(error.message, /the kernel does not list it/);
  });

  test('for a mounted directory that cannot be read', async () => {
    await using site = await makeSite();
    await site.shared();
    await site.start({ programs: { ls: 'echo "ls: stale file handle" >&2; exit 2' } });
    const error = await failure(site.bootstrap().prepare(c1, soon()));
    assert.equal(error.kind, 'mount');
    assert.match(error.message, /is mounted but cannot be read: ls: stale file handle$/);
  });

  test('with a key that is not accepted, and the hint names the public half', async () => {
    await using site = await makeSite();
    await writeFile(join(site.dir, 'authorized_keys'), '');
    await site.start();
    const error = await failure(site.bootstrap().prepare(c1, soon()));
    assert.equal(error.kind, 'refused');
    assert.match(error.message, /Permission denied \(publickey\)/);
    assert.ok(error.hint.includes(join(site.stateDir, 'ssh', 'id_ed25519.pub')), error.hint);
  });

  test('with a key that is accepted a little later, it succeeds', async () => {
    await using site = await makeSite();
    await site.shared();
    const keys = join(site.dir, 'authorized_keys');
    const key = await readFile(keys, 'utf8');
    await writeFile(keys, '');
    await site.start();
    const prepared = site.bootstrap().prepare(c1, soon());
    await writeFile(keys, key);
    await prepared;
    assert.equal(await site.on(`cat '${site.dir}/mnt/here'`), 'yes');
  });

  test('where nothing listens, when time is up, and the trouble is told', async () => {
    await using site = await makeSite();
    const error = await failure(site.bootstrap().prepare(c1, AbortSignal.timeout(300)));
    assert.equal(error.kind, 'timeout');
    assert.match(error.message, /was not prepared within .*: sshd does not answer on port \d+: Connection refused$/);
  });

  test('with another host key than before, until the host is forgotten', async () => {
    await using site = await makeSite();
    await site.shared();
    const first = await site.start();
    const bootstrap = site.bootstrap();
    await bootstrap.prepare(c1, soon());
    await first.stop();
    await site.start();
    const error = await failure(bootstrap.prepare(c1, soon()));
    assert.equal(error.kind, 'identity');
    assert.match(error.message, /its host key is another than before$/);
    await bootstrap.forget(c1);
    await bootstrap.prepare(c1, soon());
    assert.equal(await site.on(`cat '${site.dir}/mnt/here'`), 'yes');
  });

  test('a login that hangs ends within a second of the abort', async () => {
    await using site = await makeSite();
    const inside = join(site.dir, 'inside');
    await site.start({ config: [`ForceCommand touch ${inside} && exec sleep 600`] });
    const stop = new AbortController();
    const ended = failure(site.bootstrap().prepare(c1, stop.signal));
    await until(() => existsSync(inside));
    const began = systemClock.monotonic();
    stop.abort();
    const error = await ended;
    assert.equal(error.kind, 'timeout');
    assert.match(error.message, /sshd answers, but the login does not end$/);
    assert.ok(systemClock.monotonic() - began < 1_000);
  });

  test('a mount that hangs is named when time is up', async () => {
    await using site = await makeSite();
    const { dir } = site;
    await site.shared();
    const hangs = `echo x >>'${dir}/tries'; [ "$(wc -l <'${dir}/tries')" -ge 2 ] && exec /bin/sleep 600; echo 'no route to the server' >&2; exit 32`;
    await site.start({ programs: { sleep: 'exit 0', mount: hangs } });
    const stop = new AbortController();
    const ended = failure(site.bootstrap().prepare(c1, stop.signal));
    await until(async () => (await readFile(join(dir, 'tries'), 'utf8').catch(() => '')) === 'x\nx\n');
    stop.abort();
    const error = await ended;
    assert.equal(error.kind, 'timeout');
    assert.match(error.message, /cannot be mounted yet: no route to the server$/);
  });
});

describe('values that would be commands', { skip }, () => {
  const nasty = (dir: string) => [
    'fs:/two words',
    `fs:/x;touch ${dir}/pwned`,
    `$(touch ${dir}/pwned)`,
    `\`touch ${dir}/pwned\``,
    `fs:/it's "quoted"`,
    `'; touch ${dir}/pwned; '`,
    'fs:/back\\slash\\040',
    'fs:/#hash',
    'fs:/*?[a]',
    `fs:/a && touch ${dir}/pwned || x > ${dir}/pwned`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
    'fs:/${HOME}~!',
  ];

  test('as the source they are a name and nothing else', async () => {
    await using site = await makeSite();
    const { dir } = site;
    await site.start();
    for (const [at, source] of nasty(dir).entries()) {
      const place = join(dir, `mnt-${at}`);
      const bootstrap = site.bootstrap({ NFS_MOUNT_POINT: source, NFS_LOCAL_DIR: place, NFS_TYPE: 'tmpfs' });
      await bootstrap.prepare(c1, soon());
      await bootstrap.prepare(c1, soon());
      assert.equal(await site.on(`grep -c '${place} ' /proc/self/mountinfo`), '1\n', source);
    }
    assert.equal(existsSync(join(dir, 'pwned')), false);
  });

  test('as the place they are a directory and nothing else', async () => {
    await using site = await makeSite();
    const { dir } = site;
    await site.shared();
    await site.start();
    for (const name of ['two words', `;touch pwned`, `$(touch pwned)`, `it's "here"`, 'back\\slash', '#x', '-n']) {
      await site.bootstrap({ NFS_LOCAL_DIR: join(dir, name) }).prepare(c1, soon());
      assert.ok(existsSync(join(dir, name)), name);
    }
    assert.equal(await site.on('ls ~/pwned 2>/dev/null'), '');
    assert.equal(await site.on(`grep -c ' ${dir}/' /proc/self/mountinfo`), '7\n');
  });

  test('as options they are refused by mount and do nothing', async () => {
    await using site = await makeSite();
    await site.start({ programs: { sleep: 'exit 0' } });
    const values = { NFS_MOUNT_POINT: 'fs:/x', NFS_TYPE: 'tmpfs', NFS_OPTIONS: `size=1k;touch ${site.dir}/pwned` };
    assert.equal((await failure(site.bootstrap(values).prepare(c1, soon()))).kind, 'mount');
    assert.equal(existsSync(join(site.dir, 'pwned')), false);
  });
});
