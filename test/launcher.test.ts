/**
 * The launcher in a made-up project, with a made-up PATH: only the programs it may use, and a node, npm, apt-get and id
 * that write down how they were called.
 */
import assert from 'node:assert/strict';
import { access, chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type RunResult, run } from '../src/lib/run.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const TOOLS = 'sh cat cksum cp find flock grep head mkdir mv readlink rm tail uname'.split(' ');

/** Prints what the service would be started with. */
const node = (version: string) => `#!/bin/sh
[ "$1" = --version ] && echo ${version} && exit
printf '%s\\n' "node ${version}" "HYBRID_CLOUD_NODE=$HYBRID_CLOUD_NODE" "$@"
`;

/** Makes what `npm ci` would make. Fails when the file `offline` is there, waits while the file `gate` is there. */
const npm = (root: string) => `#!/bin/sh
echo "npm $*" >>'${root}/calls'
while [ -e '${root}/gate' ]; do /bin/sleep 0.05; done
[ -e '${root}/offline' ] && echo 'npm error code ENOTFOUND' >&2 && echo 'npm error request to a far place failed' >&2 && exit 1
mkdir -p node_modules
if grep -q hybrid-cloud-runtime package.json; then
  for arch in x64 arm64; do
    mkdir -p node_modules/node-linux-$arch/bin && cp '${root}/own-node' node_modules/node-linux-$arch/bin/node
  done
else
  case "$*" in *--include=dev*) echo dev ;; *) echo prod ;; esac >node_modules/kind
fi
`;

interface Place {
  readonly root: string;
  readonly app: string;
  launch(args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunResult>;
  program(name: string, text: string): Promise<void>;
  /** The calls since the last time, in order: `npm ci --omit=dev ...`. */
  calls(): Promise<string[]>;
}

/** @param systemNode version of the node in PATH; null = none. */
async function place(t: TestContext, systemNode: string | null, withNpm = true): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'hc launcher '));
  t.after(() => rm(root, { recursive: true, force: true }));
  await chmod(root, 0o755);
  const app = join(root, 'the app');
  for (const part of ['hybrid-cloud', 'package.json', 'package-lock.json', 'packaging/runtime']) {
    await cp(join(project, part), join(app, part), { recursive: true });
  }
  const bin = join(root, 'bin');
  await mkdir(bin);
  for (const tool of TOOLS) await symlink(`/usr/bin/${tool}`, join(bin, tool));
  const program = (name: string, text: string) => writeFile(join(bin, name), text, { mode: 0o755 });
  await program('id', '#!/bin/sh\necho 1000\n');
  if (systemNode !== null) await program('node', node(systemNode));
  await writeFile(join(root, 'own-node'), node('v26.10.0'), { mode: 0o755 });
  if (withNpm) await program('npm', npm(root));
  const launch: Place['launch'] = (args = ['status'], env = {}) =>
    run([join(app, 'hybrid-cloud'), ...args], {
      timeout: 30_000,
      env: { PATH: bin, ...env },
      cwd: '/',
      signal: t.signal,
    });
  const calls = async () => {
    const text = await readFile(join(root, 'calls'), 'utf8').catch(() => '');
    await rm(join(root, 'calls'), { force: true });
    return text.split('\n').slice(0, -1);
  };
  return { root, app, launch, program, calls };
}

const started = (result: RunResult) => result.stdout.split('\n').slice(0, -1);

test('a Node from version 24 on is used as it is; only packages are fetched, and only once', async (t) => {
  const { root, app, launch, calls } = await place(t, 'v24.1.0');
  const first = await launch(['status', '--json', 'two words', '']);
  assert.equal(first.stderr, 'hybrid-cloud: installing packages (once)\n');
  assert.deepEqual(started(first), [
    'node v24.1.0',
    `HYBRID_CLOUD_NODE=${join(root, 'bin/node')}`,
    '--disable-warning=ExperimentalWarning',
    join(app, 'src/main.ts'),
    'status',
    '--json',
    'two words',
    '',
  ]);
  assert.match((await calls()).join('\n'), /^npm ci --omit=dev --ignore-scripts [^\n]*$/);
  const second = await launch();
  assert.deepEqual([second.code, second.stderr, await calls()], [0, '', []]);
});

