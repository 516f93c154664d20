import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CloudError } from '../../domain/errors.ts';
import { manualClock } from '../../lib/clock.ts';
import { quietLog } from '../../lib/log.ts';
import type { Converse, RunResult } from '../../lib/run.ts';
import { makeSecrets } from './secrets.ts';
import { makeTalk, type Talk } from './talk.ts';

type Reply = (request: { id: number; op: string }, say: (message: object) => void, die: () => void) => void;

const HELLO = { hello: { protocol: 1, python: '3.11.2' } };
const opened: Reply = ({ id, op }, say) => {
  if (op === 'open') say({ id, ok: {} });
};

/** A Python side that answers as told, and a clock that stands still. */
function world(reply: Reply, { hello = HELLO as object | null, dies = false } = {}) {
  const clock = manualClock();
  const sent: string[] = [];
  const logged: string[] = [];
  let starts = 0;
  let ends = 0;
  const converse: Converse = (command, { onLine, onErrorLine }) => {
    starts += 1;
    let close: (result: RunResult) => void = () => {};
    const closed = new Promise<RunResult>((resolve) => {
      close = resolve;
    });
    const result = { command, code: 1, signal: null, stdout: '', stderr: 'docker: broken the-token', took: 5 };
    const flags = { timedOut: false, aborted: false, cut: false, notFound: false };
    const die = () => close({ ...result, ...flags });
    const say = (message: object) => onLine(JSON.stringify(message));
    queueMicrotask(() => {
      onErrorLine('noise with the-token in it');
      if (dies) die();
      else if (hello !== null) say(hello);
    });
    return {
      send(line) {
        sent.push(line);
        const request = JSON.parse(line) as { id: number; op: string };
        queueMicrotask(() => reply(request, say, die));
      },
      end() {
        ends += 1;
        die();
      },
      closed,
    };
  };
  const talk: Talk = makeTalk({
    converse,
    clock,
    log: { ...quietLog, debug: (text) => void logged.push(text) },
    command: ['docker', 'run'],
    open: { token: 'the-token' },
    limit: 60_000,
    clean: makeSecrets(['the-token']).clean,
    startFailure: (result) => new CloudError('temporary', `not started: ${result.stderr}`),
  });
  return { talk, clock, sent, logged, starts: () => starts, ends: () => ends };
}

const read = { change: false, signal: undefined };
const change = { change: true, signal: undefined };

async function fails(promise: Promise<unknown>): Promise<CloudError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown) => thrown,
  );
  assert.ok(error instanceof CloudError, `a CloudError, not ${error}`);
  return error;
}

