import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fuzz } from '../../../test/support/fuzz.ts';
import { parseCount, parseMiB } from './amounts.ts';
import { type Gres, minus, parseGres, parsePerGres, parseTres } from './gres.ts';

for (const [text, expected] of [
  ['', {}],
  ['(null)', {}],
  ['N/A', {}],
  ['none', {}],
  ['gres:none', {}],
  ['gpu', { gpu: 1 }],
  ['gpu:2', { gpu: 2 }],
  ['gres:gpu', { gpu: 1 }],
  ['gres:gpu:2', { gpu: 2 }],
  ['gres/gpu:2', { gpu: 2 }],
  ['gres/gpu=2', { gpu: 2 }],
  ['gpu:a100', { gpu: 1, 'gpu:a100': 1 }],
  ['gres:gpu:a100:2', { gpu: 2, 'gpu:a100': 2 }],
  ['gres/gpu:a100=2', { gpu: 2, 'gpu:a100': 2 }],
  ['gres:gpu:a100:1,gres:gpu:v100:1', { gpu: 2, 'gpu:a100': 1, 'gpu:v100': 1 }],
  ['gres:gpu:1,gres:fs:1', { gpu: 1, fs: 1 }],
  ['gpu:2080ti:1', { gpu: 1, 'gpu:2080ti': 1 }],
  // how many of each node; what is not generic is left out
  ['cpu=4,gres/gpu=1', { gpu: 1 }],
  ['cpu:4,gres/gpu:1', { gpu: 1 }],
  ['license/matlab:1,gres/gpu:1', { gpu: 1 }],
  // nodes: sockets, devices, types that are not known, things that are not used up
  ['gpu:a100:2(S:0-1),fs:1', { gpu: 2, 'gpu:a100': 2, fs: 1 }],
  ['gpu:a100:4(S:0,2),shard:a100:16(S:0,2)', { gpu: 4, 'gpu:a100': 4, shard: 16, 'shard:a100': 16 }],
  ['gpu:a100:0(IDX:N/A),gpu:v100:1(IDX:1),fs:0', { gpu: 1, 'gpu:v100': 1 }],
  ['gpu:(null):1(IDX:0)', { gpu: 1 }],
  ['gpu:0,fs:0,bandwidth:0', {}],
  ['bandwidth:lustre:no_consume:4G', { bandwidth: 4 * 2 ** 30, 'bandwidth:lustre': 4 * 2 ** 30 }],
] as const satisfies readonly (readonly [string, Gres])[]) {
  test(`generic resources ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseGres(text), expected);
  });
}

test('trackable resources tell the total and the part of each type', () => {
  assert.deepEqual(parseTres('cpu=3,mem=300M,node=1,billing=3,gres/gpu=2,gres/gpu:a100=1,gres/gpu:v100=1'), {
    gpu: 2,
    'gpu:a100': 1,
    'gpu:v100': 1,
  });
  assert.deepEqual(parseTres('cpu=3,mem=300M'), {});
  assert.deepEqual(parseTres(''), {});
});

test('amounts that belong to one of each kind', () => {
  assert.deepEqual(parsePerGres('gres:gpu:300', parseMiB), { gpu: 300 });
  assert.deepEqual(parsePerGres('gres/gpu:2G', parseMiB), { gpu: 2048 });
  assert.deepEqual(parsePerGres('gres:gpu:2', parseCount), { gpu: 2 });
  assert.deepEqual(parsePerGres('N/A', parseCount), {});
});

test('what is free is never below nothing', () => {
  assert.deepEqual(minus({ gpu: 2, 'gpu:a100': 2, fs: 1 }, { gpu: 3, 'gpu:a100': 1 }), {
    gpu: 0,
    'gpu:a100': 1,
    fs: 1,
  });
});

test('any text is a list of whole numbers above 0, with the type’s never above the kind’s', () => {
  const piece = fc.constantFrom(
    'gpu',
    'gres',
    ':',
    '/',
    '=',
    ',',
    '(',
    ')',
    '2',
    '4G',
    'a100',
    'N/A',
    'IDX',
    ' ',
    '-1',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((all) => all.join('')),
  );
  fuzz(
    fc.property(text, (one) => {
      const gres = parseGres(one);
      for (const [kind, count] of Object.entries(gres)) {
        assert.ok(Number.isSafeInteger(count) && count > 0, `${kind} ${count}`);
        assert.ok(count <= (gres[kind.split(':')[0] ?? ''] ?? 0), kind);
      }
    }),
    { numRuns: 3000 },
  );
});
