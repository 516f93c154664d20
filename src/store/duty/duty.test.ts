import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { manualClock } from '../../lib/clock.ts';
import { beginDuty } from './duty.ts';
import { type DutyFiles, dutyFiles, type HolderRecord } from './records.ts';
import { type Self, takeDuty } from './take.ts';
import { makeWatch } from './watch.ts';

function files(t: TestContext): { folder: string; files: DutyFiles } {
  const folder = mkdtempSync(join(tmpdir(), 'hc-duty-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, files: dutyFiles(folder) };
}

const self = (name: string): Self => ({ id: `id-${name}`, host: name, machine: `m-${name}`, pid: 1 });

function record(token: number, name: string, more: Partial<HolderRecord> = {}): HolderRecord {
  const rest = { since: 5, beat: 0, stopped: false, locked: false, database: 'state.db', working: true, base: 0 };
  return { token, ...self(name), ...rest, ...more };
}

const quiet = { onWait() {}, onTrouble() {}, takeover: 20_000, locked: false, standby: true };
const go = new AbortController().signal;

test('a token is claimed by exactly one, and its holder reads who ended it', (t) => {
  const { files: shared } = files(t);
  assert.equal(shared.greatest(), 0);
  assert.equal(shared.claim(record(1, 'a')), true);
  assert.equal(shared.claim(record(1, 'b')), false);
  assert.equal(shared.claim(record(1, 'a')), true, 'the same claim again, after its answer was lost');
  assert.equal(shared.holder(1)?.host, 'a');
  assert.equal(shared.endedBy(1), '');
  assert.equal(shared.claim(record(2, 'b')), true);
  shared.endOlder(2, '2 b 1');
  assert.equal(shared.endedBy(1), '2 b 1');
  assert.equal(shared.endedBy(2), '');
  assert.equal(shared.greatest(), 2);
});

test('a damaged record is no record, and old files go', (t) => {
  const { folder, files: shared } = files(t);
  shared.claim(record(1, 'a'));
  writeFileSync(join(folder, '00000001.holder'), '00000000 {"token":1}\n');
  assert.equal(shared.holder(1), null);
  for (let token = 2; token <= 40; token++) shared.claim(record(token, 'a'));
  shared.clean(40);
  assert.equal(readdirSync(folder).filter((name) => name.endsWith('.holder')).length, 20);
});

test('silence is what was seen: gaps in the watching count little, what cannot be read counts nothing', async () => {
  const clock = manualClock();
  const watch = makeWatch(clock, 1000);
  watch.look('a1');
  await clock.advance(1000);
  assert.deepEqual(watch.look('a1'), { silent: 1000, alive: false });
  await clock.advance(3_600_000);
  assert.deepEqual(watch.look('a1'), { silent: 3000, alive: false }, 'this process itself was stopped for an hour');
  await clock.advance(1000);
  assert.equal(watch.look(null).silent, 3000);
  await clock.advance(50_000);
  assert.equal(watch.look('a1').silent, 3000, 'the storage was away');
  await clock.advance(1000);
  assert.deepEqual(watch.look('a2'), { silent: 0, alive: true });
});

test('who stands by takes over after the silence, not before, and ends the silent one', async (t) => {
  const { files: shared } = files(t);
  const clock = manualClock();
  shared.claim(record(1, 'a'));
  const waits: number[] = [];
  const taking = takeDuty(
    { ...quiet, files: shared, self: self('b'), clock, onWait: (_, silent) => waits.push(silent) },
    go,
  );
  for (let i = 0; i < 30; i++) {
    await clock.advance(1000);
    shared.beat(record(1, 'a', { beat: i + 1 }));
  }
  assert.equal(shared.greatest(), 1);
  await clock.advance(19_000);
  assert.equal(shared.greatest(), 1, '19 s are not 20');
  await clock.advance(3000);
  const taken = await taking;
  assert.equal(taken?.how, 'silent');
  assert.equal(taken?.record.token, 2);
  assert.equal(shared.endedBy(1), '2 b 1');
  assert.ok(Math.max(...waits) >= 18_000);
});

test('an orderly end, and a death that the lock proves, are taken over from at once', async (t) => {
  const { files: shared } = files(t);
  const clock = manualClock();
  shared.claim(record(1, 'a', { stopped: true, database: 'state-1.db' }));
  const next = await takeDuty({ ...quiet, files: shared, self: self('b'), clock }, go);
  assert.deepEqual(
    [next?.how, next?.record.token, next?.record.database, next?.record.base],
    ['stopped', 2, 'state-1.db', 1],
  );
  shared.beat(record(2, 'b', { locked: true }));
  const again = { ...self('b'), id: 'another life' };
  const dead = await takeDuty({ ...quiet, files: shared, self: again, clock, locked: true, standby: false }, go);
  assert.deepEqual([dead?.how, dead?.record.token], ['dead', 3]);
});

test('without --standby a living one is told, and a silent one of another machine is waited for', async (t) => {
  const { files: shared } = files(t);
  const clock = manualClock();
  shared.claim(record(1, 'a', { locked: true }));
  const taking = takeDuty({ ...quiet, files: shared, self: self('b'), clock, locked: true, standby: false }, go);
  const outcome = assert.rejects(taking, /another hybrid-cloud \(pid 1 on a\) is at work/);
  await clock.advance(5000);
  shared.beat(record(1, 'a', { beat: 1, locked: true }));
  await clock.advance(2000);
  await outcome;
  assert.equal(shared.greatest(), 1);
  const silent = takeDuty({ ...quiet, files: shared, self: self('b'), clock, locked: true, standby: false }, go);
  await clock.advance(25_000);
  assert.equal((await silent)?.how, 'silent');
});

test('of many that stand by exactly one takes over', async (t) => {
  const { files: shared } = files(t);
  const clock = manualClock();
  shared.claim(record(1, 'a'));
  const stop = new AbortController();
  const all = ['b', 'c', 'd', 'e'].map((name) =>
    takeDuty({ ...quiet, files: shared, self: self(name), clock }, stop.signal),
  );
  const first = Promise.race(all);
  await clock.advance(30_000);
  assert.equal((await first)?.record.token, 2);
  stop.abort();
  assert.equal((await Promise.all(all)).filter((taken) => taken !== null).length, 1);
  assert.equal(shared.standbys().length, 0);
});

test('on duty: signs of life; lost: said once, and nothing more', async (t) => {
  const { folder, files: shared } = files(t);
  const clock = manualClock();
  shared.claim(record(1, 'a'));
  class Ended extends Error {}
  const said: string[] = [];
  const duty = beginDuty({
    files: shared,
    record: record(1, 'a'),
    clock,
    takeover: 20_000,
    onLost(text) {
      said.push(text);
      throw new Ended(text);
    },
    onTrouble() {},
  });
  shared.standBy({ id: 'b', host: 'b', pid: 2, beat: 1 });
  await clock.advance(6000);
  assert.ok((shared.holder(1)?.beat ?? 0) >= 3);
  assert.deepEqual(
    duty.standbys().map((one) => one.host),
    ['b'],
  );
  await clock.advance(40_000);
  assert.deepEqual(duty.standbys(), [], 'it has not moved for long');
  duty.check();
  shared.claim(record(2, 'b'));
  shared.endOlder(2, '2 b 9');
  assert.throws(() => duty.check(), Ended);
  assert.match(said[0] ?? '', /has taken over \(pid 9 on b with token 2; ours is 1\)/);
  await duty[Symbol.asyncDispose]();
  assert.equal(shared.holder(1)?.stopped, false, 'who lost it has nothing to give back');
  rmSync(join(folder, '00000001.end'));
  assert.throws(() => duty.check(), /its file is gone/);
});
