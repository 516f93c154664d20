import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SimJob } from './job.ts';
import { makeScheduler, type Scheduler } from './scheduler.ts';

let number = 0;

function job(id: string, nodes: number, limit: number, more: Partial<SimJob> = {}): SimJob {
  return { id, number: number++, submit: 0, run: limit, limit, nodes, cpus: 1, memoryMiB: 0, ...more };
}

function site(hosts: number, open = hosts, cpus = 1, memoryMiB = 0): Scheduler {
  const scheduler = makeScheduler({ hosts, cpus, memoryMiB });
  for (let host = 0; host < open; host++) scheduler.setOpen(host, true);
  return scheduler;
}

const started = (scheduler: Scheduler, now = 0) => scheduler.pass(now).map((one) => one.job.id);

test('first come, first served, on the first hosts there are', () => {
  const scheduler = site(3);
  for (const one of [job('a', 1, 10), job('b', 1, 10), job('c', 1, 10), job('d', 1, 10)]) scheduler.submit(one);
  assert.deepEqual(started(scheduler), ['a', 'b', 'c']);
  assert.deepEqual(
    [...scheduler.running.values()].map((one) => one.hosts),
    [[0], [1], [2]],
  );
});

test('a job passes one that cannot start when it ends before that one could', () => {
  const scheduler = site(3);
  for (const one of [job('a', 2, 100), job('wide', 3, 50), job('short', 1, 100), job('long', 1, 101)])
    scheduler.submit(one);
  assert.deepEqual(started(scheduler), ['a', 'short']);
});

test('a job passes one that cannot start when it uses hosts that one does not need', () => {
  const scheduler = site(4);
  for (const one of [job('a', 2, 100), job('wide', 3, 50), job('long', 1, 1000), job('too long', 1, 1000)])
    scheduler.submit(one);
  assert.deepEqual(started(scheduler), ['a', 'long']);
});

test('the reservation holds: the wide job starts as soon as there is room', () => {
  const scheduler = site(3);
  const a = job('a', 2, 100);
  for (const one of [a, job('wide', 3, 50), job('long', 1, 1000)]) scheduler.submit(one);
  assert.deepEqual(started(scheduler), ['a']);
  scheduler.end(a);
  assert.deepEqual(started(scheduler, 60), ['wide']);
});

test('a job that needs more hosts than are open holds nobody up', () => {
  const scheduler = site(3, 2);
  for (const one of [job('wide', 3, 50), job('long', 1, 1000)]) scheduler.submit(one);
  assert.deepEqual(started(scheduler), ['long']);
  scheduler.setOpen(2, true);
  assert.deepEqual(started(scheduler), []);
});

test('a closed host gets no job; what runs there goes on', () => {
  const scheduler = site(1);
  const a = job('a', 1, 10);
  scheduler.submit(a);
  assert.deepEqual(started(scheduler), ['a']);
  scheduler.setOpen(0, false);
  scheduler.submit(job('b', 1, 10));
  assert.deepEqual(scheduler.end(a), [0]);
  assert.deepEqual(started(scheduler), []);
});

test('hosts are shared by CPUs and by memory', () => {
  const scheduler = site(2, 2, 4, 1000);
  for (const one of [
    job('a', 1, 10, { cpus: 3, memoryMiB: 100 }),
    job('b', 1, 10, { cpus: 2, memoryMiB: 950 }),
    job('c', 1, 10, { cpus: 1, memoryMiB: 900 }),
    job('d', 1, 10, { cpus: 1, memoryMiB: 1 }),
  ])
    scheduler.submit(one);
  assert.deepEqual(started(scheduler), ['a', 'b', 'c', 'd']);
  assert.deepEqual(
    [...scheduler.running.values()].map((one) => one.hosts[0]),
    [0, 1, 0, 1],
  );
  assert.deepEqual([scheduler.freeCpus(0), scheduler.freeMemory(1)], [0, 49]);
});

test('a job that runs over its limit is expected to end at any moment', () => {
  const scheduler = site(2);
  scheduler.submit(job('over', 1, 10));
  started(scheduler);
  scheduler.submit(job('wide', 2, 10));
  scheduler.submit(job('short', 1, 5));
  assert.deepEqual(started(scheduler, 1000), [], 'nothing may start on the host that the wide job will have at once');
});
