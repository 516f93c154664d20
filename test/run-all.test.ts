import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { manualClock, systemClock } from '../src/lib/clock.ts';
import { run } from '../src/lib/run.ts';
import { runTests } from './run-all.ts';

const HEAD = "import test from 'node:test'; import assert from 'node:assert/strict';\n";
const GOOD = `${HEAD}test('adds', () => assert.equal(1 + 1, 2)); test('suite of one', (t) => t.test('inside', () => {}));`;

/** Runs the runner on a made-up project of these files. */
async function runOn(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = ['test.ts'],
  env: Readonly<Record<string, string>> = {},
) {
  const root = await mkdtemp(join(tmpdir(), 'hc-run-all-'));
  t.after(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  let text = '';
  const code = await runTests(args, {
    root,
    node: process.execPath,
    run,
    clock: systemClock,
    write: (more) => {
      text += more;
    },
    env: { PATH: '/usr/bin:/bin', ...env },
    signal: t.signal,
  });
  return { code, text, last: text.trimEnd().split('\n').at(-1) };
}

test('passing files are counted, and the last line is the sum', async (t) => {
  const { code, text, last } = await runOn(t, { 'src/a/a.test.ts': GOOD, 'test/b.test.ts': GOOD, 'src/a/a.ts': '' });
  assert.match(text, /ok {4}src\/a\/a\.test\.ts +3 passed/);
  assert.match(text, /ok {4}test\/b\.test\.ts +3 passed/);
  assert.equal(last, '6 passed, 0 failed, 0 skipped');
  assert.equal(code, 0);
});

test('a failure is shown in full, once, with what was expected', async (t) => {
  const bad = `${HEAD}test('outer', (t) => t.test('sums are right', () => assert.equal(1 + 1, 3)));`;
  const { code, text, last } = await runOn(t, { 'src/bad.test.ts': bad, 'src/good.test.ts': GOOD });
  assert.match(text, /FAIL {2}src\/bad\.test\.ts/);
  assert.match(text, /sums are right\n.*Expected values to be strictly equal/);
  assert.match(text, /2 !== 3/);
  assert.match(text, /Failed:\n {2}src\/bad\.test\.ts: sums are right\n/);
  assert.equal(last, '3 passed, 1 failed, 0 skipped');
  assert.equal(code, 1);
});

const brokenFiles: [string, string, RegExp][] = [
  ['cannot be loaded', "import './not-there.ts';", /Cannot find module/],
  ['ends with an error of its own', `${GOOD} process.on('exit', () => { process.exitCode = 3; });`, /ended with 3/],
  ['holds no test', 'export {};', /holds no test/],
  [
    'never ends',
    `// time limit: 1 s\n${HEAD}setInterval(() => {}, 1000); test('done', () => {}); test('hangs', () => new Promise(() => {}));`,
    /gave no end within .*unfinished: hangs/,
  ],
];
for (const [what, source, message] of brokenFiles) {
  test(`a file that ${what} is one failure`, async (t) => {
    const { code, text, last } = await runOn(t, { 'src/broken.test.ts': source });
    assert.match(text, message);
    assert.match(last ?? '', /^\d passed, 1 failed, 0 skipped$/);
    assert.equal(code, 1);
  });
}

const skipping = `${HEAD}
  test('one', { skip: 'needs Slurm' }, () => {}); test('two', (t) => t.skip('needs Slurm'));
  test('three', { skip: 'not applicable: the fake loses nothing' }, () => {}); test('four', () => {});`;

test('skips are told with their reasons, and pass where nobody asked for everything', async (t) => {
  const { code, text, last } = await runOn(t, { 'test/s.test.ts': skipping });
  assert.match(text, /could not run:\n {2}needs Slurm \(2 tests in test\/s\.test\.ts\)/);
  assert.match(text, /on purpose:\n {2}not applicable: the fake loses nothing \(1 test in/);
  assert.equal(last, '1 passed, 0 failed, 3 skipped');
  assert.equal(code, 0);
});

test('under CI=true a skip for want of something fails, a skip on purpose does not', async (t) => {
  const lacking = await runOn(t, { 'test/s.test.ts': skipping }, ['test.ts'], { CI: 'true' });
  assert.match(lacking.text, /CI=true: what this machine could not run counts as a failure/);
  assert.equal(lacking.code, 1);
  assert.equal(lacking.last, '1 passed, 0 failed, 3 skipped');
  const fine = `${HEAD}test('a', { skip: 'not applicable: no' }, () => {}); test('b', () => {});`;
  assert.equal((await runOn(t, { 'test/s.test.ts': fine }, ['test.ts'], { CI: 'true' })).code, 0);
});

test('a skip without a reason is a failure', async (t) => {
  const silent = `${HEAD}test('a', { skip: true }, () => {}); test('b', () => {});`;
  const { code, text, last } = await runOn(t, { 'src/s.test.ts': silent });
  assert.match(text, /skipped without saying why/);
  assert.equal(last, '1 passed, 1 failed, 0 skipped');
  assert.equal(code, 1);
});

test('filters choose by path, --unit leaves out test/, and nothing chosen is a failure', async (t) => {
  const files = { 'src/a/one.test.ts': GOOD, 'src/b/two.test.ts': GOOD, 'test/one.test.ts': GOOD };
  assert.equal((await runOn(t, files, ['one'])).last, '6 passed, 0 failed, 0 skipped');
  assert.equal((await runOn(t, files, ['one', '--unit'])).last, '3 passed, 0 failed, 0 skipped');
  assert.equal((await runOn(t, files, ['src/b', 'test/'])).last, '6 passed, 0 failed, 0 skipped');
  const none = await runOn(t, files, ['three']);
  assert.deepEqual([none.code, none.last], [1, '0 passed, 0 failed, 0 skipped']);
  assert.match(none.text, /no test ran/);
  assert.equal((await runOn(t, files, ['--fast'])).code, 2);
});

test('lint and types count as one test each, and fail where their programs are missing', async (t) => {
  const { code, text, last } = await runOn(t, { 'src/a.test.ts': GOOD }, []);
  assert.match(text, /FAIL {2}lint/);
  assert.match(text, /FAIL {2}types/);
  assert.equal(last, '3 passed, 2 failed, 0 skipped');
  assert.equal(code, 1);
});

test('a long silence is broken by the names of what is running', async () => {
  const clock = manualClock();
  const { promise: gone, resolve: finish } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  let text = '';
  const over = runTests(['lint'], {
    root: '/nowhere',
    node: 'node',
    run: async (command, options) => {
      begin();
      await gone;
      return run(['true', ...command.slice(0, 0)], { timeout: options.timeout });
    },
    clock,
    write: (more) => {
      text += more;
    },
    env: {},
  });
  await begun;
  await clock.advance(61_000);
  finish();
  assert.equal(await over, 0);
  assert.equal(text.match(/^\.\.\. {3}running: lint \d+\.\d s$/gm)?.length, 2);
});
