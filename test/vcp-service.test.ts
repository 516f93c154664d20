// time limit: 300 s
/**
 * The service itself with CLOUD=vcp: the env files of both generations start it as they are, and no secret is left
 * anywhere behind it. The container runtime is a stand-in that runs the Python side against the emulated SDK.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../src/lib/run.ts';

const root = join(import.meta.dirname, '..');
const fixture = (name: string) => readFile(join(root, 'src/config/fixtures', name), 'utf8');

const DOCKER = `#!/bin/sh
echo "$*" >> "$0.log"
[ "$1" = image ] && exit 0
export VCP_EMULATOR_DIR=@folder@/controller TMPDIR=@folder@/tmp
export PYTHONPATH=${join(root, 'test/vcp-emulator')} PYTHONDONTWRITEBYTECODE=1
exec python3 -u ${join(root, 'helpers/vcp/helper.py')}
`;
const FUNCTIONS = `
get_status() {
  echo '{"jobs":['
  for n in $(seq $(cat @folder@/waiting)); do [ $n = 1 ] || echo ,; echo "{\\"id\\":\\"$n\\",\\"state\\":\\"waiting\\"}"; done
  echo '],"nodes":['
  for host in $HOST_NAMES; do
    [ $host = c1 ] || echo ,
    echo "{\\"host\\":\\"$host\\",\\"state\\":\\"down\\",\\"closed\\":\\"ours\\",\\"reason\\":\\"hybrid-cloud: no machine\\"}"
  done
  echo ']}'
}
join_cluster() { :; }
leave_cluster() { :; }
check_version() { echo 'a batch system 1.0'; }
`;

interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly pid: number;
  log(): string;
  /** Runs one command of ours against this service. */
  hybrid(...words: string[]): Promise<{ code: number | null; out: string }>;
  behave(behaviour: object): Promise<void>;
  waiting(jobs: number): Promise<void>;
  until(what: string, test: () => Promise<boolean> | boolean): Promise<void>;
  stop(): Promise<number | null>;
}

