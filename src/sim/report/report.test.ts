import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bars, timeChart } from './chart.ts';
import { grouped, hours, percent } from './words.ts';

const HOUR = 3_600_000;

test('hours are rounded so that the columns add up as they are printed', () => {
  const cases: readonly [readonly number[], readonly string[], string][] = [
    [[1.04, 1.04, 1.04], ['1.0', '1.0', '1.1'], '3.1'],
    [[1.05, 1.05, 0], ['1.1', '1.1', '0.0'], '2.2'],
    [[1234.5, 0, 0], ['1,234.5', '0.0', '0.0'], '1,234.5'],
    [[7], ['7.0'], '7.0'],
  ];
  for (const [parts, shown, total] of cases)
    assert.deepEqual(hours(...parts.map((part) => Math.round(part * HOUR))), { parts: shown, total });
});

test('numbers are grouped, shares have a sign, and nothing of nothing is no number', () => {
  assert.deepEqual([grouped(1_234_567), grouped(-1234.5, 1), grouped(12)], ['1,234,567', '-1,234.5', '12']);
  assert.deepEqual([percent(1, 3), percent(0, 0)], ['33.3 %', '-']);
});

test('a bar is as long as its parts, and what comes from a log cannot break the page', () => {
  const svg = bars('a <b>', [
    {
      name: '"x" & <y>',
      parts: [
        { kind: 'work', value: 3, says: '3' },
        { kind: 'idle', value: 1, says: '1' },
      ],
      label: '4',
    },
    { name: 'half', parts: [{ kind: 'work', value: 2, says: '2' }], label: '2' },
  ]);
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  assert.deepEqual(widths, [382.5, 127.5, 255]);
  assert.match(svg, /&quot;x&quot; &amp; &lt;y&gt;/);
  assert.doesNotMatch(svg, /<b>|<y>/);
});

test('areas lie on top of each other, inside the picture, also when nothing is in them', () => {
  const chart = { title: 't', start: 0, width: 10, from: 0, to: 30, atLeast: 4 };
  const layers = [
    { kind: 'work', values: [1, 2, 0] },
    { kind: 'idle', values: [1, 2, 0] },
  ];
  const svg = timeChart({ ...chart, layers });
  const areas = [...svg.matchAll(/points="([^"]*)"/g)].map(([, points]) =>
    (points ?? '').split(' ').map((point) => point.split(',').map(Number)),
  );
  assert.deepEqual(
    areas.map((points) => Math.min(...points.map(([, y]) => y ?? Number.NaN))),
    [83, 8],
  );
  assert.ok(areas.flat().every(([x = -1, y = -1]) => x >= 56 && x <= 892 && y >= 8 && y <= 158));
  assert.doesNotMatch(timeChart({ ...chart, layers: [{ kind: 'work', values: [] }], atLeast: 0 }), /NaN|Infinity/);
});
