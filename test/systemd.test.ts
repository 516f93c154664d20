/**
 * The service as an administrator has it: installed by packaging/install.sh, started by a real systemd, in its sandbox,
 * beside a real Slurm, with the specification's two files.
 */
// time limit: 900 s
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { makeSystemdMachine, type SystemdMachine, whyNoMachine } from './support/systemd-machine/machine.ts';

// Under CI nothing is skipped for want of something: making the machine says what is missing.
const skip = process.env.CI === 'true' ? false : (whyNoMachine() ?? false);

const DROP_INS = new URL('../packaging/systemd/hybrid-cloud.service.d/', import.meta.url);

/** The blocks of commands in the head of an example drop-in, as an administrator types them. */
function recipes(dropIn: string): string[] {
  const head = readFileSync(new URL(`${dropIn}.example`, DROP_INS), 'utf8').split('[Service]')[0] ?? '';
  return [...head.matchAll(/(?:^# {3}.*\n)+/gm)].map(([block]) => block.replaceAll(/^# {3}/gm, ''));
}

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

  /** Only a restart shows what is in force; then it must have read the queue. */
  async function looks(): Promise<void> {
    assert.equal(await property('ActiveState'), 'active');
    await machine.until('it has looked', status, (text) => /^0 PD\n[01] R\n/.test(text));
  }
  const own = (...command: string[]) => machine.inside('runuser', '--user', 'hybrid-cloud', '--', ...command);

  test('over to a user of its own, as the head of the drop-in says', async () => {
    const [there] = recipes('least-privilege.conf');
    // What a site gives to the new user by hand, before it starts: the folder of its cloud program.
    const typed = there?.replace('chgrp -R', 'chown -R hybrid-cloud: /var/lib/one-cloud\nchgrp -R');
    const said = await out('sh', '-ec', `cd /opt/hybrid-cloud; ${typed}`);
    assert.match(said, /All is well/);
    await looks();
    const facts = await out('cat', `/proc/${await property('MainPID')}/status`);
    const uid = await out('id', '-u', 'hybrid-cloud');
    assert.match(facts, new RegExp(`^Uid:(\\t${uid}){4}$`, 'm'));
    assert.match(facts, /^CapEff:\t0+$/m);
    assert.match(facts, /^CapPrm:\t0+$/m);
    assert.match(facts, /^Seccomp:\t2$/m);
    assert.equal(await out('find', '/var/lib/hybrid-cloud', '/run/hybrid-cloud', '!', '-user', 'hybrid-cloud'), '');
    assert.equal(await out('stat', '-c', '%a %U:%G', '/etc/hybrid-cloud/env'), '640 root:hybrid-cloud');
    for (const kept of ['/etc/hybrid-cloud/env', '/var/lib/hybrid-cloud/state.db', '/etc/sudoers.d/hybrid-cloud']) {
      const stranger = await machine.inside('runuser', '--user', 'nobody', '--', 'cat', kept);
      assert.match(stranger.stderr, /Permission denied/, kept);
    }
  });

  test('through sudo it may do what the rules say and nothing else', async () => {
    for (const command of [
      ['id'],
      ['scontrol', 'shutdown'],
      ['scontrol', 'update', 'PartitionName=cloud', 'State=DOWN'],
      ['env', 'SLURM_BITSTR_LEN=0', 'id'],
      ['SLURM_CONF=/tmp/mine', 'scontrol', 'show', 'config'],
      ['-u', 'nobody', 'scontrol', 'show', 'config'],
    ]) {
      const result = await own('sudo', '-n', ...command);
      assert.equal(result.code, 1, command.join(' '));
      assert.match(result.stderr, /a password is required|not allowed/, command.join(' '));
    }
    assert.match(await out('scontrol', 'ping'), /is UP/);
    assert.match((await own('sudo', '-n', 'scontrol', '-o', 'show', 'node', 'c1')).stdout, /^NodeName=c1 /);
  });

  test('operators may hold a node, others may not', async () => {
    await out(
      'sh',
      '-ec',
      'useradd -G hybrid-cloud-operators op; useradd other; echo API_GROUP=hybrid-cloud-operators >>/etc/hybrid-cloud/env',
    );
    await out('systemctl', 'restart', 'hybrid-cloud');
    await looks();
    const admin = () => out('stat', '-c', '%a %U:%G', '/run/hybrid-cloud/api-admin.sock');
    assert.equal(await admin(), '660 hybrid-cloud:hybrid-cloud-operators');
    const as = (user: string, ...words: string[]) =>
      machine.inside('runuser', '--user', user, '--', 'hybrid-cloud', ...words);
    assert.equal((await as('op', 'hold', 'c1')).code, 0);
    assert.equal((await as('op', 'release', 'c1')).code, 0);
    assert.equal((await as('other', 'hold', 'c1')).code, 1);
    assert.equal((await as('other', 'status')).code, 0);
  });

  test('as that user: a job brings a node; killed, it is started again; stopped, it leaves the job; the node goes', async () => {
    await out('sh', '-c', ': >/var/lib/one-cloud/calls');
    await out('sbatch', '--output=/dev/null', '--wrap', 'sleep 300');
    const states = () => out('squeue', '-h', '-o', '%T %N');
    await machine.until('runs', states, (text) => text === 'RUNNING c1');
    const pid = await property('MainPID');
    await out('kill', '-KILL', pid);
    await machine.until(
      'another one',
      () => property('MainPID'),
      (now) => now !== pid && now !== '0',
    );
    await machine.until('it looks', status, (text) => /^0 PD\n1 R\n/.test(text));
    await out('systemctl', 'stop', 'hybrid-cloud');
    assert.equal(await property('Result'), 'success');
    assert.equal(await states(), 'RUNNING c1');
    await out('systemctl', 'start', 'hybrid-cloud');
    await out('scancel', '--me');
    await machine.until('the node has gone', status, (text) => /1 free \(1 registered\)/.test(text));
    assert.equal(await out('cat', '/var/lib/one-cloud/calls'), 'create\ndelete');
    assert.ok(!(await journal()).includes('token-that-nobody-may-see'));
    // Every change is in the log of sudo, the looks are not.
    const log = await out('journalctl', '--output=cat', '--no-pager', '_COMM=sudo');
    assert.match(log, /COMMAND=\/usr\/bin\/scontrol update NodeName=c1 State=DRAIN/);
    assert.match(log, /COMMAND=\/usr\/bin\/scontrol update NodeName=c1 State=IDLE/);
    assert.doesNotMatch(log, /COMMAND=\S+ (-o|--version|SLURM_BITSTR_LEN=0 SLURM_TIME)/);
  });

  test('a command that hangs is ended by sudo, since the service may not kill what runs as root', async () => {
    const slurmctld = await out('systemctl', 'show', '--value', '--property=MainPID', 'slurmctld');
    await out('sed', '-i', 's/command_timeout=[0-9]*/command_timeout=1/', '/etc/sudoers.d/hybrid-cloud');
    await out('kill', '-STOP', slurmctld);
    try {
      // 129: SIGHUP, with which sudo begins; scontrol by itself says what it waited for and ends with 1.
      assert.equal((await own('sudo', '-n', 'scontrol', 'show', 'config')).code, 129);
      const left = async () => (await machine.inside('pgrep', '--full', 'scontrol show config$')).stdout;
      await machine.until('nothing of it is left', left, (pids) => pids === '');
    } finally {
      await out('kill', '-CONT', slurmctld);
    }
  });

  test('and back to root: all files are its own again, and it goes on', async () => {
    const [, back] = recipes('least-privilege.conf');
    await out('sh', '-ec', `chown -R root: /var/lib/one-cloud; sed -i /API_GROUP/d /etc/hybrid-cloud/env; ${back}`);
    await looks();
    assert.match(await out('cat', `/proc/${await property('MainPID')}/status`), /^Uid:(\t0){4}$/m);
    assert.equal(await out('find', '/var/lib/hybrid-cloud', '/run/hybrid-cloud', '!', '-user', 'root'), '');
    assert.equal(await out('stat', '-c', '%a %U:%G', '/run/hybrid-cloud/api-admin.sock'), '600 root:root');
    assert.match(await out('hybrid-cloud', 'nodes'), /c1 .*free/);
  });

  test('root with operators needs its drop-in: without it the start fails at once and names it', async () => {
    await out('sh', '-ec', 'echo API_GROUP=hybrid-cloud-operators >>/etc/hybrid-cloud/env');
    const refused = await machine.inside('systemctl', 'restart', 'hybrid-cloud');
    assert.notEqual(refused.code, 0);
    // Not when systemd's patience is over.
    assert.doesNotMatch(refused.stderr, /timeout/);
    assert.match(await journal(), /cannot be given to API_GROUP .*operators\.conf\.example/);
    await out('sh', '-ec', `cd /opt/hybrid-cloud; ${recipes('operators.conf')[0]}`);
    await looks();
    assert.equal(
      await out('stat', '-c', '%a %U:%G', '/run/hybrid-cloud/api-admin.sock'),
      '660 root:hybrid-cloud-operators',
    );
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
