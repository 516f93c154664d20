/** Whatever is called: asked first when it changes something, never when it only reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../batch/batch.ts';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { BatchError, CloudError, PrepareError } from '../domain/errors.ts';
import { fenced } from './fence.ts';

const HOST = { name: 'c1', ip: '10.0.0.1' };

function world() {
  const calls: string[] = [];
  const said = <T>(name: string, answer: T) => {
    calls.push(name);
    return Promise.resolve(answer);
  };
  const batch: Batch = {
    family: 'fake',
    checkVersion: () => said('version', { text: '1', version: [1] }) as never,
    getStatus: () => said('status', {}) as never,
    joinCluster: () => said('join', []),
    leaveCluster: () => said('leave', []),
    tell: () => said('tell', undefined),
  };
  const cloud: Cloud = {
    kind: 'fake',
    check: () => said('check', ''),
    list: () => said('list', []),
    create: () => said('create', []),
    delete: () => said('delete', []),
  };
  const bootstrap: Bootstrap = {
    kind: 'fake',
    check: () => said('ssh', ''),
    prepare: () => said('prepare', undefined),
    answers: () => said('answers', false),
    forget: () => said('forget', undefined),
  };
  let on = true;
  const check = () => {
    calls.push('asked');
    if (!on) throw new Error('not proven');
  };
  const off = () => {
    on = false;
  };
  const ports = fenced({ batch, clouds: [{ name: 'fake', cloud }], bootstrap }, check);
  const [one] = ports.clouds;
  assert.ok(one !== undefined);
  return { calls, ports: { ...ports, cloud: one.cloud }, off };
}

test('every change is asked for in the moment before it goes out', async () => {
  const { calls, ports } = world();
  const { batch, cloud, bootstrap } = ports;
  await batch.joinCluster(['c1']);
  await batch.leaveCluster(['c1'], 'x');
  await batch.tell?.('1', 'x');
  await cloud.create([]);
  await cloud.delete([]);
  await bootstrap.prepare(HOST, new AbortController().signal);
  const wanted = ['join', 'leave', 'tell', 'create', 'delete', 'prepare'].flatMap((name) => ['asked', name]);
  assert.deepEqual(calls, wanted);
});

test('reading is free', async () => {
  const { calls, ports } = world();
  await ports.batch.getStatus('q', []);
  await ports.batch.checkVersion();
  await ports.cloud.list();
  await ports.cloud.check();
  await ports.bootstrap.answers(HOST);
  assert.ok(!calls.includes('asked'));
});

test('what is not proven is not called, and fails as its port fails', async () => {
  const { calls, ports, off } = world();
  off();
  await assert.rejects(ports.batch.joinCluster(['c1']), BatchError);
  await assert.rejects(ports.batch.leaveCluster(['c1'], 'x'), BatchError);
  await assert.rejects(ports.cloud.create([]), (error) => error instanceof CloudError && error.kind === 'temporary');
  await assert.rejects(ports.cloud.delete([]), CloudError);
  await assert.rejects(ports.bootstrap.prepare(HOST, new AbortController().signal), PrepareError);
  assert.deepEqual(new Set(calls), new Set(['asked']));
});