describe('talking with the Python side', () => {
  test('it is started at the first request, opened once, and stays', async () => {
    const { talk, sent, starts } = world((request, say, die) => {
      opened(request, say, die);
      if (request.op === 'list') say({ id: request.id, ok: { n: request.id } });
    });
    assert.equal(starts(), 0);
    assert.deepEqual(await Promise.all([talk.ask('list', { a: 1 }, read), talk.ask('list', {}, read)]), [
      { n: 2 },
      { n: 3 },
    ]);
    await talk.ask('list', {}, read);
    assert.equal(starts(), 1);
    assert.deepEqual(
      sent.map((line) => (JSON.parse(line) as { op: string }).op),
      ['open', 'list', 'list', 'list'],
    );
    assert.equal((JSON.parse(sent[0] ?? '') as { token: string }).token, 'the-token');
    assert.equal(
      sent.slice(1).some((line) => line.includes('the-token')),
      false,
    );
  });

  test('answers may come in any order', async () => {
    const later: (() => void)[] = [];
    const { talk } = world((request, say, die) => {
      opened(request, say, die);
      if (request.op === 'slow') later.push(() => say({ id: request.id, ok: 'slow' }));
      if (request.op === 'fast') {
        say({ id: request.id, ok: 'fast' });
        for (const one of later) one();
      }
    });
    assert.deepEqual(await Promise.all([talk.ask('slow', {}, change), talk.ask('fast', {}, read)]), ['slow', 'fast']);
  });

  test('a death in the middle of a change is ambiguous, in the middle of a reading temporary', async () => {
    for (const [how, kind] of [
      [change, 'ambiguous'],
      [read, 'temporary'],
    ] as const) {
      const { talk } = world((request, say, die) => {
        opened(request, say, die);
        if (request.op === 'work') die();
      });
      assert.equal((await fails(talk.ask('work', {}, how))).kind, kind);
    }
  });

  test('after a death it is started again at once, and its token given again', async () => {
    let deaths = 1;
    const { talk, starts } = world((request, say, die) => {
      opened(request, say, die);
      if (request.op === 'work') deaths-- > 0 ? die() : say({ id: request.id, ok: 'done' });
    });
    await fails(talk.ask('work', {}, read));
    assert.equal(await talk.ask('work', {}, read), 'done');
    assert.equal(starts(), 2);
  });

  test('what dies again and again is tried less and less, and says why meanwhile', async () => {
    const { talk, clock, starts } = world(() => {}, { dies: true });
    const error = await fails(talk.ask('list', {}, read));
    assert.equal(error.message, 'not started: docker: broken [hidden]');
    await fails(talk.ask('list', {}, read));
    assert.equal(starts(), 2);
    assert.match((await fails(talk.ask('list', {}, read))).message, /broken \[hidden\]; tried again in 2 s/);
    assert.equal(starts(), 2);
    let tries = 0;
    for (let second = 0; second < 600; second++) {
      await clock.advance(1000);
      const before = starts();
      await fails(talk.ask('list', {}, read));
      tries += starts() - before;
    }
    assert.ok(tries >= 10 && tries <= 16, `${tries} tries in 10 minutes`);
  });

  test('a request over its limit ends the process: a hanging SDK is not asked again', async () => {
    for (const [how, kind] of [
      [change, 'ambiguous'],
      [read, 'temporary'],
    ] as const) {
      const { talk, clock, ends } = world(opened);
      const asked = fails(talk.ask('work', {}, how));
      await clock.advance(0);
      await clock.advance(60_000);
      const error = await asked;
      assert.equal(error.kind, kind);
      assert.match(error.message, /no answer from the VCP SDK within 60 s/);
      assert.equal(ends(), 1);
    }
  });

  test('an abort ends the wait and leaves the process', async () => {
    const { talk, ends } = world(opened);
    const stop = new AbortController();
    const asked = fails(talk.ask('work', {}, { change: true, signal: stop.signal }));
    setImmediate(() => stop.abort());
    assert.equal((await asked).kind, 'ambiguous');
    assert.equal(ends(), 0);
  });

  test('one that never says hello is given up', async () => {
    const { talk, clock, ends } = world(() => {}, { hello: null });
    const asked = fails(talk.ask('list', {}, read));
    await clock.advance(300_000);
    assert.match((await asked).message, /did not start within 5 min/);
    assert.equal(ends(), 1);
  });

  test('one of another version is refused with what to do', async () => {
    const { talk } = world(() => {}, { hello: { hello: { protocol: 2, python: '3.8.1' } } });
    const error = await fails(talk.ask('list', {}, read));
    assert.deepEqual([error.kind, error.hint], ['config', 'use helpers/vcp of this installation']);
  });

  test('a refused token is not shown again at every look', async () => {
    let opens = 0;
    const { talk, clock } = world(({ id, op }, say) => {
      if (op === 'open') opens += 1;
      const error = { code: null, stage: 'open', type: 'E', text: 'VCPAuthException: token lookup is failed', log: '' };
      say({ id, error });
    });
    assert.equal((await fails(talk.ask('list', {}, read))).kind, 'auth');
    assert.equal((await fails(talk.ask('list', {}, read))).kind, 'auth');
    assert.equal(opens, 1);
    await clock.advance(30_000);
    await fails(talk.ask('list', {}, read));
    assert.equal(opens, 2);
  });

  test('the token is hidden in the log and in every error', async () => {
    const { talk, logged } = world((request, say, die) => {
      opened(request, say, die);
      const error = { code: null, stage: 'before', type: 'E', text: 'bad token the-token', log: 'the-token' };
      if (request.op === 'list') say({ id: request.id, error });
    });
    const error = await fails(talk.ask('list', {}, read));
    assert.equal(error.message, 'the VCP SDK failed: bad token [hidden]');
    assert.doesNotMatch(JSON.stringify([error.facts, error.stack, logged]), /the-token/);
    assert.deepEqual(logged, ['vcp: noise with [hidden] in it']);
  });

  test('lines that are no answers are passed over', async () => {
    const { talk, logged } = world((request, say, die) => {
      opened(request, say, die);
      say({ nonsense: true });
      say({ id: 'one', ok: {} });
      if (request.op === 'list') say({ id: request.id, ok: 1 });
    });
    assert.equal(await talk.ask('list', {}, read), 1);
    assert.equal(logged.filter((line) => line.startsWith('vcp: not understood')).length, 4);
  });
});
