import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../test/support/fuzz.ts';
import { parseConstraint } from './constraint.ts';

for (const [text, expected, why] of [
  ['', '', 'nothing asked'],
  ['(null)', '', 'nothing asked'],
  ['N/A', '', 'nothing asked'],
  ['a', 'a', ''],
  ['a&b', 'a&b', ''],
  ['a,b', 'a&b', 'as it may be typed'],
  ['a|b', 'a | b', ''],
  ['a&b|c', 'a&b | c', ''],
  ['a|b&c', 'a&c | b&c', 'from the left: 22.05.8 puts such a job only on hosts with c'],
  ['a|(b&c)', 'a | b&c', ''],
  ['(a|b)&c', 'a&c | b&c', ''],
  ['c&(a|b)', 'c&a | c&b', ''],
  ['(a|b)&(c|d)', 'a&c | a&d | b&c | b&d', ''],
  ['((a))', 'a', ''],
  ['a&a|a', 'a', 'said twice'],
  ['a&b|b&a', 'b&a', 'from the left: (a&b|b)&a, the same set twice'],
  ['[a|b]', 'a | b', 'all alike: too generous for several hosts'],
  ['x&[a|b]', 'x&a | x&b', ''],
  ['[a*2&b*1]', 'a | b', 'counts: each host is one or the other'],
  ['[(gpu&fast)*2&plain*1]', 'gpu&fast | plain', ''],
  ['a*2', 'a', ''],
  ['x&a*2', 'x&a', ''],
  ['rack-1.b/x=2', 'rack-1.b/x=2', 'names Slurm allows'],
  ['!a', '', 'a sign we do not know'],
  ['a?', '', 'a sign we do not know'],
  ['a&', '', 'half'],
  ['(a|b', '', 'half'],
  ['a)', '', 'half'],
  ['a b', '', 'two words'],
  ['a*', '', 'no count'],
  ['()', '', 'nothing in it'],
  [')(', '', 'rubbish'],
  [Array.from({ length: 7 }, (_, i) => `(a${i}|b${i})`).join('&'), '', '128 sets: too many to read'],
  [`${'('.repeat(5000)}a`, '', 'too long to read'],
] as const) {
  test(`constraint ${JSON.stringify(text.slice(0, 60))} is ${JSON.stringify(expected)}${why === '' ? '' : `: ${why}`}`, () => {
    assert.equal(
      parseConstraint(text)
        .map((set) => set.join('&'))
        .join(' | '),
      expected,
    );
  });
}

test('any text gives at most 64 sets of words, quickly, and never an error', () => {
  const piece = fc.constantFrom('a', 'b', 'c', 'd', '&', '|', ',', '(', ')', '[', ']', '*', '2', ' ', '!');
  const text = fc.oneof(
    fc.string({ maxLength: 50 }),
    fc.array(piece, { maxLength: 60 }).map((all) => all.join('')),
  );
  fuzz(
    fc.property(text, (one) => {
      const sets = parseConstraint(one);
      assert.ok(sets.length <= 64);
      for (const set of sets) assert.ok(set.length > 0 && set.every((word) => word !== '' && one.includes(word)));
    }),
    { numRuns: 5000 },
  );
});

test('without signs between them, terms read from the left mean what Slurm does', () => {
  // the reference walks the hosts' words with two bits and no precedence, as slurmctld does
  const words = ['a', 'b', 'c'];
  const expression = fc.tuple(
    fc.constantFrom(...words),
    fc.array(fc.tuple(fc.constantFrom('&', '|'), fc.constantFrom(...words)), { maxLength: 6 }),
  );
  fuzz(
    fc.property(expression, fc.subarray(words), ([first, rest], has) => {
      const slurm = rest.reduce(
        (yes, [sign, word]) => (sign === '&' ? yes && has.includes(word) : yes || has.includes(word)),
        has.includes(first),
      );
      const ours = parseConstraint(first + rest.flat().join('')).some((set) => set.every((word) => has.includes(word)));
      assert.equal(ours, slurm);
    }),
    { numRuns: 3000 },
  );
});
