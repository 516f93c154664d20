import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countTasks, parseCount, parseMiB, parseTime } from './amounts.ts';

test('counts and memory are read with and without units', () => {
  for (const [text, count, mib] of [
    ['0', 0, 0],
    ['7', 7, 7],
    ['2K', 2048, 1],
    ['1.5K', 1536, 1],
    ['4000M', 4_194_304_000, 4000],
    ['4G', 4 * 2 ** 30, 4096],
    ['1.50T', 1.5 * 2 ** 40, 1_572_864],
    ['N/A', null, null],
    ['', null, null],
    ['-1', null, null],
    ['1GB', null, null],
  ] as const) {
    assert.deepEqual([parseCount(text), parseMiB(text)], [count, mib], text);
  }
});

test('times are epoch seconds, or local time, or nothing', () => {
  assert.equal(parseTime('1795462033'), 1_795_462_033_000);
  assert.equal(parseTime('2026-11-23T19:00:12'), new Date(2026, 10, 23, 19, 0, 12).getTime());
  for (const text of ['N/A', 'Unknown', '0', '', 'tomorrow', '2026-99-99T00:00:00'])
    assert.equal(parseTime(text), null);
});

test('array tasks are counted, whatever way they are written', () => {
  for (const [index, tasks, limit] of [
    ['N/A', 1, null],
    ['7', 1, null],
    ['1-4%2', 4, 2],
    ['1,3-5:2', 3, null],
    ['1-500,700%2', 501, 2],
    ['0-1000:2', 501, null],
    ['0-10:3', 4, null],
    ['0-4000000%1', 4_000_001, 1],
    ['1-4%0', 4, null],
  ] as const) {
    assert.deepEqual(countTasks(index), { tasks, limit }, index);
  }
});

test('an index that is shortened or broken is not guessed', () => {
  for (const index of ['1,3,5,...', '1-', '5-2', '1-4%', 'x', '1--2', '1-9:0', '%2', '[1-4]']) {
    assert.equal(countTasks(index), null, index);
  }
});
