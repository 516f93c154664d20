import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualClock, systemClock } from '../../lib/clock.ts';
import { type Run, type RunResult, run } from '../../lib/run.ts';
import { asker } from './ask.ts';
import { hostsLines, misplaced } from './hosts-file.ts';
import { checkNames } from './names.ts';

const HOSTS = [1, 2, 3].map((n) => ({ name: `c${n}`, ip: `10.77.0.10${n}` }));

/** What getent says to `ahosts c1` or `hosts 10.77.0.101`; a string is its output, `silent` no answer. */
type World = Readonly<Record<string, string>>;
const KNOWN: World = Object.fromEntries(
  HOSTS.flatMap(({ name, ip }) => [
    [`ahosts ${name}`, `${ip}     STREAM ${name}.site.example\n${ip}     DGRAM\n${ip}     RAW\n`],
    [`hosts ${ip}`, `${ip}     ${name}.site.example ${name}\n`],
  ]),
);

function result(command: readonly string[], more: Partial<RunResult>): RunResult {
  const flags = { timedOut: false, aborted: false, cut: false, notFound: false };
  return { command, code: 0, signal: null, stdout: '', stderr: '', took: 1, ...flags, ...more };
}

/** @returns the lines, and the commands that were run */
async function check(world: World, { file = '', family = 'slurm', prefix = [] as string[], hosts = HOSTS } = {}) {
  const commands: string[] = [];
  const answer: Run = async (command) => {
    commands.push(command.join(' '));
    const words = command.slice(prefix[0] === 'sudo' ? 0 : prefix.length);
    if (words[0] === 'cat') return result(command, { stdout: file });
    const said = world[words.slice(1).join(' ')] ?? world['*'];
    if (said === 'silent') return result(command, { code: null, timedOut: true });
    if (said === 'broken') return result(command, { code: null, notFound: true });
    return said === undefined ? result(command, { code: 2 }) : result(command, { stdout: said });
  };
  const lines = await checkNames(hosts, family, { run: answer, prefix }, asker({ clock: manualClock() }));
  return { said: lines.map(({ ok, text, hint }) => `${ok}: ${text}${hint === '' ? '' : ` (${hint})`}`), commands };
}

const PRINTS = 'hybrid-cloud render hosts prints the lines for /etc/hosts';

