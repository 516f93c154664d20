import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FileFaults } from '../../../test/support/file-cloud.ts';
import { CloudError } from '../../domain/errors.ts';
import type { Machine } from '../../domain/machine.ts';
import { systemClock } from '../../lib/clock.ts';
import { type Log, quietLog } from '../../lib/log.ts';
import { type Run, type RunResult, run } from '../../lib/run.ts';
import { cloudContract } from '../cloud.contract.ts';
import { commandOptions, makeCommandCloud } from './command.ts';

const program = fileURLToPath(new URL('../../../test/support/file-cloud.ts', import.meta.url));

cloudContract('command', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'file-cloud-'));
  const faults = (value: FileFaults) => writeFile(join(folder, 'faults.json'), JSON.stringify(value));
  return {
    cloud: makeCommandCloud(
      { CLOUD_COMMAND: [process.execPath, program, folder], CLOUD_TIMEOUT: 30_000 },
      { run, clock: systemClock, log: quietLog, pool: { name: 'cloud' } },
    ),
    hang: (call) => faults({ hang: [call] }),
    failList: (kind) => faults({ fail: { list: kind } }),
    refuse: (host, kind) => faults({ refuse: { [host]: kind } }),
    occupy: (ip) => faults({ occupied: [ip] }),
    loseCreate: () => faults({ lose: ['create'] }),
    settle: async () => {},
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
});

/** A cloud whose program answers as told; what it was asked is kept. */
function answering(answer: Partial<RunResult> | string) {
  const asked: { command: readonly string[]; stdin: string; timeout: number }[] = [];
  const warnings: string[] = [];
  const fake: Run = async (command, options) => {
    asked.push({ command, stdin: options.stdin ?? '', timeout: options.timeout });
    const base = { command, code: 0, signal: null, stdout: '', stderr: '', took: 5 };
    const flags = { timedOut: false, aborted: false, cut: false, notFound: false };
    return { ...base, ...flags, ...(typeof answer === 'string' ? { stdout: answer } : answer) };
  };
  const log: Log = { ...quietLog, warn: (text) => void warnings.push(text) };
  const cloud = makeCommandCloud(
    { CLOUD_COMMAND: ['/opt/cloud', '--site', 'kyoto'], CLOUD_TIMEOUT: 60_000 },
    { run: fake, clock: systemClock, log, pool: { name: 'cloud' } },
  );
  return { cloud, asked, warnings };
}

const c1 = { name: 'c1', ip: '10.77.0.101', lease: 'l1' };
const c2 = { name: 'c2', ip: '10.77.0.102', lease: 'l2' };
const machine: Machine = {
  id: 'i-1',
  host: 'c1',
  ip: c1.ip,
  state: 'running',
  lease: 'l1',
  since: 0,
  message: '',
};

async function failure(promise: Promise<unknown>): Promise<CloudError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown) => thrown,
  );
  assert.ok(error instanceof CloudError, `a CloudError, not ${error}`);
  return error;
}

describe('what the program is asked', () => {
  test('list gets the pool, and the call is the last argument', async () => {
    const { cloud, asked } = answering('{"machines":[]}');
    await cloud.list();
    assert.deepEqual(asked, [
      { command: ['/opt/cloud', '--site', 'kyoto', 'list'], stdin: '{"pool":"cloud"}\n', timeout: 60_000 },
    ]);
  });

  test('create gets host name, address and lease of every host in one call', async () => {
    const { cloud, asked } = answering('{"results":[{"hostname":"c1","id":"i-1"},{"hostname":"c2","id":"i-2"}]}');
    await cloud.create([c1, c2]);
    assert.equal(asked.length, 1);
    assert.deepEqual(JSON.parse(asked[0]?.stdin ?? ''), {
      pool: 'cloud',
      hosts: [
        { hostname: 'c1', ip: '10.77.0.101', lease: 'l1' },
        { hostname: 'c2', ip: '10.77.0.102', lease: 'l2' },
      ],
    });
  });

  test('delete gets id, host name and address of every machine', async () => {
    const { cloud, asked } = answering('{"results":[{"id":"i-1"}]}');
    assert.deepEqual(await cloud.delete([machine]), [{ host: 'c1', error: null }]);
    assert.deepEqual(JSON.parse(asked[0]?.stdin ?? ''), {
      pool: 'cloud',
      machines: [{ id: 'i-1', hostname: 'c1', ip: '10.77.0.101' }],
    });
  });
});

