import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../test/support/fuzz.ts';
import { compress, expand, isPlainName, sortHosts } from './hostlist.ts';

const TABLE: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['c1', ['c1']],
  ['c[1-4]', ['c3', 'c1', 'c2', 'c4', 'c1']],
  ['c[1-2,7]', ['c7', 'c2', 'c1']],
  ['c[9-10]', ['c10', 'c9']],
  ['n[08-12]', ['n08', 'n09', 'n10', 'n11', 'n12']],
  ['c[1,01,2,02]', ['c1', 'c2', 'c01', 'c02']],
  ['c[099-101]', ['c099', 'c100', 'c101']],
  ['c[99-101]', ['c99', 'c100', 'c101']],
  ['c[1-2],d5', ['d5', 'c1', 'c2']],
  ['master,node-[1-2]', ['node-1', 'master', 'node-2']],
  ['rack1n[1-2],rack2n1', ['rack2n1', 'rack1n1', 'rack1n2']],
  ['c1.example.org,c2.example.org', ['c2.example.org', 'c1.example.org']],
];

for (const [list, names] of TABLE) {
  test(`${JSON.stringify(names)} is written ${JSON.stringify(list)}`, () => {
    assert.equal(compress(names), list);
    assert.deepEqual(sortHosts(expand(list)), sortHosts(names));
  });
}

test('what Slurm prints for nothing is nothing', () => {
  for (const text of ['', '(null)', 'N/A', ' ']) assert.deepEqual(expand(text), []);
});

test('several brackets in a name are all expanded', () => {
  assert.deepEqual(expand('r[1-2]n[01-02],x'), ['r1n01', 'r1n02', 'r2n01', 'r2n02', 'x']);
});

test('what is no host list is refused, however large', () => {
  for (const text of ['c[1-', 'c]1[', 'c[2-1]', 'c[a-b]', 'c[[1]]', ',', 'c[1-999999999]', 'c d', 'c[]']) {
    assert.throws(() => expand(text), { name: /SyntaxError|RangeError/ }, text);
  }
});

test('any set of names is the same after writing and reading it', () => {
  const name = fc
    .tuple(
      fc.constantFrom('c', 'n', 'node-', 'rack1-n', 'a.b-', ''),
      fc.stringMatching(/^\d{0,5}$/),
      fc.constantFrom('', '-ib', 'x'),
    )
    .map((parts) => parts.join(''))
    .filter((text) => isPlainName(text));
  fuzz(
    fc.property(fc.array(name, { maxLength: 60 }), (names) => {
      assert.deepEqual(expand(compress(names)), sortHosts(names));
    }),
    { numRuns: 500 },
  );
});

test('a name that would mean every node, or an option, is not plain', () => {
  assert.deepEqual(
    ['c1', 'node-01.example', 'ALL', 'all', '-h', 'c[1-2]', 'a b', 'a,b', '', '日本'].filter(isPlainName),
    ['c1', 'node-01.example'],
  );
});
