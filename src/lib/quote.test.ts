import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../test/support/fuzz.ts';
import { shellQuote, words } from './quote.ts';
import { run } from './run.ts';

test('a quoted text reaches a shell unchanged, whatever it contains', async () => {
  const nasty = [
    '',
    'plain',
    'two words',
    "it's",
    '"',
    '$(touch x)',
    '`id`',
    'a;b&c|d>e',
    '\\',
    '*?[a]',
    '-n',
    'a\nb',
    '~',
    '!!',
    "'\\''",
  ];
  const script = nasty.map((text) => `printf '%s\\0' ${shellQuote(text)}\n`).join('');
  const result = await run(['sh', '-s'], { stdin: script, timeout: 10_000 });
  assert.deepEqual(result.stdout.split('\0').slice(0, -1), nasty);
});

test('a NUL character cannot be quoted', () => {
  assert.throws(() => shellQuote('a\0b'), /NUL/);
});

test('quoting and splitting are each other backwards', () => {
  fuzz(
    fc.property(fc.array(fc.string()), (list) => {
      const clean = list.map((text) => text.replaceAll('\0', ''));
      assert.deepEqual(words(clean.map(shellQuote).join(' ')), clean);
    }),
  );
});

for (const [line, expected] of [
  ['', []],
  ['  ', []],
  ['/opt/cloud', ['/opt/cloud']],
  [' /opt/cloud  --site  kyoto ', ['/opt/cloud', '--site', 'kyoto']],
  [`'/opt/my cloud' "a b"`, ['/opt/my cloud', 'a b']],
  [`/opt/my\\ cloud x`, ['/opt/my cloud', 'x']],
  [`a'b'"c"d`, ['abcd']],
  [`'' ""`, ['', '']],
  [`"say \\"hi\\" \\n"`, ['say "hi" \\n']],
  [`'$HOME' $HOME`, ['$HOME', '$HOME']],
  ['a\tb\nc', ['a', 'b', 'c']],
] as const) {
  test(`the line ${JSON.stringify(line)} has ${expected.length} words`, () => {
    assert.deepEqual(words(line), expected);
  });
}

for (const line of [`'open`, `"open`, 'end\\', `a "b\\"`]) {
  test(`the line ${JSON.stringify(line)} is refused`, () => {
    assert.throws(() => words(line), /not closed|keeps nothing/);
  });
}