describe('list', () => {
  const record = { id: 'i-1', hostname: 'c1', ip: '10.77.0.101', state: 'running' };

  test('lease, start time and message may be missing; unknown keys are allowed', async () => {
    const { cloud } = answering(JSON.stringify({ machines: [{ ...record, zone: 'a' }], next: null }));
    assert.deepEqual(await cloud.list(), [{ ...machine, lease: null, since: null }]);
  });

  for (const [since, epoch] of [
    ['2026-11-23T00:00:00Z', Date.UTC(2026, 10, 23)],
    ['2026-11-23T09:00:00+09:00', Date.UTC(2026, 10, 23)],
    ['2026-11-23T09:00:00+0900', Date.UTC(2026, 10, 23)],
    ['2026-11-23 00:00:00.250Z', Date.UTC(2026, 10, 23) + 250],
  ] as const) {
    test(`the time ${since} is understood`, async () => {
      const { cloud } = answering(JSON.stringify({ machines: [{ ...record, since }] }));
      assert.equal((await cloud.list())[0]?.since, epoch);
    });
  }

  for (const [word, state] of [
    ['starting', 'starting'],
    ['running', 'running'],
    ['stopping', 'stopping'],
    ['failed', 'failed'],
    ['RUNNING', 'unknown'],
    ['rebooting', 'unknown'],
    ['', 'unknown'],
    ['toString', 'unknown'],
  ] as const) {
    test(`the state "${word}" is ${state}`, async () => {
      const { cloud } = answering(JSON.stringify({ machines: [{ ...record, state: word }] }));
      assert.equal((await cloud.list())[0]?.state, state);
    });
  }

  test('two machines of one host are both told', async () => {
    const { cloud } = answering(JSON.stringify({ machines: [record, { ...record, id: 'i-2' }] }));
    assert.deepEqual(
      (await cloud.list()).map(({ id, host }) => `${id} ${host}`),
      ['i-1 c1', 'i-2 c1'],
    );
  });

  for (const [what, broken, where] of [
    ['no id', { ...record, id: undefined }, 'machines[1].id'],
    ['an empty id', { ...record, id: '' }, 'machines[1].id'],
    ['a number as id', { ...record, id: 7 }, 'machines[1].id'],
    ['no host name', { ...record, hostname: null }, 'machines[1].hostname'],
    ['no address', { ...record, ip: null }, 'machines[1].ip'],
    ['an impossible address', { ...record, ip: '10.0.0.999' }, 'machines[1].ip'],
    ['no state', { ...record, state: undefined }, 'machines[1].state'],
    ['a time without zone', { ...record, since: '2026-11-23T00:00:00' }, 'machines[1].since'],
    ['an impossible time', { ...record, since: '2026-13-43T00:00:00Z' }, 'machines[1].since'],
    ['a number as lease', { ...record, lease: 5 }, 'machines[1].lease'],
    ['null', null, 'machines[1]'],
    ['a text', 'c1', 'machines[1]'],
  ] as const) {
    test(`a record with ${what} makes the whole list an error that names it`, async () => {
      const { cloud } = answering(JSON.stringify({ machines: [record, broken] }));
      const error = await failure(cloud.list());
      assert.equal(error.kind, 'temporary');
      assert.ok(error.message.includes(where), error.message);
    });
  }

  for (const output of [
    '',
    'null',
    '[]',
    '{}',
    '{"machines":{}}',
    '{"machines":null}',
    '{"mach',
    'Hello\n{"machines":[]}',
  ]) {
    test(`the output ${JSON.stringify(output)} is an error, never an empty list`, async () => {
      assert.equal((await failure(answering(output).cloud.list())).kind, 'temporary');
    });
  }
});

