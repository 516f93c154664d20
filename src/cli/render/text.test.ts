import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderJson } from './json.ts';
import { table } from './table.ts';
import { cut, pad, plain, width, wrap } from './text.ts';

/** Nothing of what is left here can move a cursor, hide text or turn its direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

const hostile = [
  { title: 'clearing the screen', text: 'run\u001b[2Jsh', shown: 'run?[2Jsh' },
  { title: 'the one-character form of it', text: 'run\u009b2J', shown: 'run?2J' },
  { title: 'a window title', text: '\u001b]0;gone\u0007', shown: '?]0;gone?' },
  { title: 'a second line', text: 'a\r\nb', shown: 'a??b' },
  { title: 'a tab', text: 'a\tb', shown: 'a?b' },
  { title: 'text turned round', text: '\u202egnp.exe', shown: '?gnp.exe' },
  { title: 'invisible characters', text: 'c\u200b1\ufeff', shown: 'c?1?' },
  { title: 'half a character', text: 'a\ud800b', shown: 'a?b' },
  { title: 'a line separator', text: 'a\u2028b', shown: 'a?b' },
];
for (const { title, text, shown } of hostile) {
  test(`${title} is shown and not obeyed`, () => assert.equal(plain(text), shown));
}

test('Japanese and accents stay as they are', () => {
  assert.equal(plain('流体解析 ジョブ é'), '流体解析 ジョブ é');
  assert.equal(plain('か\u3099'), 'が', 'typed on a Mac: two code points for one character');
});

test('text takes the columns a terminal gives it', () => {
  const cases: [string, number][] = [
    ['run.sh', 6],
    ['山田太郎', 8],
    ['ジョブ', 6],
    ['ｼﾞｮﾌﾞ', 5],
    ['ＡＢ', 4],
    ['한글', 4],
    ['e\u0301', 1],
    ['🚀', 2],
    ['…', 1],
    ['', 0],
  ];
  for (const [text, columns] of cases) assert.equal(width(text), columns, text);
});

test('cutting keeps to the columns and says that something is missing', () => {
  assert.equal(cut('abcdef', 6), 'abcdef');
  assert.equal(cut('abcdef', 5), 'abcd…');
  assert.equal(cut('山田太郎', 7), '山田太…');
  assert.equal(cut('山田太郎', 6), '山田…', 'half a character is not printed');
  assert.equal(pad(cut('山田太郎', 6), 6), '山田… ');
});

test('lines break between words, and inside them only when there is no other way', () => {
  assert.deepEqual(wrap('two words and more', 9), ['two words', 'and more']);
  assert.deepEqual(wrap('abcdefghij k', 4), ['abcd', 'efgh', 'ij k']);
  assert.deepEqual(wrap('実行待ちのジョブがあります', 10), ['実行待ちの', 'ジョブがあ', 'ります']);
  assert.deepEqual(wrap('', 10), ['']);
});

test('whatever is in a table and however narrow it is, no line is too wide and nothing can be obeyed', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('山', 'ジ', 'ﾌ', 'a', ' ', '\u001b', '🚀', '\u0301') }),
  );
  const columns = [{ head: 'A' }, { head: 'B', spare: 1 }, { head: 'C', align: 'right' as const }, { head: 'WHY' }];
  fc.assert(
    fc.property(
      fc.array(fc.tuple(text, text, text, text), { maxLength: 5 }),
      fc.integer({ min: 20, max: 100 }),
      (rows, room) => {
        for (const line of table(columns, rows, { columns: room, color: false, now: 0 })) {
          assert.ok(width(line) <= room, `${width(line)} > ${room}: ${line}`);
          assert.doesNotMatch(line, OBEYED);
        }
      },
    ),
  );
});

test('JSON holds the same values and nothing a terminal obeys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = renderJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.doesNotMatch(text.replaceAll('\n', ''), OBEYED);
    }),
  );
  const odd = { name: 'x\u009b2J\u202e\u{e0041}\n山' };
  assert.equal(renderJson(odd, 0), String.raw`{"name":"x\u009b2J\u202e\udb40\udc41\n山"}`);
  assert.deepEqual(JSON.parse(renderJson(odd)), odd);
});
