import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GOOD, loadSite, troubles } from './fixtures/site.ts';
import { most, nodeCounts } from './node-counts.ts';

test('a number, and numbers at times of the week', () => {
  assert.deepEqual(nodeCounts.parse('2'), { usual: 2, at: [] });
  assert.deepEqual(nodeCounts.parse(' 1 ;Mon-Fri 8:00-18:30=4; Sat,sun 22:00 - 06:00 = 0 ; daily 00:00-24:00 = 3'), {
    usual: 1,
    at: [
      { days: [1, 2, 3, 4, 5], from: 480, to: 1110, nodes: 4 },
      { days: [0, 6], from: 1320, to: 360, nodes: 0 },
      { days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: 1440, nodes: 3 },
    ],
  });
  assert.deepEqual(
    nodeCounts.parse('0; Fri-Mon 08:00-09:00 = 1').at[0]?.days,
    [0, 1, 5, 6],
    'over the end of the week',
  );
  assert.equal(most(nodeCounts.parse('1; Mon 08:00-09:00 = 7; Tue 08:00-09:00 = 2')), 7);
});

for (const [text, says] of [
  ['many', /^a whole number$/],
  ['-1', /a whole number/],
  ['', /a whole number/],
  ['Mon-Fri 08:00-18:00 = 4', /^a whole number and then times/],
  ['lots; Mon-Fri 08:00-18:00 = 4', /^a whole number and then times, as "0; Mon-Fri 08:00-18:00 = 4" is$/],
  ['0; weekdays 08:00-18:00 = 4', /"weekdays" is no day/],
  ['0; Mon-Fri-Sun 08:00-18:00 = 4', /"Mon-Fri-Sun" is no day/],
  ['0; Mon 8-18 = 4', /"8" is no time/],
  ['0; Mon 24:00-06:00 = 4', /"24:00" is no time from 00:00 to 23:59/],
  ['0; Mon 08:00-25:00 = 4', /"25:00" is no time/],
  ['0; Mon 08:60-09:00 = 4', /"08:60" is no time/],
  ['0; Mon 08:00-08:00 = 4', /a whole day is 00:00-24:00/],
  ['0; Mon 08:00-18:00 = four', /"four" is no whole number/],
  ['0; Mon 08:00-18:00', /days, a time and a number are expected/],
  ['0;', /days, a time and a number are expected/],
] as const) {
  test(`${JSON.stringify(text)} is told`, () => {
    assert.match(nodeCounts.safeParse(text).error?.issues[0]?.message ?? '', says);
  });
}

test('a mistake has its file, line and what to write', () => {
  const [line, ...more] = troubles(`${GOOD}MIN_NODES=0; Mon 8-18 = 4\nTIME_ZONE=Asia/Tokio\n`);
  assert.match(String(line), /env:4: MIN_NODES: "0; Mon 8-18 = 4" is not readable at "Mon 8-18 = 4": "8" is no time/);
  assert.match(String(line), /\(write e\.g\. MIN_NODES=0\)$/);
  assert.match(String(more[0]), /env:5: TIME_ZONE: "Asia\/Tokio" is not a time zone, as Asia\/Tokyo is/);
  const [over] = troubles(`${GOOD}MAX_NODES=3\nMIN_NODES=1; Mon 08:00-18:00 = 4\n`);
  assert.match(String(over), /env:5: MIN_NODES: 4 is more than MAX_NODES, which is 3/);
});

test('they become the limits of the pool and its schedule', () => {
  const { pool } = loadSite(
    `${GOOD}MIN_NODES=1; Mon-Fri 08:00-18:00 = 2\nSPARE_NODES=0; daily 09:00-10:00 = 1\nTIME_ZONE=Asia/Tokyo\n`,
  );
  assert.deepEqual([pool.limits.minNodes, pool.limits.spareNodes], [1, 0]);
  assert.deepEqual(pool.schedule, [
    { limit: 'minNodes', nodes: 2, when: { days: [1, 2, 3, 4, 5], from: 480, to: 1080, zone: 'Asia/Tokyo' } },
    { limit: 'spareNodes', nodes: 1, when: { days: [0, 1, 2, 3, 4, 5, 6], from: 540, to: 600, zone: 'Asia/Tokyo' } },
  ]);
});

test('how early a node is let go follows from the billing period and the looks', () => {
  const lead = (lines: string) => loadSite(`${GOOD}${lines}`).pool.billing?.lead;
  assert.equal(lead('BILLING_GRANULARITY=3600\n'), 60_000);
  assert.equal(lead('BILLING_GRANULARITY=3600\nPOLL_INTERVAL=60\n'), 150_000);
  assert.equal(lead('BILLING_GRANULARITY=60\n'), 30_000);
  assert.equal(lead(''), 500);
});
