import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './run.ts';

test('lines are told while the child still runs, and the output is kept as it was', async () => {
  const lines: string[] = [];
  const stop = new AbortController();
  const result = await run(['sh', '-c', 'echo one; printf "two\\nthree"; exec 1>&-; exec sleep 60'], {
    timeout: 30_000,
    signal: stop.signal,
    onLine: (line) => {
      lines.push(line);
      if (line === 'three') stop.abort();
    },
  });
  assert.deepEqual(lines, ['one', 'two', 'three']);
  assert.equal(result.stdout, 'one\ntwo\nthree');
  assert.equal(result.aborted, true);
});

test('a child past its time limit is ended and said to be late', async () => {
  const result = await run(['sleep', '60'], { timeout: 50 });
  assert.equal(result.timedOut, true);
  assert.notEqual(result.code, 0);
});

test('a program that is not there is a result, not an exception', async () => {
  const result = await run(['/no/such/program'], { timeout: 1000 });
  assert.equal(result.notFound, true);
  assert.equal(result.code, null);
});

test('output over the limit is marked as cut', async () => {
  const result = await run(['sh', '-c', 'yes'], { timeout: 20_000, maxOutput: 1000 });
  assert.equal(result.cut, true);
});