/** A site with this env file, and its service started. Settings of ours come from the environment: the file stays. */
async function site(env: string, token: string, more: Readonly<Record<string, string>> = {}): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'vcp-service-'));
  const fill = (text: string) => text.replaceAll('@folder@', folder);
  for (const name of ['config', 'controller', 'tmp', 'state']) await mkdir(join(folder, name), { mode: 0o700 });
  const files: readonly [string, string, number][] = [
    ['config/env', env, 0o600],
    // Documentation addresses: nothing may answer there, whatever the network around this machine does.
    ['config/hosts.json', (await fixture('hosts.json')).replaceAll('172.30.2.', '2001:db8::'), 0o644],
    ['config/vcp_config.yml', CONFIG, 0o600],
    ['config/vcp_flavor.yml', 'aws:\n    small:\n        instance_type: m5.large\n', 0o644],
    ['config/node.env', `MUNGE_KEY=${MUNGE}\n`, 0o600],
    ['docker', fill(DOCKER), 0o755],
    ['functions.sh', fill(FUNCTIONS), 0o644],
    ['waiting', '0', 0o644],
  ];
  for (const [name, text, mode] of files) {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), mode);
  }
  const settings: Readonly<Record<string, string>> = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: folder,
    STATE_DIR: join(folder, 'state'),
    API_SOCKET: join(folder, 'api.sock'),
    BATCH_SYSTEM: 'script',
    BATCH_SCRIPT: join(folder, 'functions.sh'),
    BOOTSTRAP: 'none',
    CONTAINER_RUNTIME: join(folder, 'docker'),
    // The stand-in mounts nothing: its container sees this machine's own folder.
    VCP_CONFIG_DIR: join(folder, 'config'),
    LOG_LEVEL: 'debug',
    POLL_INTERVAL: '1',
    ...more,
  };
  const ours = (...words: string[]) => [
    '--disable-warning=ExperimentalWarning',
    join(root, 'src/main.ts'),
    ...words,
    '--config-dir',
    join(folder, 'config'),
  ];
  const child = spawn(process.execPath, ours('run'), { env: settings, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += String(text)));
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  const behave = (behaviour: object) =>
    writeFile(
      join(folder, 'controller/behaviour.json'),
      JSON.stringify({ token, poll: 0.05, boot: 0.2, ...behaviour }),
    );
  await behave({});
  return {
    folder,
    pid: child.pid ?? 0,
    log: () => log,
    behave,
    waiting: (jobs) => writeFile(join(folder, 'waiting'), String(jobs)),
    async hybrid(...words) {
      const result = await run([process.execPath, ...ours(...words)], { timeout: 60_000, env: settings });
      return { code: result.code, out: result.stdout + result.stderr };
    },
    async until(what, holds) {
      for (let n = 0; n < 600; n++) {
        if (await holds()) return;
        await sleep(100);
      }
      throw new Error(
        `in 60 s it did not happen: ${what}\n${log
          .split('\n')
          .filter((line) => !line.includes(' vcp: '))
          .join('\n')
          .slice(-3000)}`,
      );
    },
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const TOKEN = 'e7c1a9f0-token-of-the-vc-controller';
const MUNGE = 'bXVuZ2Uta2V5LW9mLXRoZS1zaXRlLWFzLWJhc2U2NA==';
const CLOUD_KEY = 'the-secret-key-of-the-cloud-account';
const CONFIG = `vcc:
    host: 10.0.0.1
    name: tokyo
spec_options:
    add_host:
        - "master:172.30.2.194"
aws:
    access_key: vault://cubbyhole/aws/access_key
    secret_key: ${CLOUD_KEY}
    private_network: default
`;
const withToken = (text: string) => text.replace('VCP_ACCESSKEY=\n', `VCP_ACCESSKEY=${TOKEN}\n`);

describe('a site', { concurrency: true }, () => {
  for (const [name, token, queue, says] of [
    ['first-generation.env', TOKEN, 'cloud', /the VC controller lets us in as nobody/],
    ['second-generation.env', 'xxxxxx', 'normal', /MDX_API_TOKEN is set, but this version does not make mdx machines/],
  ] as const) {
    test(`${name} starts the service as it is, and check says what it means`, { timeout: 120_000 }, async () => {
      const text = withToken(await fixture(name));
      await using place = await site(text, token);
      await place.until('it looks', async () => (await place.hybrid('status')).code === 0);
      assert.match(place.log(), new RegExp(`watches queue ${queue} \\(script\\), up to 4 nodes from vcp`));
      const checked = await place.hybrid('check');
      assert.match(checked.out, says);
      assert.equal(checked.out.includes(token), false);
      assert.equal(await readFile(join(place.folder, 'config/env'), 'utf8'), text);
      assert.equal(await place.stop(), 0);
    });
  }

  test('no token and no key in ps, environments, log, events, database, answers, temporary files or the image', {
    timeout: 180_000,
  }, async () => {
    await using place = await site(withToken(await fixture('first-generation.env')), TOKEN, {
      VCP_NODE_ENV: 'node.env',
    });
    await place.waiting(2);
    const units = async () =>
      (await readFile(join(place.folder, 'controller/state.json'), 'utf8').catch(() => '')) || '{}';
    await place.until('two nodes are made', async () => (await units()).split('"hc-c').length === 3);
    const made = await units();
    assert.ok(made.includes(MUNGE), 'the key did reach the nodes');

    // Whoever quotes a secret in an error, and whoever prints it: it goes through our hands, and must not leave traces.
    const told = `refused for ${TOKEN} with ${MUNGE}`;
    await place.behave({ fail: { create_unit: told } });
    await place.waiting(4);
    await place.until('the refusal is told', async () => (await place.hybrid('events')).out.includes('refused for'));
    const seen = new Map<string, string>();
    const processes = await everyProcess();
    assert.ok(processes.get(place.pid)?.includes('main.ts'), 'the service is among them');
    assert.ok(
      [...processes.values()].some((one) => one.includes('helpers/vcp/helper.py')),
      'the Python side, too',
    );
    for (const [pid, text] of processes) seen.set(`process ${pid}`, text);
    for (const words of [['status'], ['nodes'], ['jobs'], ['plan'], ['events', '-n', '1000'], ['check']]) {
      const { out } = await place.hybrid(...words, '--json');
      assert.ok(out.length > 2, words.join(' '));
      seen.set(words.join(' '), out);
    }
    assert.match(seen.get('events -n 1000') ?? '', /refused for \[hidden\] with \[hidden\]/);
    seen.set("the runtime's command lines", await readFile(join(place.folder, 'docker.log'), 'utf8'));
    assert.deepEqual(await readdir(join(place.folder, 'tmp')), [], 'no temporary file is left');
    // While it is open, the database has a journal beside it; what is stopped has written it all.
    for (const when of ['while it runs', 'after it ended']) {
      if (when === 'after it ended') assert.equal(await place.stop(), 0);
      const files = await allFiles(join(place.folder, 'state'));
      assert.ok(files.some(([name]) => name.endsWith('state.db')));
      for (const [name, text] of files) seen.set(`${name} ${when}`, text);
    }
    seen.set('log', place.log());
    assert.ok(place.log().length > 2000);
    for (const [name, text] of await allFiles(join(root, 'helpers/vcp'))) seen.set(`image: ${name}`, text);

    // Our own private key is in one file of STATE_DIR and nowhere else.
    const keys = [...seen].filter(([, text]) => text.includes('PRIVATE KEY-----'));
    assert.deepEqual(
      [...new Set(keys.map(([where]) => where.split(' ')[0]))].length,
      1,
      String(keys.map(([name]) => name)),
    );
    const body = keys[0]?.[1].split('\n')[2] ?? '';
    assert.ok(body.length > 30);
    for (const [where, text] of seen) {
      for (const secret of [TOKEN, MUNGE, CLOUD_KEY])
        assert.equal(text.includes(secret), false, `${secret} in ${where}`);
      assert.equal(
        text.includes(body),
        keys.some(([name]) => name === where),
        `our private key in ${where}`,
      );
    }
  });
});

test('the image of the SDK takes nothing but our own files, certificates and the SDK', async () => {
  const text = await readFile(join(root, 'helpers/vcp/Containerfile'), 'utf8');
  const copied = [...text.matchAll(/^(?:COPY|ADD) (.*) \S+$/gm)].flatMap(([, words = '']) => words.split(' '));
  assert.deepEqual(copied, ['ca/', 'sdk/', 'install_sdk.py', 'helper.py', 'hcvcp/']);
  assert.deepEqual(
    [...text.matchAll(/^ARG (\w+)/gm)].map(([, name]) => name),
    ['BASE_IMAGE', 'VCPSDK_VERSION', 'VCPSDK_SOURCE', 'VCPSDK_REQUIREMENTS'],
    'no secret as a build argument: they stay in the history of an image',
  );
});

/** Command line and environment of every process but the test's own, which knows the secrets. */
async function everyProcess(): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for (const pid of (await readdir('/proc')).map(Number).filter((one) => one > 0 && one !== process.pid)) {
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    found.set(pid, (await Promise.all([read('cmdline'), read('environ')])).join('\n').replaceAll('\0', ' '));
  }
  return found;
}

/** Path and content, byte by byte, of every file below. */
async function allFiles(folder: string): Promise<readonly (readonly [string, string])[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const));
}