describe('names', () => {
  test('found both ways: one line', async () => {
    const { said, commands } = await check(KNOWN);
    assert.deepEqual(said, ['ok: all hosts are found by name and by address, as in hosts.json']);
    assert.equal(commands.length, 1 + 2 * HOSTS.length);
  });

  test('are asked where the batch system is; sudo does not change where that is', async () => {
    const { commands } = await check(KNOWN, { prefix: ['ssh', 'slurm-master'] });
    assert.ok(commands.every((command) => /^ssh slurm-master (cat|getent) /.test(command)));
    const own = await check(KNOWN, { prefix: ['sudo', '-n'] });
    assert.ok(own.commands.every((command) => /^(cat|getent) /.test(command)));
  });

  const table: readonly [string, World, object, readonly string[]][] = [
    [
      'a line of /etc/hosts says something else: its number, once',
      { ...KNOWN, 'ahosts c2': '10.9.9.9 STREAM c2\n' },
      { file: '127.0.0.1 localhost\n# 10.1.1.1 c1\n10.9.9.9 old C2 # was\n' },
      [`wrong: /etc/hosts:3 gives c2 the address 10.9.9.9; hosts.json says 10.77.0.102 (${PRINTS})`],
    ],
    [
      'a name server says something else',
      { ...KNOWN, 'ahosts c3': '10.9.9.9 STREAM c3\n10.9.9.8 STREAM\n' },
      {},
      [
        `wrong: c3 is looked up as 10.9.9.9 and 10.9.9.8 instead of 10.77.0.103 (mend it where the name comes from; ${PRINTS})`,
      ],
    ],
    [
      'the right address is one of several',
      { ...KNOWN, 'ahosts c3': 'fd00::3 STREAM c3\n10.77.0.103 STREAM\n' },
      {},
      ['ok: all hosts are found by name and by address, as in hosts.json'],
    ],
    [
      'names that nobody knows',
      {},
      {},
      [`note: c1, c2 and c3: no address is found under these names (${PRINTS}; Slurm can do without, with NodeAddr=)`],
    ],
    [
      'names that nobody knows, and a batch system that has nothing else',
      {},
      { family: 'torque' },
      [`wrong: c1, c2 and c3: no address is found under these names (${PRINTS})`],
    ],
    [
      'an address with another name, and one with none',
      { ...KNOWN, 'hosts 10.77.0.101': '10.77.0.101 old-c1\n', 'hosts 10.77.0.102': '' },
      {},
      [
        `note: 10.77.0.101 is looked up as old-c1 instead of c1 (${PRINTS})`,
        `note: 10.77.0.102: no name is found for the address (${PRINTS})`,
      ],
    ],
    [
      'a name server that does not answer',
      { ...KNOWN, 'ahosts c2': 'silent' },
      {},
      [`note: c2: the name server gave no answer within 4 s (names in /etc/hosts need no name server: ${PRINTS})`],
    ],
    ['no getent', { '*': 'broken' }, {}, ['note: could not be looked up: getent does not run on this machine']],
    [
      'no way to the head node',
      { '*': 'broken' },
      { prefix: ['ssh', 'gone'] },
      ['note: could not be looked up: getent does not run through ssh gone'],
    ],
  ];
  for (const [what, world, how, expected] of table) {
    test(what, async () => assert.deepEqual((await check(world, how)).said, expected));
  }

  test('silence is not waited for again and again', async () => {
    const hosts = Array.from({ length: 200 }, (_, n) => ({ name: `n${n}`, ip: `10.78.${n >> 7}.${n & 127}` }));
    const { said, commands } = await check({ '*': 'silent' }, { hosts });
    assert.match(said.join('\n'), /^note: n0, n1.* and 195 more: the name server gave no answer/);
    assert.ok(commands.length < 20, `${commands.length} commands`);
  });

  test('one address in two spellings is one address', async () => {
    const hosts = [{ name: 'v1', ip: 'FD00:0::1' }];
    const world = { 'ahosts v1': 'fd00::1 STREAM v1\n', 'hosts FD00:0::1': 'fd00::1 v1\n' };
    assert.deepEqual((await check(world, { hosts })).said, [
      'ok: all hosts are found by name and by address, as in hosts.json',
    ]);
  });

  test('the real getent of this machine', { timeout: 60_000 }, async (t) => {
    if ((await run(['getent', 'hosts', '127.0.0.1'], { timeout: 10_000 })).notFound) {
      t.skip('not applicable: this machine has no getent');
      return;
    }
    const hosts = [{ name: 'localhost', ip: '127.0.0.1' }];
    const lines = await checkNames(hosts, 'slurm', { run, prefix: [] }, asker({ clock: systemClock }));
    assert.deepEqual(
      lines.map(({ ok, text }) => [ok, text]),
      [['ok', 'all hosts are found by name and by address, as in hosts.json']],
    );
  });
});

describe('/etc/hosts', () => {
  test('the lines that are printed are the lines that are right', () => {
    const lines = hostsLines([...HOSTS, { name: 'far', ip: '172.130.200.101' }]);
    assert.deepEqual(lines.slice(2), ['10.77.0.103      c3', '172.130.200.101  far']);
    assert.deepEqual(misplaced(lines.join('\n'), HOSTS), []);
    assert.deepEqual(misplaced(lines.join('\n').replace('.103', '.113'), HOSTS), [
      { host: 'c3', at: 3, ip: '10.77.0.113' },
    ]);
  });
  test('an address of the other kind besides is no contradiction', () => {
    assert.deepEqual(misplaced('fd00::1 c1\n10.77.0.101 c1\n', HOSTS), []);
  });
});
