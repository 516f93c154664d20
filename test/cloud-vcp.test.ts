// time limit: 600 s
/**
 * CLOUD=vcp as a whole: boot times with a controller that works side by side and with one that does not, the container
 * command as it is really typed, secrets, the Python side's own rules.
 */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Lease } from '../src/cloud/cloud.ts';
import { type RunResult, run } from '../src/lib/run.ts';
import { emulated, TOKEN } from './vcp-emulator/emulated.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const LEASES: readonly Lease[] = [1, 2, 3, 4].map((n) => ({
  name: `c${n}`,
  ip: `10.77.0.10${n}`,
  lease: `hc-00000000000${n}`,
}));

/** Creates four machines and looks twice a second, as the service does while machines start. @returns seconds until each runs */
async function boot(behaviour: Readonly<Record<string, unknown>>, values = {}): Promise<readonly number[]> {
  await using world = await emulated({ behaviour, values });
  const began = performance.now();
  const outcomes = await world.cloud.create(LEASES);
  assert.deepEqual(
    outcomes.map(({ error }) => error),
    [null, null, null, null],
  );
  const up = new Map<string, number>();
  while (up.size < 4) {
    const machines = await world.cloud.list();
    assert.equal(machines.length, 4);
    for (const { host, state, message } of machines) {
      assert.ok(state === 'starting' || state === 'running', `${host} is ${state}: ${message}`);
      if (state === 'running' && !up.has(host)) up.set(host, (performance.now() - began) / 1000);
    }
    assert.ok(performance.now() - began < 240_000, 'they come up at all');
    await sleep(500);
  }
  const created = (await world.calls('create_unit')).map(({ with: { args } }) =>
    String(Array.isArray(args) ? args[0] : ''),
  );
  assert.deepEqual(
    [...new Set(created)],
    LEASES.map(({ name, lease }) => `hc-${name}-${lease.slice(3)}`),
    'asked for in order',
  );
  return LEASES.map(({ name }) => up.get(name) ?? Number.NaN);
}

describe('four nodes at once', { concurrency: true }, () => {
  test('boot time 30 s, creates side by side: all are ready within 1.3 boot times', { timeout: 300_000 }, async (t) => {
    const times = await boot({ boot: 30 });
    t.diagnostic(`ready after ${times.map((s) => s.toFixed(1)).join(', ')} s`);
    assert.ok(Math.max(...times) <= 39, String(times));
  });

  for (const parallel of [true, false]) {
    test(`a controller that refuses a second create while APPLYING, VCP_PARALLEL=${parallel ? 'yes' : 'no'}: in order, no error`, {
      timeout: 300_000,
    }, async (t) => {
      const times = await boot({ boot: 8, serial: true }, { VCP_PARALLEL: parallel });
      t.diagnostic(`ready after ${times.map((s) => s.toFixed(1)).join(', ')} s`);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      assert.ok(Math.max(...times) <= 4 * 8 + 8, String(times));
    });
  }
});

/** Stands for docker: runs what the container would run, with the mounts turned back into the folders they show. */
const DOCKER = `#!/bin/sh
echo "$*" >> "$0.log"
[ "$1" = image ] && exit 0
for word; do
  case $word in
  --mount=type=bind,source=*,target=/opt/hybrid-cloud/vcp,readonly)
    ours=\${word#--mount=type=bind,source=}; ours=\${ours%%,*} ;;
  esac
done
export VCP_EMULATOR_DIR=@controller@ PYTHONPATH=@emulator@ PYTHONDONTWRITEBYTECODE=1
exec python3 -u "$ours/helper.py"
`;

