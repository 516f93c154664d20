import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { manualClock } from '../../lib/clock.ts';
import type { Run, RunResult } from '../../lib/run.ts';
import { lab } from './lab.ts';
import type { LabParts } from './parts.ts';
import { labPlace } from './place.ts';

interface Stage {
  readonly parts: LabParts;
  /** Scripts in the order they were called. */
  readonly called: string[];
  readonly text: () => string;
  readonly abort: AbortController;
}

/** Scripts that only answer; `answer` says how, by the script's name. */
function stage(answer: (script: string, abort: AbortController) => Partial<RunResult>): Stage {
  const called: string[] = [];
  const abort = new AbortController();
  const out = new PassThrough();
  const err = new PassThrough();
  const run: Run = async (command) => {
    const script =
      /\/lab\/([a-z]+)\.sh$/.exec(command.find((word) => word.endsWith('.sh')) ?? '')?.[1] ?? command[3] ?? '';
    called.push(script);
    const nothing = { signal: null, stdout: '', stderr: '', took: 0, timedOut: false, aborted: false };
    return { command, code: 0, ...nothing, cut: false, notFound: false, ...answer(script, abort) };
  };
  const parts: LabParts = {
    run,
    clock: manualClock(),
    place: labPlace({ LAB_DIR: '/nowhere/lab' }),
    root: '/project',
    nodeBinary: '/node',
    out,
    err,
    color: false,
    columns: () => 80,
    rows: () => 24,
    isTerminal: false,
    openClient: () => ({ get: () => Promise.reject(new Error('nobody answers')) }),
    signal: abort.signal,
  };
  const text = () => `${out.read() ?? ''}${err.read() ?? ''}`;
  return { parts, called, text, abort };
}

test('lab up installs, brings up and says how to go on', async () => {
  const { parts, called, text } = stage(() => ({}));
  assert.equal(await lab({ mode: 'up', json: false }, parts), 0);
  assert.deepEqual(called, ['install', 'up']);
  assert.match(text(), /export SLURM_CONF=\/nowhere\/lab\/slurm\.conf/);
});

test('lab --vcp builds its images after the installation and before anything is up', async () => {
  const { parts, called } = stage(() => ({}));
  const place = labPlace({ LAB_DIR: '/nowhere/lab', LAB_CLOUD: 'vcp' });
  assert.equal(await lab({ mode: 'up', json: false }, { ...parts, place }), 0);
  assert.deepEqual(called, ['install', 'images', 'up']);
});

for (const mode of ['up', 'once'] as const) {
  test(`Ctrl-C while lab --vcp builds its images leaves nothing to take down (${mode})`, async () => {
    const { parts, called } = stage((script, abort) => {
      if (script !== 'images') return {};
      abort.abort();
      return { code: null, signal: 'SIGTERM', aborted: true };
    });
    const place = labPlace({ LAB_DIR: '/nowhere/lab', LAB_CLOUD: 'vcp' });
    assert.equal(await lab({ mode, json: false }, { ...parts, place }), 130);
    assert.deepEqual(called, ['install', 'images']);
  });
}

test('an image that is not built is said in the words of the script', async () => {
  const { parts, called, text } = stage((script) =>
    script === 'images' ? { code: 1, stderr: 'lab: the image vcpsdk was not built\n' } : {},
  );
  const place = labPlace({ LAB_DIR: '/nowhere/lab', LAB_CLOUD: 'vcp' });
  assert.equal(await lab({ mode: 'once', json: false }, { ...parts, place }), 1);
  assert.deepEqual(called, ['install', 'images']);
  assert.match(text(), /^the image vcpsdk was not built$/m);
});

test('lab down takes away whatever is there', async () => {
  const { parts, called } = stage(() => ({}));
  assert.equal(await lab({ mode: 'down', json: false }, parts), 0);
  assert.deepEqual(called, ['down']);
});

test('what cannot be installed is said in the words of the script, and nothing is brought up', async () => {
  const { parts, called, text } = stage(() => ({ code: 1, stderr: 'lab: missing: slurmd. Type: sudo apt-get ...\n' }));
  assert.equal(await lab({ mode: 'once', json: false }, parts), 1);
  assert.deepEqual(called, ['install']);
  assert.match(text(), /^missing: slurmd\. Type: sudo apt-get/m);
});

test('a service that does not start leaves nothing up', async () => {
  const { parts, called, text } = stage((script) =>
    script === 'daemon' ? { code: 1, stderr: 'lab: it ended\n' } : {},
  );
  assert.equal(await lab({ mode: 'once', json: false }, parts), 1);
  assert.deepEqual(called, ['install', 'up', 'daemon', 'down']);
  assert.match(text(), /^it ended$/m);
});

for (const where of ['up', 'daemon']) {
  test(`Ctrl-C while ${where}.sh runs takes everything down and ends with 130`, async () => {
    const { parts, called } = stage((script, abort) => {
      if (script !== where) return {};
      abort.abort();
      return { code: null, signal: 'SIGTERM', aborted: true };
    });
    assert.equal(await lab({ mode: 'once', json: false }, parts), 130);
    assert.equal(called.at(-1), 'down');
  });
}

test('Ctrl-C that only the script has heard of is an interruption too', async () => {
  const { parts, called } = stage((script) => (script === 'up' ? { code: null, signal: 'SIGINT' } : {}));
  assert.equal(await lab({ mode: 'once', json: false }, parts), 130);
  assert.deepEqual(called, ['install', 'up', 'down']);
});

test('Ctrl-C during the installation lets it end and brings nothing up', async () => {
  const { parts, called } = stage((_, abort) => {
    abort.abort();
    return {};
  });
  assert.equal(await lab({ mode: 'once', json: false }, parts), 130);
  assert.deepEqual(called, ['install']);
});

test('down takes only the lab that this command brought up: every script gets the same owner', async () => {
  const owners = new Set<string>();
  const { parts } = stage((script) => (script === 'daemon' ? { code: 1, stderr: 'lab: no\n' } : {}));
  const run: Run = (command, options) => {
    owners.add(command.find((word) => word.startsWith('LAB_OWNER=')) ?? 'nobody');
    return parts.run(command, options);
  };
  assert.equal(await lab({ mode: 'once', json: false }, { ...parts, run }), 1);
  assert.equal(owners.size, 1);
  assert.ok(!owners.has('nobody'));
});
