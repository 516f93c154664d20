// time limit: 300 s
/**
 * Standby with real processes: of two services that share their state one is at work, the other takes over when it
 * falls silent, and one that was only stopped does nothing more when it comes back.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { NodeView, StatusView } from '../src/controller/view.ts';
import { apiClient } from '../src/service/client.ts';
import { until } from './support/lab.ts';
import { type Head, mark, type TwoHeads, twoHeads } from './support/two-heads.ts';

/** The promise is 30 s with the shipped 20 s of silence; here the silence is 5 s. */
const TAKEOVER = 20_000;

async function atWork(head: Head, seconds = 60): Promise<void> {
  await until(`${head.name} is at work`, async () => (await head.status()).active?.pid === head.pid, seconds);
}

async function ready(head: Head, host: string): Promise<void> {
  await until(
    `${host} is ready`,
    async () => (await head.nodes()).find((node) => node.host === host)?.state === 'ready',
    60,
  );
}

/** Changes by this head after the mark. */
function after(heads: TwoHeads, text: string, name: string): string[] {
  const changes = heads.changes();
  return changes.slice(changes.lastIndexOf(text) + 1).filter((line) => line.startsWith(`${name} `));
}

describe('standby', { concurrency: 2 }, () => {
  test('killed: the other takes over, makes no second machine and goes on; a standby alone works at once', async (t) => {
    const heads = twoHeads(t);
    const a = heads.start('A', {}, '--standby');
    await atWork(a);
    const b = heads.start('B', {}, '--standby');
    heads.jobs('1');
    await ready(a, 'c1');
    await until('A sees that B stands by', async () => (await a.status()).active?.standbys[0]?.pid === b.pid);
    const asked = await heads.cli(b, 'status');
    assert.match(asked.text, new RegExp(`stands by: pid ${a.pid} on .* is at work`));
    assert.equal(asked.code, 3);
    assert.deepEqual(after(heads, '', 'B'), [], 'who stands by does nothing');
    const before = heads.machines();

    a.signal('SIGKILL');
    const silence = performance.now();
    await atWork(b);
    const took = performance.now() - silence;
    assert.ok(took < TAKEOVER, `it took ${Math.round(took)} ms`);
    await until('B looked', async () => (await b.status()).batch.ok);
    assert.match(b.log(), /took over from pid \d+ on .* which gave no sign of life/);
    assert.deepEqual(
      (await b.nodes()).map((node) => node.state),
      ['ready', 'free'],
      'it knows what A knew',
    );
    assert.deepEqual(heads.machines(), before);
    heads.jobs('1', '2');
    await ready(b, 'c2');
    const shown = await heads.cli(b, 'status');
    assert.match(shown.text, new RegExp(`active +pid ${b.pid} on .*, token 2; nobody stands by`));
    assert.equal(shown.code, 0);

    b.signal('SIGTERM');
    assert.equal(await b.exited, 0);
    const again = heads.start('A');
    await atWork(again);
    assert.deepEqual(
      (await again.nodes()).map((node) => node.state),
      ['ready', 'ready'],
    );
    const third = heads.start('C');
    assert.equal(await third.exited, 1, 'without --standby it refuses');
    assert.match(third.log(), new RegExp(`another hybrid-cloud \\(pid ${again.pid}\\)`));
  });

  test('stopped and continued: the old one finds a newer token, does nothing and ends', async (t) => {
    const heads = twoHeads(t);
    const a = heads.start('A', { IDLE_NODE_WAIT_TIME: 2 });
    await atWork(a);
    const b = heads.start('B', { IDLE_NODE_WAIT_TIME: 2 }, '--standby');
    await until('B stands by', () => /is at work/.test(b.log()));
    heads.jobs('1');
    await ready(a, 'c1');

    a.signal('SIGSTOP');
    const silence = performance.now();
    heads.jobs();
    await atWork(b);
    const took = performance.now() - silence;
    assert.ok(took < TAKEOVER, `it took ${Math.round(took)} ms`);
    await until('B deletes the idle node', () => heads.machines().length === 0);
    await until('c1 is free', async () => (await b.nodes())[0]?.state === 'free');

    // A, as far as it knows, has a ready node and a job to create another one for.
    mark(heads, 'continued');
    heads.jobs('2', '3');
    a.signal('SIGCONT');
    assert.equal(await a.exited, 3);
    assert.match(
      a.log(),
      /another hybrid-cloud has taken over \(pid \d+ on .* with token 2; ours is 1\): this one does nothing more and ends/,
    );
    await ready(b, 'c1');
    await ready(b, 'c2');
    assert.deepEqual(after(heads, 'continued', 'A'), []);
    assert.equal(heads.machines().length, 2);
  });

  test('started at once: one works, one stands by; at its orderly end the other goes on at once', async (t) => {
    const heads = twoHeads(t);
    const both = [heads.start('A', {}, '--standby'), heads.start('B', {}, '--standby')];
    const active = async () => {
      const found = await Promise.all(
        both.map((head) =>
          head.status().then(
            (view) => view.active?.pid === head.pid,
            () => false,
          ),
        ),
      );
      return both.filter((_, index) => found[index]);
    };
    await until('one is at work', async () => (await active()).length === 1);
    heads.jobs('1');
    await until('it works', () => heads.machines().length === 1);
    const [first] = await active();
    assert.ok(first !== undefined);
    const other = both.find((head) => head !== first);
    assert.ok(other !== undefined);
    await until('the other stands by', () => /is at work/.test(other.log()));
    assert.deepEqual(after(heads, '', other.name), []);
    first.signal('SIGTERM');
    assert.equal(await first.exited, 0);
    await atWork(other);
    assert.doesNotMatch(other.log(), /no sign of life for 5 s.*took over/);
    await until('it knows the host', async () => (await other.nodes())[0]?.state === 'ready');
    assert.equal(heads.machines().length, 1);
  });

  test('a create that was under way and arrives after the takeover makes no second machine', async (t) => {
    const heads = twoHeads(t);
    const a = heads.start('A', {}, '--standby');
    await atWork(a);
    const b = heads.start('B', {}, '--standby');
    await until('B stands by', () => /is at work/.test(b.log()));
    heads.late('A');
    heads.jobs('1');
    await until('A asks', () => heads.changes().includes('A create'));
    a.signal('SIGSTOP');
    await ready(b, 'c1');
    assert.ok(heads.changes().includes('B create'), 'B asked with the lease of the journal');
    const before = heads.machines();
    assert.equal(before.length, 1);
    heads.letThrough('A');
    await until('the late call has arrived', () => heads.arrived('A'), 60);
    assert.deepEqual(heads.machines(), before);
    a.signal('SIGCONT');
    assert.equal(await a.exited, 3);
    assert.deepEqual(heads.machines(), before);
  });

  test('several pools change hands together', async (t) => {
    const heads = twoHeads(t);
    heads.yaml(`pools:
  - name: one
    queue: cloud
    hosts: { '2001:db8::1': c1 }
  - name: two
    queue: other
    hosts: { '2001:db8::2': c2 }
`);
    const ask = <T>(head: Head, path: string) =>
      apiClient(join(heads.dir, `${head.name}.sock`)).get<{ pools: { pool: string; view: T }[] }>(path);
    const states = async (head: Head) =>
      (await ask<NodeView[]>(head, '/nodes')).pools.map(({ view }) => view[0]?.state);
    const a = heads.start('A', {}, '--standby');
    await until('A works', async () => (await ask<StatusView>(a, '/status')).pools.length === 2);
    const b = heads.start('B', {}, '--standby');
    heads.jobs('1');
    await until('both pools have a node', async () => (await states(a)).every((state) => state === 'ready'));
    await until('B stands by', () => /is at work/.test(b.log()));
    const before = heads.machines();
    a.signal('SIGKILL');
    await until('B has both', async () => (await states(b)).every((state) => state === 'ready'));
    const { pools } = await ask<StatusView>(b, '/status');
    assert.deepEqual(
      pools.map(({ pool, view }) => [pool, view.active?.pid, view.active?.token]),
      [
        ['one', b.pid, 2],
        ['two', b.pid, 2],
      ],
    );
    assert.deepEqual(heads.machines(), before);
  });

  test('each with a state of its own: the records are rebuilt, and nothing is created before the list was seen', async (t) => {
    const heads = twoHeads(t);
    const own = (name: string) => ({
      STATE_DIR: join(heads.dir, `state-${name}`),
      STANDBY_DIR: join(heads.dir, 'shared'),
    });
    const a = heads.start('A', own('A'), '--standby');
    await atWork(a);
    const b = heads.start('B', own('B'), '--standby');
    await until('B stands by', () => /is at work/.test(b.log()));
    heads.jobs('1');
    await ready(a, 'c1');
    const before = heads.machines();
    a.signal('SIGKILL');
    await atWork(b);
    await ready(b, 'c1');
    assert.deepEqual(heads.machines(), before, 'c1 was found at work');
    heads.jobs('1', '2');
    await until('it waits with creating', async () => (await b.status()).brake?.kind === 'ambiguous');
    assert.match((await b.status()).brake?.message ?? '', /records were lost/);
    assert.deepEqual(
      after(heads, '', 'B').filter((line) => line.includes('create')),
      [],
    );
    rmSync(join(heads.dir, 'jobs'));
  });
});