for (const version of ['v20.20.2', 'v18.0.0', 'nonsense', '']) {
  test(`with ${version || 'an empty version'} as the Node in PATH, our own is fetched once and used`, async (t) => {
    const { app, launch, calls } = await place(t, version);
    const first = await launch();
    assert.equal(first.stderr.split('\n')[0], 'hybrid-cloud: fetching Node 26 (once; about 60 MB)');
    assert.deepEqual(started(first).slice(0, 2), [
      'node v26.10.0',
      `HYBRID_CLOUD_NODE=${join(app, '.runtime/node/bin/node')}`,
    ]);
    assert.equal((await calls()).length, 2);
    const second = await launch();
    assert.deepEqual([second.code, second.stderr, await calls()], [0, '', []]);
  });
}

test('HYBRID_CLOUD_OWN_NODE=1 passes over the Node in PATH', async (t) => {
  const { launch } = await place(t, 'v26.0.0');
  assert.equal(started(await launch(['version'], { HYBRID_CLOUD_OWN_NODE: '1' }))[0], 'node v26.10.0');
});

test('test gets the packages for development too; other commands are content with either', async (t) => {
  const { app, launch, calls } = await place(t, 'v26.0.0');
  const kind = () => readFile(join(app, 'node_modules/kind'), 'utf8');
  await launch(['status']);
  assert.equal(await kind(), 'prod\n');
  await launch(['test', 'planner']);
  assert.equal(await kind(), 'dev\n');
  await launch(['status']);
  await launch(['test']);
  assert.equal((await calls()).length, 2);
});

test('another lock file means another installation; when it fails, the old one stays and one line says why', async (t) => {
  const { root, app, launch, calls } = await place(t, 'v26.0.0');
  await launch(['test']);
  await writeFile(join(root, 'offline'), '');
  await writeFile(join(app, 'package-lock.json'), '{}\n');
  const failed = await launch();
  assert.equal(failed.code, 1);
  assert.match(
    failed.stderr,
    /^hybrid-cloud: npm could not fetch .*: npm error request to a far place failed \(no network.*\n$/m,
  );
  assert.equal(failed.stdout, '');
  assert.equal(await readFile(join(app, 'node_modules/kind'), 'utf8'), 'dev\n');
  await rm(join(root, 'offline'));
  assert.equal((await launch()).code, 0);
  assert.equal(await readFile(join(app, 'node_modules/kind'), 'utf8'), 'prod\n');
  assert.equal((await calls()).length, 3);
});

test('packages that a person installed with npm are taken over while the lock file is not newer', async (t) => {
  const { app, launch, calls } = await place(t, 'v26.0.0');
  const record = join(app, 'node_modules/.package-lock.json');
  await mkdir(join(app, 'node_modules'));
  await writeFile(record, '{}');
  assert.equal((await launch()).stderr, '');
  assert.deepEqual(await calls(), []);
  await rm(join(app, 'node_modules/.stamp'));
  await utimes(record, 1000, 1000);
  await launch();
  assert.equal((await calls()).length, 1);
});

test('without npm a user is told the one line to type', async (t) => {
  const { launch, program } = await place(t, null, false);
  const alien = await launch();
  assert.match(alien.stderr, /npm is needed and missing: .* then type: '.*the app\/hybrid-cloud' status\n$/);
  await program('apt-get', '#!/bin/sh\nexit 9\n');
  const user = await launch();
  assert.equal(user.code, 1);
  assert.match(
    user.stderr,
    /Type: sudo apt-get update && sudo apt-get install -y --no-install-recommends npm libatomic1\n$/,
  );
});

test('without npm root gets it from the distribution, after saying so', async (t) => {
  const { root, launch, program, calls } = await place(t, null, false);
  await program('id', '#!/bin/sh\necho 0\n');
  await writeFile(join(root, 'npm'), npm(root), { mode: 0o755 });
  await program(
    'apt-get',
    `#!/bin/sh\necho "apt-get $*" >>'${root}/calls'\ncase "$*" in *install*) cp '${root}/npm' '${root}/bin/npm';; esac\n`,
  );
  const result = await launch();
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /installing npm from the distribution \(once\)\n/);
  assert.deepEqual((await calls()).slice(0, 2), [
    'apt-get -qq update',
    'apt-get -qq install -y --no-install-recommends npm libatomic1',
  ]);
});

test('an apt-get that fails ends it with its last words', async (t) => {
  const { launch, program } = await place(t, null, false);
  await program('id', '#!/bin/sh\necho 0\n');
  await program('apt-get', '#!/bin/sh\necho "E: no space left" >&2\nexit 100\n');
  const result = await launch();
  assert.equal(result.code, 1);
  assert.match(result.stderr, /E: no space left\nhybrid-cloud: apt-get could not install npm/);
});