describe('failures', () => {
  for (const kind of ['auth', 'quota', 'capacity', 'throttled', 'ip-in-use', 'config', 'ambiguous', 'temporary']) {
    test(`the kind ${kind} is passed on with its message`, async () => {
      const stdout = JSON.stringify({ error: { kind, message: 'as the cloud says' } });
      for (const call of [
        answering({ code: 1, stdout }).cloud.list(),
        answering({ code: 3, stdout }).cloud.create([c1]),
      ]) {
        const error = await failure(call);
        assert.deepEqual([error.kind, error.message], [kind, 'as the cloud says']);
      }
    });
  }

  for (const [what, answer, kinds, text] of [
    [
      'an unknown kind',
      { code: 1, stdout: '{"error":{"kind":"boom","message":"no"}}' },
      ['temporary', 'temporary'],
      /^no$/,
    ],
    [
      'a kind without a message',
      { code: 1, stdout: '{"error":{"kind":"quota"}}' },
      ['quota', 'quota'],
      /quota is used up/,
    ],
    ['a text as error', { code: 1, stdout: '{"error":"no route"}' }, ['temporary', 'temporary'], /^no route$/],
    ['an error at exit 0', { stdout: '{"error":{"kind":"auth","message":"no"}}' }, ['auth', 'auth'], /^no$/],
    [
      'no JSON',
      { code: 2, stdout: 'x', stderr: 'a\nlast words\n' },
      ['temporary', 'temporary'],
      /ended with 2: last words$/,
    ],
    [
      'a good answer at exit 1',
      { code: 1, stdout: '{"machines":[],"results":[]}' },
      ['temporary', 'temporary'],
      /ended with 1/,
    ],
    [
      'rubbish at exit 0',
      { stdout: 'done!' },
      ['temporary', 'ambiguous'],
      /something else than one JSON object: "done!"/,
    ],
    [
      'an answer of another shape',
      { stdout: '{"ok":true}' },
      ['temporary', 'ambiguous'],
      /no array "(machines|results)"/,
    ],
    ['a time-out', { code: null, signal: 'SIGTERM', timedOut: true }, ['temporary', 'ambiguous'], /gave no answer/],
    ['an abort', { code: null, signal: 'SIGTERM', aborted: true }, ['temporary', 'ambiguous'], /was stopped/],
    ['a kill', { code: null, signal: 'SIGKILL' }, ['temporary', 'ambiguous'], /killed by SIGKILL/],
    [
      'too much output',
      { code: null, signal: 'SIGTERM', cut: true },
      ['temporary', 'ambiguous'],
      /more than can be believed/,
    ],
    ['a missing program', { code: null, notFound: true }, ['config', 'config'], /\/opt\/cloud is not there/],
  ] as const) {
    test(`${what}: list is ${kinds[0]}, create and delete are ${kinds[1]}`, async () => {
      const { cloud } = answering(answer);
      const errors = [
        await failure(cloud.list()),
        await failure(cloud.create([c1])),
        await failure(cloud.delete([machine])),
      ];
      assert.deepEqual(
        errors.map((error) => error.kind),
        [kinds[0], kinds[1], kinds[1]],
      );
      for (const error of errors) assert.match(error.message, text);
    });
  }

  test('a program that is missing, or may not be run, is a config error with a hint', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cloud-command-'));
    try {
      const plain = join(folder, 'plain');
      await writeFile(plain, '#!/bin/sh\n', { mode: 0o644 });
      for (const command of [join(folder, 'none'), plain]) {
        const cloud = makeCommandCloud(
          { CLOUD_COMMAND: [command], CLOUD_TIMEOUT: 5_000 },
          { run, clock: systemClock, log: quietLog, pool: { name: 'cloud' } },
        );
        const error = await failure(cloud.check());
        assert.equal(error.kind, 'config');
        assert.match(error.hint, /CLOUD_COMMAND/);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a program that overruns its time is ended, and its create is ambiguous', async () => {
    const cloud = makeCommandCloud(
      { CLOUD_COMMAND: ['sh', '-c', 'exec sleep 60'], CLOUD_TIMEOUT: 200 },
      { run, clock: systemClock, log: quietLog, pool: { name: 'cloud' } },
    );
    assert.equal((await failure(cloud.create([c1]))).kind, 'ambiguous');
  });

  test('a program that does not read its input is understood all the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cloud-command-'));
    try {
      const file = join(folder, 'my cloud');
      await writeFile(file, `#!/bin/sh\necho noise >&2; echo "$@" >'${folder}/args'; echo '{"machines":[]}'\n`);
      await chmod(file, 0o755);
      const cloud = makeCommandCloud(
        { CLOUD_COMMAND: [file, 'a b', ';'], CLOUD_TIMEOUT: 10_000 },
        { run, clock: systemClock, log: quietLog, pool: { name: 'x'.repeat(1_000_000) } },
      );
      assert.equal(await cloud.check(), 'list answers: 0 machines');
      assert.equal(await readFile(join(folder, 'args'), 'utf8'), 'a b ; list\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('results', () => {
  async function create(results: unknown) {
    const world = answering(JSON.stringify({ results }));
    const outcomes = await world.cloud.create([c1, c2]);
    return { ...world, outcomes: outcomes.map(({ host, id, error }) => [host, id, error?.kind ?? null]) };
  }

  for (const [what, results, expected] of [
    [
      'an error keeps its kind',
      [
        { hostname: 'c1', id: 'i' },
        { hostname: 'c2', error: { kind: 'capacity' } },
      ],
      ['i', null, 'capacity'],
    ],
    ['a host without a result is ambiguous', [{ hostname: 'c1', id: 'i' }], ['i', null, 'ambiguous']],
    [
      'a result with neither id nor error is ambiguous',
      [{ hostname: 'c1', id: 'i' }, { hostname: 'c2' }],
      ['i', null, 'ambiguous'],
    ],
    [
      'a broken record counts as none',
      [
        { hostname: 'c1', id: 'i' },
        { hostname: 'c2', id: 5 },
      ],
      ['i', null, 'ambiguous'],
    ],
    [
      'an unknown kind is temporary',
      [
        { hostname: 'c1', id: 'i' },
        { hostname: 'c2', error: { kind: '?' } },
      ],
      ['i', null, 'temporary'],
    ],
    [
      'null as error is no error',
      [
        { hostname: 'c1', id: 'i' },
        { hostname: 'c2', id: 'j', error: null },
      ],
      ['i', 'j', null],
    ],
    [
      'two results for one host are ambiguous',
      [
        { hostname: 'c1', id: 'i' },
        { hostname: 'c2', id: 'j' },
        { hostname: 'c2', id: 'k' },
      ],
      ['i', null, 'ambiguous'],
    ],
  ] as const) {
    test(what, async () => {
      const { outcomes } = await create(results);
      assert.deepEqual(outcomes, [
        ['c1', expected[0], null],
        ['c2', expected[1], expected[2]],
      ]);
    });
  }

  test('the order of the results does not matter, and a host that was not asked is told', async () => {
    const { outcomes, warnings } = await create([
      { hostname: 'c2', id: 'j' },
      { hostname: 'c9', id: 'z' },
      { hostname: 'c1', id: 'i' },
    ]);
    assert.deepEqual(outcomes, [
      ['c1', 'i', null],
      ['c2', 'j', null],
    ]);
    assert.deepEqual(warnings, ['create answered for c9, which was not asked']);
  });

  test('delete goes by id: unsaid is ambiguous, an error keeps its kind, doubles of a host stay apart', async () => {
    const results = [{ id: 'i-1' }, { id: 'i-2', error: { kind: 'throttled', message: 'slowly' } }];
    const { cloud } = answering(JSON.stringify({ results }));
    const outcomes = await cloud.delete(['i-1', 'i-2', 'i-3'].map((id) => ({ ...machine, id })));
    assert.deepEqual(
      outcomes.map(({ host, error }) => [host, error?.kind ?? null]),
      [
        ['c1', null],
        ['c1', 'throttled'],
        ['c1', 'ambiguous'],
      ],
    );
  });
});

describe('options', () => {
  const parse = (key: string, text: string) =>
    commandOptions.find((option) => option.key === key)?.schema.safeParse(text);

  test('CLOUD_COMMAND is split into words', () => {
    assert.deepEqual(parse('CLOUD_COMMAND', `'/opt/my cloud' --site kyoto`)?.data, [
      '/opt/my cloud',
      '--site',
      'kyoto',
    ]);
  });

  for (const [key, text, expected] of [
    ['CLOUD_COMMAND', '  ', /a program, with its full path/],
    ['CLOUD_COMMAND', `/opt/cloud 'x`, /quote ' is not closed/],
    ['CLOUD_TIMEOUT', 'soon', /a number of seconds/],
    ['CLOUD_TIMEOUT', '0', /above 0/],
    ['CLOUD_TIMEOUT', '-1', /a number of seconds/],
  ] as const) {
    test(`${key}=${text} is refused with what is expected`, () => {
      const result = parse(key, text);
      assert.equal(result?.success, false);
      assert.match(result?.error?.issues[0]?.message ?? '', expected);
    });
  }

  test('CLOUD_TIMEOUT is given in seconds and kept in ms; its fallback is valid', () => {
    assert.equal(parse('CLOUD_TIMEOUT', '1.5')?.data, 1500);
    assert.equal(
      parse('CLOUD_TIMEOUT', commandOptions.find(({ key }) => key === 'CLOUD_TIMEOUT')?.fallback ?? '')?.data,
      60_000,
    );
  });
});