test('the container: started once, ended with us, and nothing of the token on its command line', {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vcp-docker-'));
  try {
    const docker = join(folder, 'docker');
    await using world = await emulated();
    const text = DOCKER.replace('@controller@', join(world.folder, 'controller'));
    await writeFile(docker, text.replace('@emulator@', join(root, 'test/vcp-emulator')));
    await chmod(docker, 0o755);
    const cloud = world.again({
      values: { VCP_HELPER_COMMAND: undefined, CONTAINER_RUNTIME: [docker], VCP_CONFIG_DIR: world.configDir },
    });
    assert.match(await cloud.check(), /0 machines of ours/);
    await cloud.create(LEASES.slice(0, 2));
    assert.equal((await cloud.list()).length, 2);
    await cloud[Symbol.asyncDispose]();
    const asked = (await readFile(`${docker}.log`, 'utf8')).trim().split('\n');
    assert.equal(asked.length, 2, 'one look at the image, one container');
    assert.match(asked[0] ?? '', /^image inspect /);
    assert.match(
      asked[1] ?? '',
      /^run --rm --interactive .*--entrypoint=python3 vcpsdk:20\.10\.0 -u \/opt\/hybrid-cloud\/vcp\/helper\.py$/,
    );
    assert.doesNotMatch(asked.join('\n'), new RegExp(TOKEN));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('token and node secrets: not in ps, not in any environment, not in the log', { timeout: 60_000 }, async () => {
  const munge = 'bXVuZ2Uta2V5LW9mLXRoaXMtdGVzdA==';
  await using world = await emulated({
    behaviour: { fail: { add_nodes: TOKEN } },
    values: { VCP_NODE_ENV: 'node.env' },
  });
  await writeFile(join(world.configDir, 'node.env'), `MUNGE_KEY=${munge}\n`, { mode: 0o600 });
  await world.cloud.create(LEASES);
  await world.person(`print(sdk.get_ugroup("hybridcloud").get_unit("hc-c1-000000000001").state)`);
  const ps = await processes();
  assert.match(ps, /vcp\/helper\.py/, 'the Python side is seen');
  assert.ok(world.logged.length > 10);
  for (const secret of [TOKEN, munge]) {
    assert.equal(world.logged.join('\n').includes(secret), false, 'log');
    assert.equal(ps.includes(secret), false, 'ps');
  }
  const { groups } = await world.state();
  assert.match(
    JSON.stringify(groups.hybridcloud?.units['hc-c1-000000000001']?.spec),
    new RegExp(munge),
    'it did reach the node',
  );
});

/** Command lines and environments of all processes but those of the tests themselves, which know the secrets. */
async function processes(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const texts = await Promise.all(
    pids.flatMap((pid) =>
      ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
    ),
  );
  return texts.join('\n').replaceAll('\0', ' ');
}

describe('the Python side', () => {
  test('dies with whoever started it, also when that one is killed', { timeout: 60_000 }, async () => {
    await using world = await emulated();
    const script = [
      `import { converse } from ${JSON.stringify(join(root, 'src/lib/run.ts'))};`,
      `const talk = converse(['python3', '-u', ${JSON.stringify(join(root, 'helpers/vcp/helper.py'))}], {`,
      '  onLine: (line) => { console.log(line); process.kill(process.pid, "SIGKILL"); }, onErrorLine() {} });',
      'setInterval(() => {}, 1000); void talk;',
    ].join('\n');
    const file = join(world.folder, 'killed.ts');
    await writeFile(file, script);
    const marker = `HC_MARK=${world.folder}`;
    const result = await run(['env', marker, process.execPath, file], { timeout: 30_000 });
    assert.equal(result.signal, 'SIGKILL', result.stderr);
    await world.until('no Python side is left', async () => !(await helpersWith(world.folder)));
  });

  test('uses only what Python 3.8 has, and nothing but the standard library', async () => {
    for (const [folder, own] of [
      ['helpers/vcp', 'hcvcp'],
      ['test/vcp-emulator', 'vcpsdk'],
    ] as const) {
      const command = ['python3', '-B', join(root, 'test/support/python38.py'), own, join(root, folder)];
      const result = await run(command, { timeout: 30_000 });
      assert.deepEqual([result.code, result.stdout.trim(), result.stderr], [0, '', ''], folder);
    }
  });

  test('that check finds what is newer', async () => {
    const newer = [
      'import tomllib',
      'import requests',
      'match x:\n    case 1: pass',
      'a = {} | {}',
      'a |= {}',
      '"x".removeprefix("y")',
      'def f(a: list[int]): pass',
      'zip(a, b, strict=True)',
      'a = x if (y := 1) else 2\nwith (open(a) as b, open(c) as d): pass',
      'from functools import cache',
      'import asyncio\nasyncio.to_thread(f)',
      'try: pass\nexcept* ValueError: pass',
      'def f[T](x: T): pass',
      'f"{x!r:{"a"}}"',
      'import math\nmath.lcm(1, 2)',
    ];
    const folder = await mkdtemp(join(tmpdir(), 'vcp-python-'));
    try {
      for (const [at, text] of newer.entries()) {
        await mkdir(join(folder, String(at)));
        await writeFile(join(folder, String(at), 'x.py'), `${text}\n`);
        const command = ['python3', '-B', join(root, 'test/support/python38.py'), 'own', join(folder, String(at))];
        const { stdout, stderr, code } = await run(command, { timeout: 30_000 });
        assert.equal(code, 0, stderr);
        assert.match(stdout, /^x\.py:\d+: /, text);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('runs on every Python from 3.8 on that this machine has', { timeout: 300_000 }, async (t) => {
    const pythons = await everyPython();
    assert.ok(pythons.size > 0);
    for (const [, python] of pythons) {
      await using world = await emulated({ python });
      assert.match(await world.cloud.check(), /0 machines of ours/);
      await world.cloud.create(LEASES);
      await world.cloud.delete(await world.cloud.list());
      assert.deepEqual(await world.cloud.list(), []);
      await using unit = await emulated({ python, mode: 'unit', values: { VCP_KEEP_HOSTS: [] } });
      const [outcome] = await unit.cloud.create(LEASES.slice(0, 1));
      assert.equal(outcome?.error, null);
      assert.equal((await unit.cloud.list()).length, 2);
    }
    t.diagnostic(`ran on Python ${[...pythons.keys()].join(', ')}`);
    const wanted = ['3.8', '3.12'].filter((version) => !pythons.has(version));
    if (wanted.length > 0) t.diagnostic(`not on this machine, so not run: Python ${wanted.join(', ')}`);
  });

  test('calls of the SDK outside those that all releases have are asked for first', async () => {
    const everywhere = new Set(
      'get_ugroup create_ugroup get_spec create_unit get_unit add_nodes delete_nodes find_nodes delete_units cleanup set_ssh_pubkey'.split(
        ' ',
      ),
    );
    const guarded = new Set(['find_units', 'authority', 'get_vpn_catalog']);
    const check =
      'import ast,pathlib,sys\nfor p in pathlib.Path(sys.argv[1]).rglob("*.py"):\n for n in ast.walk(ast.parse(p.read_text())):\n  if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in ("sdk","group","unit"): print(n.attr)\n  if isinstance(n, ast.Call) and getattr(n.func,"id","") in ("hasattr","getattr") and len(n.args)>1: print("guard", getattr(n.args[1],"value",""))';
    const result = await run(['python3', '-c', check, join(root, 'helpers/vcp/hcvcp')], { timeout: 30_000 });
    const lines = result.stdout.trim().split('\n');
    const guards = new Set(lines.filter((line) => line.startsWith('guard ')).map((line) => line.slice(6)));
    const used = new Set(lines.filter((line) => !line.startsWith('guard ')));
    assert.ok(used.size > 8, result.stderr);
    for (const name of used) assert.ok(everywhere.has(name) || guarded.has(name) || name === 'name', name);
    // get_vpn_catalog is asked inside a try of its own.
    for (const name of ['find_units', 'authority']) assert.ok(guards.has(name), name);
  });
});

/** Version to program: those on the path, and those that pyenv keeps for the user. */
async function everyPython(): Promise<ReadonlyMap<string, string>> {
  const pyenv = join(homedir(), '.pyenv/versions');
  const kept = (await readdir(pyenv).catch(() => [])).map((name) => join(pyenv, name, 'bin/python3'));
  const minors = [8, 9, 10, 11, 12, 13, 14, 15].map((minor) => `python3.${minor}`);
  const found = new Map<string, string>();
  for (const python of ['python3', ...minors, ...kept]) {
    const said = await run([python, '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { timeout: 10_000 });
    const version = said.stdout.trim();
    if (said.code === 0 && Number(version.split('.')[1]) >= 8 && !found.has(version)) found.set(version, python);
  }
  return new Map([...found].toSorted(([a], [b]) => Number(a.split('.')[1]) - Number(b.split('.')[1])));
}

/** Is a Python side alive whose starter had this mark in its environment? */
async function helpersWith(mark: string): Promise<boolean> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [command, environ] = await Promise.all(
      ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
    );
    if (command?.includes('helper.py') && environ?.includes(mark)) return true;
  }
  return false;
}

describe('the emulator', () => {
  test('keeps the documented rules of the SDK', { timeout: 120_000 }, async () => {
    const result = await run(['python3', '-B', join(root, 'test/vcp-emulator/rules_test.py')], { timeout: 100_000 });
    assert.equal(result.code, 0, result.stderr.slice(-3000));
    assert.match(result.stderr, /Ran \d\d tests/);
  });
});

describe('the archive of the SDK', () => {
  const install = (folder: string, archive: string) =>
    run(['python3', '-B', join(root, 'helpers/vcp/install_sdk.py'), join(folder, 'sdk'), '20.10.0', archive], {
      timeout: 30_000,
    });
  const shapes: readonly [string, readonly string[]][] = [
    ['with the packages on top', ['-C', join(root, 'test/vcp-emulator'), 'vcpsdk', 'common']],
    ['with folders around them', ['-C', join(root, 'test'), 'vcp-emulator/vcpsdk', 'vcp-emulator/common']],
  ];
  for (const [what, words] of shapes) {
    test(`${what} is unpacked so that it can be imported`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'vcp-sdk-'));
      try {
        const archive = join(folder, 'sdk.tgz');
        assert.equal((await run(['tar', 'czf', archive, ...words], { timeout: 10_000 })).code, 0);
        const result: RunResult = await install(folder, archive);
        assert.equal(result.code, 0, result.stderr);
        assert.equal(result.stdout, 'VCP SDK 20.10.0: common vcpsdk\n');
        assert.ok((await readdir(join(folder, 'sdk/vcpsdk'))).includes('vcpsdk.py'));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
  test('that is none, or reaches outside itself, is refused with a line', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vcp-sdk-'));
    try {
      const archive = join(folder, 'x.tgz');
      await run(['tar', 'czf', archive, '-C', join(root, 'docs'), '.'], { timeout: 10_000 });
      assert.match((await install(folder, archive)).stderr, /no package vcpsdk/);
      await run(['tar', 'czPf', archive, '--transform=s,^,../../evil/,', '-C', root, 'README.md'], { timeout: 10_000 });
      assert.match((await install(folder, archive)).stderr, /outside itself/);
      assert.match((await install(folder, 'no-such.tgz')).stderr, /neither a URL nor a file/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
