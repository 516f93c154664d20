import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { converse, type RunResult } from './run.ts';

/** A shell that talks; what it says is kept, and `said` resolves with each line in turn. */
function talkTo(script: string) {
  const lines: string[] = [];
  const errors: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  const onLine = (line: string) => {
    const next = waiting.shift();
    if (next) next(line);
    else lines.push(line);
  };
  const talk = converse(['sh', '-c', script], { onLine, onErrorLine: (line) => void errors.push(line) });
  const said = () => {
    const line = lines.shift();
    return line === undefined ? new Promise<string>((resolve) => waiting.push(resolve)) : Promise.resolve(line);
  };
  return { talk, said, errors, lines };
}

describe('a conversation', { timeout: 20_000 }, () => {
  test('goes line by line in both directions and ends when our side ends', async () => {
    const { talk, said, errors } = talkTo(
      'echo hello; while read -r line; do echo "you said $line"; done; echo bye >&2',
    );
    assert.equal(await said(), 'hello');
    talk.send('one');
    assert.equal(await said(), 'you said one');
    talk.send('two');
    assert.equal(await said(), 'you said two');
    talk.end(5000);
    const result = await talk.closed;
    assert.deepEqual([result.code, result.signal, result.notFound], [0, null, false]);
    assert.deepEqual(errors, ['bye']);
    assert.equal(result.stderr, 'bye');
  });

  test('several lines in one write are several lines, and one line in two writes is one', async () => {
    const { talk, said } = talkTo('printf "a\\nb\\nc"; read -r go; printf "d\\n"; read -r end');
    assert.deepEqual([await said(), await said()], ['a', 'b']);
    talk.send('go');
    assert.equal(await said(), 'cd');
    talk.end(5000);
    await talk.closed;
  });

  test('a child that does not end by itself is killed after the grace', async () => {
    const { talk, said } = talkTo('trap "" TERM; echo up; while :; do sleep 0.1; done');
    await said();
    talk.end(50);
    const result = await talk.closed;
    assert.equal(result.signal, 'SIGKILL');
  });

  test('half a line at the end is no line', async () => {
    const { talk, said, lines } = talkTo('echo whole; printf half');
    assert.equal(await said(), 'whole');
    await talk.closed;
    assert.deepEqual(lines, []);
  });

  test('a program that does not exist ends at once and says so', async () => {
    const talk = converse(['/no/such/program'], { onLine() {}, onErrorLine() {} });
    talk.send('lost');
    const result: RunResult = await talk.closed;
    assert.equal(result.notFound, true);
  });

  test('writing to a child that has ended does no harm', async () => {
    const { talk } = talkTo('exit 3');
    assert.equal((await talk.closed).code, 3);
    talk.send('too late');
    talk.end(0);
  });

  test('lines of standard error are cut, and the last ones are kept', async () => {
    const { talk, errors } = talkTo(
      'i=0; while [ $i -lt 30 ]; do echo "line $i" >&2; i=$((i+1)); done; printf "%05000d\\n" 7 >&2',
    );
    const result = await talk.closed;
    assert.equal(errors.length, 31);
    assert.equal(errors.at(-1)?.length, 2000);
    assert.equal(result.stderr.split('\n').length, 20);
  });

  test('the child gets nothing of our environment but what it needs', async () => {
    process.env.HC_CONVERSE_SECRET = 'do-not-pass-on';
    try {
      const { talk, said } = talkTo('echo "[$HC_CONVERSE_SECRET]"');
      assert.equal(await said(), '[]');
      await talk.closed;
    } finally {
      delete process.env.HC_CONVERSE_SECRET;
    }
  });
});
