import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import type { EventView } from '../controller/view.ts';
import { BatchError } from '../domain/errors.ts';
import { manualClock, systemClock } from '../lib/clock.ts';
import { makeLog, quietLog } from '../lib/log.ts';
import { ApiError, apiClient } from './client.ts';
import { aPlan, type FakeControl, fakeControl } from './fake-control.ts';
import { adminSocket } from './paths.ts';
import { serve } from './server.ts';

/** A folder of our own, gone at the end of the test. */
function folder() {
  const path = mkdtempSync(join(tmpdir(), 'hc-api-'));
  return { path, socket: join(path, 'run', 'api.sock'), [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** One HTTP exchange as it is on the wire, without our client. */
async function raw(
  socketPath: string,
  method: string,
  path: string,
  body?: string,
  agent: Agent | false = false,
): Promise<{ status: number; json: { error?: { message: string } } }> {
  const call = request({ socketPath, method, path, agent });
  call.on('error', () => {}); // the server may answer and close before it has read a large body
  call.end(body);
  const [response] = await once(call, 'response');
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode, json: JSON.parse(text) };
}

const refused = (kind: string, message: RegExp, status?: number) => (error: unknown) => {
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.kind, kind);
  assert.match(error.message, message);
  if (status !== undefined) assert.equal(error.status, status);
  return true;
};

test('every view comes through the socket exactly as the controller gives it', async () => {
  using dir = folder();
  const control = fakeControl();
  control.emit({ text: 'c1 joined', subject: 'c1' });
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });
  const client = apiClient(dir.socket);

  assert.deepEqual(await client.get('/status'), control.status());
  assert.deepEqual(await client.get('/nodes'), control.nodes());
  assert.deepEqual(await client.get('/jobs'), control.jobs());
  assert.deepEqual(await client.get('/plan'), await control.plan());
  assert.deepEqual(await client.get('/explain/18'), control.explain('18'));
  assert.deepEqual(await client.get('/events?limit=5'), control.events(5));
  assert.deepEqual(await client.get('/version'), {
    version: '0.1.0',
    pid: 4242,
    startedAt: control.status().startedAt,
  });
});

test('changing commands reach the controller with host and asker, through the admin socket', async () => {
  using dir = folder();
  const control = fakeControl();
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });
  const client = apiClient(dir.socket);

  await client.post('/hold/c1', { by: 'taro' });
  await client.post('/release', { host: 'c1', by: 'taro' });
  await client.post('/release');
  await client.post('/drain/c2', { by: 'CAMPUS\\hanako' });
  await client.post('/cleanup', { by: 'taro' });
  assert.deepEqual(await client.post('/poke'), { ok: true, text: 'done: poke' });
  assert.deepEqual(control.told, [
    'hold c1 by taro',
    'release c1 by taro',
    'release everything by operator',
    'drain c2 by CAMPUS\\hanako',
    'cleanup by taro',
    'poke',
  ]);
});

test('the public socket reads and pokes, and refuses everything that changes something', async () => {
  using dir = folder();
  const control = fakeControl();
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });

  for (const path of ['/hold/c1', '/release', '/drain/c1', '/cleanup', '//hold/c1', '/poke/../hold/c1']) {
    const { status, json } = await raw(dir.socket, 'POST', path, '{}');
    assert.equal(status, 403, path);
    assert.match(json.error?.message ?? '', /admin socket/);
  }
  for (const method of ['PUT', 'DELETE', 'PATCH'])
    assert.equal((await raw(dir.socket, method, '/hold/c1')).status, 403);
  assert.equal((await raw(dir.socket, 'POST', '/poke')).status, 200);
  assert.deepEqual(control.told, ['poke']);
});

test('everybody may open the public socket, only the owner the admin socket, and the folder is made for them', async () => {
  using dir = folder();
  const before = process.umask(0o077);
  try {
    await using _server = await serve(fakeControl(), { socket: dir.socket, log: quietLog, clock: systemClock });
    assert.equal(statSync(dir.socket).mode & 0o777, 0o666);
    assert.equal(statSync(adminSocket(dir.socket)).mode & 0o777, 0o600);
    assert.equal(statSync(join(dir.path, 'run')).mode & 0o777, 0o755);
    assert.equal(process.umask(), 0o077, 'the umask of the process is put back');
  } finally {
    process.umask(before);
  }
});

