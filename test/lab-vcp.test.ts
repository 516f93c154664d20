// time limit: 900 s
/**
 * `./hybrid-cloud lab --vcp`: the specification as a whole, through the emulated SDK in its container, on nodes from the
 * built image; nothing left behind, however it ends, and no secret where it does not belong.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../src/lib/run.ts';
import { whyNoImages } from './support/image-cluster.ts';
import { labSkip, until } from './support/lab.ts';
import { lab, leftovers } from './support/lab-run.ts';

// Under CI nothing is skipped for want of something: the lab installs it or says what is missing.
const skip = process.env.CI === 'true' ? false : labSkip() || (whyNoImages() ?? false);
/** The first one builds the images, unless another test has. */
const BUILD = 420_000;

test('lab --vcp --once runs its sample to the end through the SDK, and leaves nothing behind', {
  skip,
  timeout: BUILD + 280_000,
}, async () => {
  const own = lab('vonce', '10.88.6', 22560, '--vcp', '--once', '--json');
  assert.equal(await own.ended, 0, own.err());
  const report = JSON.parse(own.out()) as {
    ok: boolean;
    jobs: { name: string; hosts: string[]; state: string; proofs: string[] }[];
    nodes: unknown[];
    checks: { ok: boolean; name: string }[];
  };
  assert.deepEqual(
    report.checks.filter((check) => !check.ok),
    [],
  );
  assert.equal(report.ok, true);
  for (const name of ['the SDK ran in its container', 'the VC controller has no Unit left'])
    assert.ok(
      report.checks.some((check) => check.name === name),
      name,
    );
  const pair = report.jobs.find(({ name }) => name === 'two-nodes');
  assert.deepEqual([pair?.state, new Set(pair?.proofs).size], ['COMPLETED', 2]);
  assert.equal(report.nodes.length, 4);
  assert.deepEqual(leftovers('vonce'), []);
});

test("Ctrl-C in the middle takes everything down; until then the token and the cluster's key are told to nobody", {
  skip,
  timeout: BUILD + 150_000,
}, async () => {
  const own = lab('vctrlc', '10.88.7', 22570, '--vcp', '--once');
  await until('a node is ready', () => /c1 ready/.test(own.err()), 500);
  const dir = '/var/tmp/hybrid-cloud-vctrlc';
  const secrets = [valueIn(`${dir}/config/env`, 'VCP_ACCESSKEY'), valueIn(`${dir}/config/node.env`, 'MUNGE_KEY')];
  const seen = [commandLines(), ...['log', 'state'].flatMap((folder) => texts(join(dir, folder))), own.err()].join(
    '\n',
  );
  assert.match(seen, /--entrypoint=python3 vcpsdk:20\.10\.0 -u /, 'the container is seen');
  assert.match(seen, /slurmd -D/, 'a daemon of a node is seen');
  for (const secret of secrets) assert.equal(seen.includes(secret), false);
  await strict(`${dir}/docker`);
  own.kill('SIGINT');
  assert.equal(await own.ended, 130, own.err());
  assert.deepEqual(leftovers('vctrlc'), []);
});

test('after kill -9 `lab down` takes everything down', { skip, timeout: BUILD + 150_000 }, async () => {
  const own = lab('vkill', '10.88.8', 22580, '--vcp', '--once');
  await until('a node is ready', () => /c1 ready/.test(own.err()), 500);
  own.kill('SIGKILL');
  await own.ended;
  assert.ok(leftovers('vkill').some((what) => what.startsWith('container')));
  // without --vcp: the lab knows what it is
  assert.equal(await lab('vkill', '10.88.8', 22580, 'down').ended, 0);
  assert.deepEqual(leftovers('vkill'), []);
});

/** The lab's docker refuses, in an engine's words, what an engine would refuse. */
async function strict(docker: string): Promise<void> {
  const entry = '--entrypoint=true';
  const refused: readonly [readonly string[], number, RegExp][] = [
    [['run', '--privleged', entry, 'vcpsdk:20.10.0'], 125, /unknown flag: --privleged/],
    [['run', '--pull=never', entry, 'vcpsdk:9'], 125, /Unable to find image 'vcpsdk:9' locally/],
    [['run', '--mount=type=bind,source=/no/such,target=/x,readonly', entry, 'vcpsdk:20.10.0'], 125, /does not exist/],
    [['image', 'inspect', 'vcpsdk:9'], 1, /No such image: vcpsdk:9/],
  ];
  for (const [words, code, says] of refused) {
    const result = await run([docker, ...words], { timeout: 30_000 });
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, says);
  }
  const inside = [
    'run',
    '--rm',
    '--mount=type=bind,source=/etc,target=/seen,readonly',
    '--env=A=b c',
    '--entrypoint=sh',
  ];
  const script = 'touch /seen/hc-x 2>&1; touch /mine && echo "$A|$PYTHONPATH|$HOME|$1"';
  const result = await run([docker, ...inside, 'vcpsdk:20.10.0', '-c', script, 'sh', "it's"], { timeout: 30_000 });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /Read-only file system\nb c\|\/opt\/vcpsdk\|\|it's\n$/);
}

function valueIn(file: string, key: string): string {
  const value = new RegExp(`^${key}=(.+)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  assert.ok(value.length >= 16, `${key} is in ${file}`);
  return value;
}

/** What `ps` shows. */
function commandLines(): string {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => tryRead(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
    .join('\n');
}

/** All files below a folder, the database of the service among them. */
function texts(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => tryRead(join(folder, name)));
}

/** Empty for a process that has ended, a folder, a socket. */
function tryRead(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
