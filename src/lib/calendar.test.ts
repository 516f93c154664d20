import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { dayOf, monthOf } from './calendar.ts';

test('a moment lies in its day and its month, and both end where the next begin', () => {
  for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2028, 2, 1); at += 77_777_777) {
    for (const period of [dayOf, monthOf]) {
      const { begins, ends } = period(at);
      assert.ok(begins <= at && at < ends);
      assert.equal(period(ends).begins, ends);
      assert.deepEqual(period(begins), { begins, ends });
    }
    assert.ok(monthOf(at).begins <= dayOf(at).begins && dayOf(at).ends <= monthOf(at).ends);
  }
});

test('days are those of the place: a day of a clock change has 23 or 25 hours', () => {
  const url = new URL('./calendar.ts', import.meta.url).href;
  const program = `
    const { dayOf } = await import(${JSON.stringify(url)});
    const hours = (text) => { const d = dayOf(Date.parse(text)); return (d.ends - d.begins) / 3600000; };
    console.log(hours('2026-03-29T12:00:00Z'), hours('2026-10-25T12:00:00Z'), hours('2026-06-01T12:00:00Z'));
    console.log(new Date(dayOf(Date.parse('2026-06-01T16:00:00Z')).begins).toISOString());`;
  const say = (TZ: string) =>
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program], {
      env: { ...process.env, TZ },
      encoding: 'utf8',
    }).split('\n');
  assert.equal(say('Europe/Berlin')[0], '23 25 24');
  assert.equal(say('Asia/Tokyo')[1], '2026-06-01T15:00:00.000Z', 'one o’clock at night in Tokyo is the next day');
});
