import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { type Run, type RunResult, run } from './run.ts';
import { type Knock, knock, runScript, sshCommand } from './ssh.ts';

const target = {
  address: '10.77.0.101',
  port: 22,
  user: 'root',
  keyFile: '/var/lib/x/id',
  knownHostsFile: '/var/lib/x/known',
  alias: 'c1',
};

describe('what ssh says', () => {
  async function answer(result: Partial<RunResult>) {
    const fake: Run = async (command) => {
      const base = { command, code: 255, signal: null, stdout: '', stderr: '', took: 5_000 };
      return { ...base, timedOut: false, aborted: false, cut: false, notFound: false, ...result };
    };
    const { kind, text } = await runScript(fake, target, 'true', 1_000);
    return [kind, text];
  }

  for (const [result, kind, text] of [
    [{ code: 0 }, 'ran', ''],
    [{ code: 1, stderr: 'Permission denied' }, 'ran', ''],
    [
      { stderr: 'ssh: connect to host 10.77.0.101 port 22: Connection refused\r\n' },
      'unreachable',
      'Connection refused',
    ],
    [
      {
        stderr:
          'kex_exchange_identification: read: Connection reset by peer\nConnection reset by 10.77.0.101 port 22\n',
      },
      'unreachable',
      'Connection reset by 10.77.0.101 port 22',
    ],
    [
      { stderr: 'Timeout, server 10.77.0.101 not responding.' },
      'unreachable',
      'Timeout, server 10.77.0.101 not responding.',
    ],
    [{}, 'unreachable', 'the connection was lost'],
    [{ code: null, timedOut: true }, 'unreachable', 'no answer within 5 s'],
    [{ code: null, signal: 'SIGKILL' }, 'unreachable', 'the connection was lost'],
    [
      { stderr: 'motd\nroot@10.77.0.101: Permission denied (publickey).\n' },
      'refused',
      'root@10.77.0.101: Permission denied (publickey).',
    ],
    [
      {
        stderr:
          '@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nPermission denied\nHost key verification failed.\n',
      },
      'other-key',
      'its host key is another than before',
    ],
    [
      { stderr: 'command-line: line 0: Bad configuration option: foo\n' },
      'broken',
      'command-line: line 0: Bad configuration option: foo',
    ],
    [{ code: null, notFound: true }, 'broken', 'ssh is not installed'],
    [{ code: null, aborted: true }, 'stopped', 'stopped'],
  ] as const) {
    test(`${JSON.stringify(result)} is ${kind}`, async () => {
      assert.deepEqual(await answer(result), [kind, text]);
    });
  }
});

test('every option is one ssh knows, and the file names arrive as they are', async () => {
  const odd = { ...target, keyFile: '/var/lib/my state/100%/id', knownHostsFile: '/var/lib/my state/100%/known%1' };
  const [ssh = '', ...rest] = sshCommand(odd);
  const result = await run([ssh, '-G', ...rest], { timeout: 10_000 });
  assert.equal(result.code, 0, result.stderr);
  const lines = result.stdout.toLowerCase().split('\n');
  for (const line of [
    'batchmode yes',
    'stricthostkeychecking accept-new',
    'identitiesonly yes',
    'hostkeyalias c1',
    'user root',
    'port 22',
    'connecttimeout 5',
  ]) {
    assert.ok(lines.includes(line), `${line} among\n${result.stdout}`);
  }
  const files = lines.filter((line) => /^(identityfile|userknownhostsfile) /.test(line));
  assert.deepEqual(files.map((line) => line.replaceAll('"', '').replaceAll('%%', '%')).toSorted(), [
    'identityfile /var/lib/my state/100%/id',
    'userknownhostsfile /var/lib/my state/100%/known%1',
  ]);
});

describe('a knock', () => {
  test('at an open port is open, and a live machine without the port refuses', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    assert.deepEqual(await knock('127.0.0.1', address.port, 1_000), { kind: 'open', text: '' });
    await new Promise((resolve) => server.close(resolve));
    assert.deepEqual(await knock('127.0.0.1', address.port, 1_000), { kind: 'refused', text: 'Connection refused' });
  });

  test('that was stopped says nothing about the address', async () => {
    assert.equal((await knock('127.0.0.1', 1, 1_000, AbortSignal.abort())).kind, 'unasked');
  });

  const root = process.getuid?.() === 0;
  const skip = root || process.env.CI === 'true' ? false : 'a network of our own needs root';
  test('in a network where nobody is, or with no way there, is silent in time', { skip }, async () => {
    const ssh = JSON.stringify(new URL('./ssh.ts', import.meta.url).href);
    const code = `import { knock } from ${ssh};
      const began = performance.now();
      const kinds = [await knock('10.99.0.2', 22, 300), await knock('10.98.0.1', 22, 300)];
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 20);
      kinds.push(await knock('10.99.0.3', 22, 60_000, stop.signal));
      console.log(JSON.stringify({ kinds, took: performance.now() - began }));`;
    const network =
      'ip link add v0 type veth peer name v1 && ip addr add 10.99.0.1/24 dev v0 && ip link set v0 up && ip link set v1 up';
    const command = ['unshare', '--net', 'sh', '-c', `${network} && exec "$0" "$@"`];
    const result = await run([...command, process.execPath, '--input-type=module', '-e', code], { timeout: 30_000 });
    assert.equal(result.code, 0, result.stderr);
    const { kinds, took } = JSON.parse(result.stdout) as { kinds: Knock[]; took: number };
    assert.deepEqual(kinds, [
      { kind: 'silent', text: 'no answer' },
      { kind: 'silent', text: 'Network is unreachable' },
      { kind: 'unasked', text: 'stopped' },
    ]);
    assert.ok(took >= 290 && took < 5_000, `took ${took} ms`);
  });
});