test('a folder that exists keeps its permissions', async () => {
  using dir = folder();
  chmodSync(dir.path, 0o710);
  const socket = join(dir.path, 'api.sock');
  await using _server = await serve(fakeControl(), { socket, log: quietLog, clock: systemClock });
  assert.equal(statSync(dir.path).mode & 0o777, 0o710);
});

test('a second service is refused, is told the pid of the first, and leaves it as it is', async () => {
  using dir = folder();
  const parts = { socket: dir.socket, log: quietLog, clock: systemClock };
  await using _first = await serve(fakeControl(), parts);
  await assert.rejects(serve(fakeControl(), parts), /Another hybrid-cloud \(pid 4242\) answers at .*api\.sock/);
  assert.equal((await raw(dir.socket, 'GET', '/version')).status, 200);
  assert.equal((await raw(adminSocket(dir.socket), 'GET', '/version')).status, 200);
});

test('socket files a killed service left behind are replaced', async () => {
  using dir = folder();
  const parts = { socket: dir.socket, log: quietLog, clock: systemClock };
  await using stack = new AsyncDisposableStack();
  stack.use(await serve(fakeControl(), parts));
  await stack.disposeAsync();
  for (const path of [dir.socket, adminSocket(dir.socket)]) await leaveStale(path);
  await using _second = await serve(fakeControl(), parts);
  assert.equal((await raw(dir.socket, 'GET', '/version')).status, 200);
});

/** A socket file without a listener: bound under another name, renamed away from what close() removes. */
async function leaveStale(path: string): Promise<void> {
  const { renameSync } = await import('node:fs');
  const server = createServer().listen(`${path}.tmp`);
  await once(server, 'listening');
  renameSync(`${path}.tmp`, path);
  server.close();
  await once(server, 'close');
  assert.ok(statSync(path).isSocket());
}

test('a file that is no socket is never removed', async () => {
  using dir = folder();
  const socket = join(dir.path, 'api.sock');
  writeFileSync(socket, 'precious');
  await assert.rejects(
    serve(fakeControl(), { socket, log: quietLog, clock: systemClock }),
    /api\.sock is there and is no socket/,
  );
  assert.ok(existsSync(socket));
  assert.ok(!existsSync(adminSocket(socket)), 'the socket that had been opened first is closed again');
});

test('a socket path longer than the kernel takes is refused in words', async () => {
  const socket = `/tmp/${'x'.repeat(120)}/api.sock`;
  await assert.rejects(serve(fakeControl(), { socket, log: quietLog, clock: systemClock }), /longer than 107 bytes/);
});

