import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Run, run } from '../lib/run.ts';
import { commandOptions, commandSettings, makeAsk } from './command.ts';
import { toResult } from './slurm/fixtures/replay.ts';

test('after ssh each word is quoted for the remote shell, else none is', async () => {
  const words = ['scontrol', 'update', 'NodeName=c[1-4]', "Reason=it's $HOME `x` ; rm -rf *"];
  const quoted = ['scontrol', 'update', "'NodeName=c[1-4]'", `'Reason=it'\\''s $HOME \`x\` ; rm -rf *'`];
  for (const [prefix, expected] of [
    [
      ['ssh', 'head'],
      ['ssh', 'head', ...quoted],
    ],
    [
      ['sudo', '-n', '/usr/bin/ssh', 'head'],
      ['sudo', '-n', '/usr/bin/ssh', 'head', ...quoted],
    ],
    [
      ['sudo', '-n'],
      ['sudo', '-n', ...words],
    ],
    [[], words],
  ] as const) {
    assert.deepEqual(await asked(prefix, words), expected);
  }
});

test('a remote shell gives back exactly the words', async () => {
  const words = ["it's", '$HOME', '`x`', '*', 'a b', '\\', '"', 'é', '%s', ';', '\n', ''];
  const [, ...joined] = await asked(['ssh'], words);
  const { stdout } = await run(['sh', '-c', `printf '%s\\0' ${joined.join(' ')}`], { timeout: 5000 });
  assert.deepEqual(stdout.split('\0').slice(0, -1), words);
});

test('the options are words and seconds, with a clear no for the rest', () => {
  const [prefix, timeout] = commandOptions;
  assert.ok(prefix && timeout);
  assert.deepEqual(prefix.schema.parse("ssh -i '/my key' slurm-master"), ['ssh', '-i', '/my key', 'slurm-master']);
  assert.match(prefix.schema.safeParse("ssh 'x").error?.issues[0]?.message ?? '', /not closed/);
  assert.equal(timeout.schema.parse('30'), 30);
  for (const wrong of ['0', 'soon', '-1', '10000']) assert.equal(timeout.schema.safeParse(wrong).success, false, wrong);
  assert.deepEqual(commandSettings({ BATCH_RUN_PREFIX: ['sudo', '-n'], BATCH_TIMEOUT: 7 }), {
    prefix: ['sudo', '-n'],
    timeout: 7000,
  });
  assert.deepEqual(commandSettings({}), { prefix: [], timeout: 30_000 });
});

async function asked(prefix: readonly string[], words: readonly string[]): Promise<readonly string[]> {
  let seen: readonly string[] = [];
  const fake: Run = async (command) => {
    seen = command;
    return toResult(command, '');
  };
  await makeAsk(fake, { prefix, timeout: 1000 })(words);
  return seen;
}
