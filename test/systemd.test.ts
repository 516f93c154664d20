/**
 * The service as an administrator has it: installed by packaging/install.sh, started by a real systemd, in its sandbox,
 * beside a real Slurm, with the specification's two files.
 */
// time limit: 900 s
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeSystemdMachine, type SystemdMachine, whyNoMachine } from './support/systemd-machine/machine.ts';

// Under CI nothing is skipped for want of something: making the machine says what is missing.
const skip = process.env.CI === 'true' ? false : (whyNoMachine() ?? false);

describe('under systemd', { skip }, () => {
  let machine: SystemdMachine;
  before(async () => {
    machine = await makeSystemdMachine();
  });
  after(async () => {
    await machine?.[Symbol.asyncDispose]();
  });
  const out = (...words: string[]) => machine.out(...words);
  const property = (name: string) => out('systemctl', 'show', '--value', `--property=${name}`, 'hybrid-cloud');
  const journal = () => out('journalctl', '--unit=hybrid-cloud', '--output=cat', '--no-pager');
  const status = () => out('hybrid-cloud', 'status');

  test('installed and checked, in the order the README names', async () => {
    const said = await out('/src/packaging/install.sh');
    assert.match(said, /installed in \/opt\/hybrid-cloud/);
    await out('chmod', '600', '/etc/hybrid-cloud/env');
    await out('systemctl', 'daemon-reload');
    await machine.until(
      'Slurm answers',
      () => out('scontrol', 'ping'),
      (text) => text.includes('is UP'),
    );
    const check = await machine.inside('hybrid-cloud', 'check');
    assert.equal(check.code, 0, check.stdout + check.stderr);
    const key = /(ssh-ed25519 \S+ hybrid-cloud)/.exec(check.stdout)?.[1];
    assert.ok(key, check.stdout);
    await out('sh', '-c', `mkdir -p -m 700 /root/.ssh && echo '${key}' >/root/.ssh/authorized_keys`);
  });

  test('systemctl start comes back when the service watches the queue', async () => {
    await out('systemctl', 'start', 'hybrid-cloud');
    assert.equal(await property('ActiveState'), 'active');
    // The text is the last look's by now, or still the first.
    assert.match(await property('StatusText'), /cloud|job|nothing/);
    await machine.until('it has looked', status, (text) => /^0 PD\n0 R\n/.test(text));
  });

  test('the process has no capability, gains none, and its system calls are filtered', async () => {
    const facts = await out('cat', `/proc/${await property('MainPID')}/status`);
    assert.match(facts, /^CapEff:\t0+$/m);
    assert.match(facts, /^CapBnd:\t0+$/m);
    assert.match(facts, /^NoNewPrivs:\t1$/m);
    assert.match(facts, /^Seccomp:\t2$/m);
  });

  test('a job brings a node, runs with the shared files, and the node goes again', async () => {
    const node = () => out('scontrol', 'show', 'node', 'c1');
    await machine.until('no job may land on it', node, (text) => text.includes('Reason=hybrid-cloud:'));
    await out('sbatch', '--output=/dev/null', '--wrap', 'cat /shared/marker >/shared/first');
    const result = () => out('cat', '/export/first');
    assert.equal(
      await machine.until('the job has run', result, (text) => text === 'what the file server holds'),
      'what the file server holds',
    );
    await machine.until('the node has gone', status, (text) => /1 free \(1 registered\)/.test(text));
    assert.equal(await out('cat', '/var/lib/one-cloud/calls'), 'create\ndelete');
    const log = await journal();
    for (const move of [
      'free -> starting: wanted by job',
      'joining -> ready: ',
      'ready -> draining: ',
      '-> stopping: ',
    ])
      assert.ok(log.includes(`c1: ${move}`) || log.includes(move), `${move} is not in\n${log}`);
    assert.ok(!log.includes('token-that-nobody-may-see'));
  });

  test('killed while a job runs: systemd starts it again, the job runs to its end', async () => {
    await out('sbatch', '--output=/dev/null', '--wrap', 'sleep 12; echo done >/shared/second');
    await machine.until(
      'runs',
      () => out('squeue', '-h', '-o', '%T'),
      (text) => text === 'RUNNING',
    );
    const pid = await property('MainPID');
    await out('kill', '-KILL', pid);
    await machine.until(
      'another one',
      () => property('MainPID'),
      (now) => now !== pid && now !== '0',
    );
    await machine.until('it looks', status, (text) => /^0 PD\n1 R\n/.test(text));
    await machine.until(
      'the job has ended',
      () => out('cat', '/export/second'),
      (text) => text === 'done',
    );
    assert.equal(await out('cat', '/var/lib/one-cloud/calls'), 'create\ndelete\ncreate');
  });

  test('a service that hangs is noticed by the watchdog and started again', async () => {
    await machine.until(
      'active',
      () => property('ActiveState'),
      (state) => state === 'active',
    );
    const pid = await property('MainPID');
    await out('kill', '-STOP', pid);
    await machine.until(
      'another one',
      () => property('MainPID'),
      (now) => now !== pid && now !== '0',
    );
    await machine.until(
      'active',
      () => property('ActiveState'),
      (state) => state === 'active',
    );
    assert.match(await out('journalctl', '--unit=hybrid-cloud', '--no-pager'), /[Ww]atchdog/);
  });

  test('systemctl stop ends it within five seconds and leaves nodes and jobs as they are', async () => {
    await out('sbatch', '--output=/dev/null', '--wrap', 'sleep 300');
    await machine.until(
      'runs',
      () => out('squeue', '-h', '-o', '%T'),
      (text) => text === 'RUNNING',
    );
    const began = performance.now();
    await out('systemctl', 'stop', 'hybrid-cloud');
    // Five seconds are the promise; the rest is systemctl on a machine at work.
    assert.ok(performance.now() - began < 10_000);
    assert.equal(await property('Result'), 'success');
    assert.equal(await out('squeue', '-h', '-o', '%T %N'), 'RUNNING c1');
    assert.equal(await out('systemctl', 'is-active', 'slurmd'), 'active');
    await out('systemctl', 'start', 'hybrid-cloud');
    await machine.until(
      'it knows the node',
      () => out('hybrid-cloud', 'nodes'),
      (text) => /c1 .*ready/.test(text),
    );
    await out('scancel', '--me');
    await machine.until('the node has gone', status, (text) => /1 free \(1 registered\)/.test(text));
  });

  test('a wrong configuration is one line in the journal, and is not tried again and again', async () => {
    await out('systemctl', 'stop', 'hybrid-cloud');
    await out('sh', '-c', 'echo POLL_INTERVAL=soon >>/etc/hybrid-cloud/env');
    assert.notEqual((await machine.inside('systemctl', 'start', 'hybrid-cloud')).code, 0);
    assert.equal(await property('ActiveState'), 'failed');
    assert.equal(await property('NRestarts'), '0');
    assert.match(await journal(), /\/etc\/hybrid-cloud\/env:\d+: POLL_INTERVAL/);
  });
});