const wrong: { title: string; method: string; path: string; body?: string; status: number; message: RegExp }[] = [
  {
    title: 'a host name with a space',
    method: 'POST',
    path: '/hold/c%201',
    status: 400,
    message: /host: not a host name/,
  },
  {
    title: 'an escape sequence as host',
    method: 'POST',
    path: '/drain/%1b%5b2J',
    status: 400,
    message: /not a host name/,
  },
  { title: 'a path as host', method: 'POST', path: '/hold/..%2Fetc', status: 400, message: /not a host name/ },
  {
    title: 'a host of another pool',
    method: 'POST',
    path: '/hold/c9',
    status: 404,
    message: /c9 is no host of this pool; its hosts are c1 and c2/,
  },
  {
    title: 'release of an unknown host',
    method: 'POST',
    path: '/release',
    body: '{"host":"c9"}',
    status: 404,
    message: /c9 is no host/,
  },
  {
    title: 'a host that is a number',
    method: 'POST',
    path: '/release',
    body: '{"host":7}',
    status: 400,
    message: /host: /,
  },
  { title: 'an unknown key', method: 'POST', path: '/cleanup', body: '{"force":true}', status: 400, message: /force/ },
  {
    title: 'an asker with a newline',
    method: 'POST',
    path: '/cleanup',
    body: '{"by":"a\\nb"}',
    status: 400,
    message: /by: not a user name/,
  },
  { title: 'a body that is no JSON', method: 'POST', path: '/cleanup', body: 'yes', status: 400, message: /not JSON/ },
  { title: 'a body that is an array', method: 'POST', path: '/cleanup', body: '[]', status: 400, message: /object/ },
  {
    title: 'a body of 1 MB',
    method: 'POST',
    path: '/cleanup',
    body: 'x'.repeat(1_000_000),
    status: 400,
    message: /4096 bytes/,
  },
  {
    title: 'a job id with a quote',
    method: 'GET',
    path: "/explain/18'--",
    status: 400,
    message: /neither a job id nor a host name/,
  },
  {
    title: 'a job nobody knows',
    method: 'GET',
    path: '/explain/99',
    status: 404,
    message: /no job 99, and the pool has no host 99/,
  },
  {
    title: 'a limit that is text',
    method: 'GET',
    path: '/events?limit=many',
    status: 400,
    message: /limit: a whole number/,
  },
  {
    title: 'a limit beyond all measure',
    method: 'GET',
    path: '/events?limit=100000',
    status: 400,
    message: /limit: at most 1000/,
  },
  {
    title: 'a wait beyond 30 s',
    method: 'GET',
    path: '/events?after=1&wait=31',
    status: 400,
    message: /wait: at most 30/,
  },
  { title: 'a wait without a beginning', method: 'GET', path: '/events?wait=5', status: 400, message: /`after`/ },
  { title: 'a negative id', method: 'GET', path: '/events?after=-1', status: 400, message: /after: a whole number/ },
  { title: 'an unknown call', method: 'GET', path: '/secrets', status: 404, message: /no such call/ },
];

for (const { title, method, path, body, status, message } of wrong) {
  test(`${title} is answered with ${status} and one line`, async () => {
    using dir = folder();
    const control = fakeControl();
    await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });
    const answer = await raw(adminSocket(dir.socket), method, path, body);
    assert.equal(answer.status, status);
    assert.match(answer.json.error?.message ?? '', message);
    assert.deepEqual(control.told, []);
  });
}

test('every shape of job id of the batch systems is accepted', async () => {
  using dir = folder();
  const control = fakeControl();
  const ids = ['18', '18_3', '18_[4-9%2]', '18_[1,3,5-7]', '18+1', '7[].head.example.org', '7[3].head', 'c1'];
  control.show.explain = ids.map((name) => ({ kind: 'job', name, text: `about ${name}` }));
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });
  for (const id of ids) {
    const view = await apiClient(dir.socket).get<{ name: string }>(`/explain/${encodeURIComponent(id)}`);
    assert.equal(view.name, id);
  }
});

test('a body that comes in pieces without a length is read, and cut off at the limit', async () => {
  using dir = folder();
  const control = fakeControl();
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });
  const send = async (...pieces: string[]) => {
    const call = request({ socketPath: adminSocket(dir.socket), method: 'POST', path: '/cleanup', agent: false });
    call.on('error', () => {});
    for (const piece of pieces) call.write(piece);
    call.end();
    const [response] = await once(call, 'response');
    response.resume();
    return response.statusCode;
  };
  assert.equal(await send('{"by":', '"taro"}'), 200);
  assert.equal(await send('{"by":"', 'x'.repeat(5000)), 400);
  assert.deepEqual(control.told, ['cleanup by taro']);
});

test('what the controller refuses is 409 with its words', async () => {
  using dir = folder();
  const control = fakeControl();
  control.refuse = 'c1 is already held';
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });
  await assert.rejects(apiClient(dir.socket).post('/hold/c1'), refused('refused', /^c1 is already held$/, 409));
});

