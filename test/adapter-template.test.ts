/**
 * The template of docs/writing-a-batch-adapter.md, taken out of the page as it stands: it is checked by the compiler's
 * rules for the tree (it runs by type stripping) and keeps the whole contract, on a `jobctl` played by the fake.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { batchContract, type WorldJob } from '../src/batch/batch.contract.ts';
import type { Batch } from '../src/batch/batch.ts';
import { type FakeBatch, makeFakeBatch } from '../src/batch/fake.ts';
import { BatchError } from '../src/domain/errors.ts';
import { type Clock, manualClock } from '../src/lib/clock.ts';
import type { Run, RunResult } from '../src/lib/run.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs', 'writing-a-batch-adapter.md'), 'utf8');
const [, template = ''] = /```ts\n(.*?)```/s.exec(page) ?? [];

interface Template {
  makeJobctl(parts: { run: Run; clock: Clock; timeout: number }): Batch;
}

const dir = mkdtempSync(join(tmpdir(), 'hc-template-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const path = join(dir, 'jobctl.ts');
const placed = template
  .replaceAll("from '../../", `from '${pathToFileURL(join(root, 'src'))}/`)
  .replaceAll("from '../", `from '${pathToFileURL(join(root, 'src', 'batch'))}/`)
  .replaceAll("from 'zod'", `from '${import.meta.resolve('zod')}'`);
writeFileSync(path, placed);
const { makeJobctl } = (await import(pathToFileURL(path).href)) as Template;

const HOSTS = ['c1', 'c2', 'c3'];

/** What a `jobctl` would print of the fake's cluster. */
function jobctl(fake: FakeBatch): Run {
  return async (command, { signal }) => {
    const [, what = '', ...words] = command;
    const said = async (): Promise<Partial<RunResult>> => {
      if (what === 'version') return { stdout: 'jobctl 1.0\n' };
      const queue = what === 'jobs' ? (words[0] ?? '') : 'cloud';
      const status = await fake.getStatus(queue, [...HOSTS], signal);
      if (what === 'open') await fake.joinCluster(words);
      if (what === 'close') await fake.leaveCluster(words.slice(1), (words[0] ?? '').replace(/^hybrid-cloud: /, ''));
      if (what === 'jobs') return { stdout: JSON.stringify(status.jobs.flatMap((job) => jobRecords(job))) };
      return { stdout: JSON.stringify(what === 'nodes' ? status.nodes.map(nodeRecord) : []) };
    };
    const result = { command, code: 0, signal: null, stdout: '', stderr: '', took: 1 };
    const flags = { timedOut: false, aborted: false, cut: false, notFound: false };
    try {
      return { ...result, ...flags, ...(await said()) };
    } catch (error) {
      assert.ok(error instanceof BatchError);
      const stderr = error.kind === 'no-queue' ? 'jobctl: no such queue\n' : 'jobctl: no answer\n';
      return { ...result, ...flags, code: 1, stderr, aborted: signal?.aborted === true };
    }
  };
}

type Status = Awaited<ReturnType<FakeBatch['getStatus']>>;

function nodeRecord(node: Status['nodes'][number]): unknown {
  const taken = { cpusTaken: node.cpus - node.cpusFree, memoryTaken: node.memoryMiB - node.memoryFreeMiB };
  const closedFor = node.closed === 'no' ? null : node.reason;
  const { host: name, registration: started, jobs, cpus, memoryMiB: memory } = node;
  return {
    name,
    state: node.responding ? 'up' : 'down',
    closedFor,
    started,
    queues: ['cloud'],
    jobs,
    cpus,
    memory,
    ...taken,
  };
}

/** This system shows each task of an array for itself. */
function jobRecords(job: Status['jobs'][number]): unknown[] {
  const { ask, array, taskLimit: limit, name, user, priority, hosts } = job;
  const state = job.state === 'running' ? 'running' : job.helped === 'no' ? 'held' : 'queued';
  const { nodes, cpus, memoryMiB: memory, exclusive: alone } = ask;
  return Array.from({ length: job.tasks }, (_, i) => ({
    ...{ id: job.tasks === 1 ? job.id : `${job.id}.${i}`, array, limit, name, user, state },
    ...{ nodes, cpus, memory, alone, priority, hosts },
  }));
}

batchContract('the template', async () => {
  const hosts = HOSTS.map((name) => ({ name, cpus: 4, memoryMiB: 1000 }));
  const fake = makeFakeBatch({ clock: manualClock(), hosts, queue: 'cloud' });
  const batch = makeJobctl({ run: jobctl(fake), clock: manualClock(), timeout: 1000 });
  return {
    ...{ batch, queue: 'cloud', hosts: HOSTS, stranger: 'c9' },
    submit: async (job: WorldJob) => fake.submit({ memoryMiB: 100, ...job }),
    finish: async (id: string) => fake.finish(id),
    startNode: async (host: string) => fake.nodeUp(host),
    stopNode: async (host: string) => fake.nodeDown(host),
    personDrain: async (host: string, reason: string | null) => fake.personDrain(host, reason),
    stopServer: async () => fake.fail('silent'),
    startServer: async () => fake.fail(null),
    async waitFor(what, so) {
      fake.schedule();
      const status = await batch.getStatus('cloud', HOSTS);
      assert.ok(so(status), `${what}: ${JSON.stringify(status)}`);
      return status;
    },
    dispose: async () => {},
  };
});

test('the page shows what it speaks of: the template uses nothing that is not there', () => {
  assert.match(template, /export function makeJobctl/);
  assert.doesNotMatch(template, /TODO|\bany\b|process\.|Date\.now/);
  for (const file of page.matchAll(/`((?:src|test|docs)\/[\w./-]+)`/g)) {
    const name = file[1] ?? '';
    if (name.includes('NAME') || name.includes('jobctl')) continue;
    assert.ok(existsSync(join(root, name)), name);
  }
});