test('the library that a bare Debian lacks is installed by root, and named to others', async (t) => {
  const { root, launch, program, calls } = await place(t, null);
  const lib = join(root, 'libatomic');
  const needy = `#!/bin/sh\n[ -e '${lib}' ] || { echo "node: libatomic.so.1: cannot open" >&2; exit 127; }\n`;
  await writeFile(join(root, 'own-node'), node('v26.10.0').replace('#!/bin/sh\n', needy), { mode: 0o755 });
  await program(
    'apt-get',
    `#!/bin/sh\necho "apt-get $*" >>'${root}/calls'\ncase "$*" in *libatomic1*) : >'${lib}';; esac\n`,
  );
  const user = await launch();
  assert.equal(user.code, 1);
  assert.match(user.stderr, /libatomic is needed and missing\. Type: sudo apt-get .* libatomic1\n$/);
  await program('id', '#!/bin/sh\necho 0\n');
  await calls();
  const root0 = await launch();
  assert.equal(started(root0)[0], 'node v26.10.0', root0.stderr);
  assert.deepEqual((await calls()).filter((call) => call.startsWith('apt-get')).length, 2);
});

test('a fetched Node that does not run here is said, and is not kept', async (t) => {
  const { root, app, launch } = await place(t, null);
  await writeFile(join(root, 'own-node'), '#!/bin/sh\necho no GLIBC_2.28 >&2; exit 1\n', { mode: 0o755 });
  const result = await launch();
  assert.equal(result.code, 1);
  assert.match(result.stderr, /the fetched Node does not run here \(no GLIBC_2\.28\): install Node 24 or newer/);
  await assert.rejects(access(join(app, '.runtime/node')));
});

test('it finds itself through links, with spaces in its path', async (t) => {
  const { root, app } = await place(t, 'v26.0.0');
  await symlink('the app/hybrid-cloud', join(root, 'one'));
  await symlink(join(root, 'one'), join(root, 'two'));
  const result = await run([join(root, 'two'), 'status'], {
    timeout: 30_000,
    env: { PATH: join(root, 'bin') },
    cwd: '/',
  });
  assert.equal(started(result)[3], join(app, 'src/main.ts'));
});

test('of two first starts at once one installs and the other waits for it', async (t) => {
  const { root, launch } = await place(t, 'v18.0.0');
  await writeFile(join(root, 'gate'), '');
  const both = [launch(['one']), launch(['two'])];
  const called = () => readFile(join(root, 'calls'), 'utf8').catch(() => '');
  while ((await called()) === '' && !t.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  await rm(join(root, 'gate'));
  const results = await Promise.all(both);
  assert.deepEqual(
    results.map(({ code }) => code),
    [0, 0],
    results.map(({ stderr }) => stderr).join(),
  );
  assert.equal((await called()).match(/^npm ci/gm)?.length, 2, 'Node once, packages once');
});

test('an installation that belongs to somebody else is not written, and the line to type is said', async (t) => {
  const { root, app, launch } = await place(t, 'v26.0.0');
  await launch();
  await writeFile(join(app, 'package-lock.json'), '{}\n');
  await chmod(app, 0o555);
  const asNobody =
    process.getuid?.() === 0 ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const command = [...asNobody, join(app, 'hybrid-cloud'), 'status'];
  const result = await run(command, { timeout: 30_000, env: { PATH: join(root, 'bin') }, cwd: '/' });
  await chmod(app, 0o755);
  assert.equal(result.code, 1);
  assert.match(
    result.stderr,
    /^hybrid-cloud: .* not writable for you\. Type once: sudo '.*\/the app\/hybrid-cloud' status\n$/,
  );
});

test('when nothing is to be done, a start costs less than 30 ms', async (t) => {
  const { launch } = await place(t, 'v20.0.0');
  await launch();
  const times: number[] = [];
  for (let i = 0; i < 20; i++) times.push((await launch()).took);
  assert.ok(Math.min(...times) < 30, `${times.map(Math.round).join(' ')} ms`);
});

test('the locked Node is the same version for both machine types, with a checksum', async () => {
  for (const arch of ['x64', 'arm64']) {
    const lock = JSON.parse(await readFile(join(project, `packaging/runtime/linux-${arch}/package-lock.json`), 'utf8'));
    const entry = lock.packages[`node_modules/node-linux-${arch}`];
    assert.equal(entry.version, '26.10.0');
    assert.match(entry.integrity, /^sha512-/);
  }
});