test('a plan without a reading is 503 and says what to do', async () => {
  using dir = folder();
  const control = fakeControl();
  control.show.plan = () =>
    Promise.reject(new BatchError('silent', 'squeue gave no answer within 30 s', { hint: 'is slurmctld running?' }));
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });
  await assert.rejects(
    apiClient(dir.socket).get('/plan'),
    refused('refused', /no complete reading: squeue gave no answer within 30 s \(is slurmctld running\?\)/, 503),
  );
});

test('those who ask for a plan while one is being made share it', async () => {
  using dir = folder();
  const control = fakeControl();
  const made = Promise.withResolvers<ReturnType<typeof aPlan>>();
  const asked = Promise.withResolvers<void>();
  control.show.plan = () => {
    asked.resolve();
    return made.promise;
  };
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: systemClock });
  const client = apiClient(dir.socket);
  const all = [client.get('/plan'), client.get('/plan'), client.get('/plan')];
  await asked.promise;
  // Answered in order on one loop: when a later request is through, the three before it have been taken.
  await client.get('/version');
  await client.get('/version');
  made.resolve(aPlan());
  for (const plan of await Promise.all(all)) assert.deepEqual(plan, aPlan());
  assert.equal(control.plans(), 1);
  await client.get('/plan');
  assert.equal(control.plans(), 2);
});

test('a defect behind the API is 500, and nothing of the request reaches the log', async () => {
  using dir = folder();
  const control = fakeControl();
  control.jobs = () => {
    throw new Error('cannot\nread');
  };
  let logged = '';
  const to = new Writable({
    write(chunk, _encoding, done) {
      logged += chunk;
      done();
    },
  });
  const log = makeLog({ style: 'journal', level: 'debug', to });
  await using _server = await serve(control, { socket: dir.socket, log, clock: systemClock });
  const answer = await raw(dir.socket, 'GET', '/jobs?x=%0A<3>forged');
  assert.equal(answer.status, 500);
  assert.match(logged, /^<3>An API call failed method=GET error="cannot\\nread"$/m);
  assert.doesNotMatch(logged, /forged/);
});

/** Waits, bounded by the test's own time limit, until so many requests wait for an event. */
async function untilWaiting(control: FakeControl, n: number): Promise<void> {
  while (control.waiters() !== n) await new Promise((resolve) => setImmediate(resolve));
}

test('a waiting request is answered the moment an event happens', { timeout: 10_000 }, async () => {
  using dir = folder();
  const control = fakeControl();
  control.emit({ text: 'old' });
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: manualClock() });
  const call = apiClient(dir.socket).get<EventView[]>('/events?after=1&wait=30');
  await untilWaiting(control, 1);
  control.emit({ text: 'new' });
  assert.deepEqual(
    (await call).map((event) => event.text),
    ['new'],
  );
  assert.equal(control.waiters(), 0);
});

test('a waiting request does not wait when there is news already', { timeout: 10_000 }, async () => {
  using dir = folder();
  const control = fakeControl();
  control.emit({ text: 'old' });
  control.emit({ text: 'newer' });
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: manualClock() });
  const events = await apiClient(dir.socket).get<EventView[]>('/events?after=1&wait=30');
  assert.deepEqual(
    events.map((event) => event.text),
    ['newer'],
  );
});

test('a waiting request ends empty when its time is over', { timeout: 10_000 }, async () => {
  using dir = folder();
  const control = fakeControl();
  const clock = manualClock();
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock });
  const call = apiClient(dir.socket).get('/events?after=0&wait=30');
  await untilWaiting(control, 1);
  await clock.advance(29_999);
  assert.equal(control.waiters(), 1);
  await clock.advance(1);
  assert.deepEqual(await call, []);
  assert.equal(control.waiters(), 0);
});

test('a client that goes away is not waited for any longer', { timeout: 10_000 }, async () => {
  using dir = folder();
  const control = fakeControl();
  await using _server = await serve(control, { socket: dir.socket, log: quietLog, clock: manualClock() });
  const call = request({ socketPath: dir.socket, path: '/events?after=0&wait=30', agent: false });
  call.on('error', () => {});
  call.end();
  await untilWaiting(control, 1);
  call.destroy();
  await untilWaiting(control, 0);
  assert.equal(control.waiters(), 0);
});

test('only so many requests may wait at one time', { timeout: 20_000 }, async () => {
  using dir = folder();
  const control = fakeControl();
  await using stack = new AsyncDisposableStack();
  stack.use(await serve(control, { socket: dir.socket, log: quietLog, clock: manualClock() }));
  const calls = Array.from({ length: 64 }, () => apiClient(dir.socket).get('/events?after=0&wait=30'));
  await untilWaiting(control, 64);
  await assert.rejects(
    apiClient(dir.socket).get('/events?after=0&wait=30'),
    refused('refused', /too many requests wait/, 503),
  );
  assert.equal((await raw(dir.socket, 'GET', '/status')).status, 200, 'reading goes on');
  control.emit({});
  await Promise.all(calls);
});

test('stopping ends waiting requests at once and removes both socket files', { timeout: 10_000 }, async () => {
  using dir = folder();
  const control = fakeControl();
  // The clock stands still: whatever ends here ends without any time passing.
  const server = await serve(control, { socket: dir.socket, log: quietLog, clock: manualClock() });
  const call = apiClient(dir.socket).get('/events?after=0&wait=30');
  await untilWaiting(control, 1);
  await server[Symbol.asyncDispose]();
  assert.deepEqual(await call, []);
  assert.ok(!existsSync(dir.socket));
  assert.ok(!existsSync(adminSocket(dir.socket)));
});

test('stopping does not wait for a client that keeps its connection open or never ends its request', {
  timeout: 10_000,
}, async () => {
  using dir = folder();
  const control = fakeControl();
  const clock = manualClock();
  const server = await serve(control, { socket: dir.socket, log: quietLog, clock });
  const agent = new Agent({ keepAlive: true });
  assert.equal((await raw(dir.socket, 'GET', '/version', undefined, agent)).status, 200);
  const half = connect(dir.socket);
  half.on('error', () => {});
  half.write('GET /status HTTP/1.1\r\nHost: x\r\n');
  await raw(dir.socket, 'GET', '/version');
  const closed = once(half, 'close');
  let ended = false;
  const stopping = server[Symbol.asyncDispose]().then(() => {
    ended = true;
  });
  while (!ended) await clock.advance(500);
  await stopping;
  await closed;
  assert.ok(clock.monotonic() <= 1000, `took ${clock.monotonic()} ms`);
  agent.destroy();
});

test('without a service the client says where it looked and what to type', async () => {
  using dir = folder();
  await assert.rejects(
    apiClient('/nowhere/api.sock').get('/status'),
    refused(
      'down',
      /^The service does not answer at \/nowhere\/api\.sock: is it running\? \(systemctl status hybrid-cloud\)$/,
    ),
  );
  await assert.rejects(apiClient('/nowhere/api.sock').post('/hold/c1'), refused('down', /at \/nowhere\/api\.sock/));
  const stale = join(dir.path, 'stale.sock');
  await leaveStale(stale);
  await assert.rejects(apiClient(stale).get('/status'), refused('down', /is it running/));
});

test('a service that does not answer is given up after the time limit', { timeout: 10_000 }, async () => {
  using dir = folder();
  const path = join(dir.path, 'deaf.sock');
  const connected = Promise.withResolvers<void>();
  const deaf = createServer(() => connected.resolve()).listen(path);
  await once(deaf, 'listening');
  const clock = manualClock();
  const call = apiClient(path, clock).get('/status', { limit: 5000 });
  const failed = assert.rejects(call, refused('late', /no answer within 5 s/));
  await connected.promise;
  await clock.advance(5000);
  await failed;
  deaf.close();
});

test('an answer that is none of ours is said to be so', async () => {
  using dir = folder();
  const path = join(dir.path, 'other.sock');
  const other = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
  }).listen(path);
  await once(other, 'listening');
  await assert.rejects(apiClient(path).get('/status'), refused('broken', /not hybrid-cloud/));
  other.close();
});
