/**
 * The compute-node images: they build, hold no secret, take in their configuration or say in one line what is missing,
 * and a node made from one runs a job, but not before its shared files are there.
 */
// time limit: 1200 s
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeScript } from '../src/bootstrap/script.ts';
import { run } from '../src/lib/run.ts';
import {
  buildah,
  buildImage,
  type Container,
  FOLDER,
  type ImageWorld,
  makeImageWorld,
  SERVER,
  SERVER_PORT,
  whyNoImages,
} from './support/image-cluster.ts';
import { until } from './support/slurm-world.ts';

// Under CI nothing is skipped for want of something: making the world says what is missing.
const skip = process.env.CI === 'true' ? false : (whyNoImages() ?? false);
const SLURM = 'hc-test/slurm-compute';
const TORQUE = 'hc-test/torque-compute';
const images = join(import.meta.dirname, '../images');
const KEY = Buffer.alloc(128, 7).toString('base64');
const CONF = Buffer.from('ClusterName=x\n').toString('base64');

/** Instead of supervisord: says what the entry point made of the container. */
const STAND_IN = `#!/bin/sh
echo "name=$(uname -n)"
echo "words=$*"
echo "secrets=\${MUNGE_KEY-}\${SLURM_CONF_BASE64-}"
echo "keys=$(cat /root/.ssh/authorized_keys 2>/dev/null)"
echo "munge=$(stat -c '%a %U' /run/hybrid-cloud/munge.key) $(wc -c </run/hybrid-cloud/munge.key)"
echo "conf=$(tail -n 1 /etc/slurm/slurm.conf 2>/dev/null)"
echo "hostkeys=$(ls /etc/ssh/ssh_host_*_key | wc -l)"
`;

let world: ImageWorld;

before(async () => {
  if (skip === false) world = await makeImageWorld();
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
});

describe('the Slurm image', { skip }, () => {
  before(async () => {
    const built = await buildImage('slurm-compute', SLURM);
    assert.equal(built.code, 0, built.stdout + built.stderr);
  });

  test('no layer holds a configuration, a key or a token', async (t) => {
    const names = await layerFiles(t.signal, SLURM);
    assert.ok(names.some((name) => name.endsWith('usr/sbin/slurmd')));
    const wrong = /(^|\/)etc\/(.*\/)?(slurm\.conf|munge\.key|ssh_host_\w+_key|authorized_keys)$|^root\/\.ssh\/./;
    assert.deepEqual(
      names.filter((name) => wrong.test(name)),
      [],
    );
    const text = await buildah('inspect', '--type', 'image', SLURM);
    assert.doesNotMatch(text, /MUNGE_KEY|SLURM_CONF_BASE64|AUTHORIZED_KEYS|ACCESS_?(KEY|TOKEN)|PRIVATE KEY/);
  });

  test('it has the programs of a compute node and starts them with supervisor', async () => {
    const { root, inside } = await world.container(SLURM);
    const programs = ['slurmd', 'scontrol', 'munged', 'sshd', 'mount.nfs', 'rpcbind', 'supervisord', 'ip'];
    const found = await inside(
      {},
      'sh',
      '-c',
      `for p in ${programs.join(' ')}; do command -v $p || echo "no $p"; done`,
    );
    assert.doesNotMatch(found.stdout, /^no /m);
    const services = readdirSync(join(root, 'etc/supervisor.d')).map((file) =>
      /^\[program:(\w+)\]\ncommand=(\S+)/m.exec(readFileSync(join(root, 'etc/supervisor.d', file), 'utf8'))?.slice(1),
    );
    assert.deepEqual(services.sort(), [
      ['munge', 'munged'],
      ['slurmd', '/usr/local/sbin/hc-slurmd'],
      ['sshd', '/usr/sbin/sshd'],
    ]);
  });

  const wrong: readonly { readonly title: string; readonly env: Record<string, string>; readonly says: RegExp }[] = [
    { title: 'no munge key', env: { SLURM_CONF_BASE64: CONF }, says: /no munge key: mount .* or give it in MUNGE_KEY/ },
    { title: 'a munge key that is not base64', env: { MUNGE_KEY: '%%%' }, says: /MUNGE_KEY is not base64/ },
    { title: 'a munge key that is too short', env: { MUNGE_KEY: 'AAAA' }, says: /MUNGE_KEY is too short/ },
    { title: 'no slurm.conf', env: { MUNGE_KEY: KEY }, says: /no slurm.conf: mount it on .* SLURMD_CONF_SERVER/ },
    {
      title: 'slurm.conf from two places',
      env: { MUNGE_KEY: KEY, SLURM_CONF_BASE64: CONF, SLURMD_CONF_SERVER: 'master' },
      says: /more than once: SLURM_CONF_BASE64, SLURMD_CONF_SERVER/,
    },
    {
      title: 'keys of people that are not base64',
      env: { MUNGE_KEY: KEY, SLURM_CONF_BASE64: CONF, AUTHORIZED_KEYS: 'ssh-ed25519 AAAA' },
      says: /AUTHORIZED_KEYS is not base64/,
    },
    {
      title: 'a place of the shared files that is no full path',
      env: { MUNGE_KEY: KEY, SLURM_CONF_BASE64: CONF, NFS_LOCAL_DIR: 'mnt' },
      says: /NFS_LOCAL_DIR must be a full path/,
    },
  ];
  test('what is missing or wrong is said in one line, and nothing is started', async (t) => {
    const { inside, root } = await world.container(SLURM);
    for (const { title, env, says } of wrong)
      await t.test(title, async () => {
        const result = await inside({ NFS_LOCAL_DIR: '/mnt', ...env }, '/usr/local/sbin/hc-entry');
        assert.equal(result.code, 1);
        assert.equal(result.stdout, '');
        assert.match(result.stderr, /^hc-entry: [^\n]+\n$/);
        assert.match(result.stderr, says);
        assert.ok(!result.stderr.includes(KEY.slice(0, 20)));
        assert.deepEqual(readdirSync(join(root, 'run')).includes('hybrid-cloud'), false);
      });
  });

  const HOSTS = [
    ...['10.0.0.10 c10', '10.0.0.1 c1 c1.cluster', '10.0.0.11 c11', '110.0.0.1 c110', '# 10.0.0.1 gone'],
    ...['10.0.0.100 old', '10.0.0.100 new', '10a0.0.1 dot'],
  ];
  const named: readonly { readonly env: Record<string, string>; readonly name: string }[] = [
    { env: { PRIVATE_IP: '10.0.0.1' }, name: 'c1' },
    { env: { PRIVATE_IP: '10.0.0.10' }, name: 'c10' },
    { env: { MY_PRIVATE_IP: '10.0.0.11' }, name: 'c11' },
    { env: { PRIVATE_IP: '10.0.0.100' }, name: 'new' },
    { env: { PRIVATE_IP: '10.0.0.1', NODE_HOSTNAME: 'n7' }, name: 'n7' },
    { env: { PRIVATE_IP: '0.0.0.1' }, name: 'from-outside' },
    { env: {}, name: 'from-outside' },
  ];
  test('the host name is the one of exactly this address', async (t) => {
    const container = await withStandIn(HOSTS);
    for (const { env, name } of named)
      await t.test(`${JSON.stringify(env)} is ${name}`, async () => {
        const { stdout } = await container.inside(
          { MUNGE_KEY: KEY, SLURM_CONF_BASE64: CONF, ...env },
          ...['sh', '-c', 'hostname from-outside; exec hc-entry'],
        );
        assert.match(stdout, new RegExp(`^name=${name}$`, 'm'));
      });
  });

  test('keys and configuration come in from the environment, and it goes no further', async () => {
    const container = await withStandIn();
    const keys = 'ssh-ed25519 AAAA one@site\nssh-ed25519 BBBB two@site';
    const env = {
      MUNGE_KEY: KEY,
      SLURM_CONF_BASE64: CONF,
      AUTHORIZED_KEYS: Buffer.from(`${keys}\n`).toString('base64'),
    };
    // The second time is `docker restart`.
    for (const time of ['first', 'second']) {
      const { stdout, stderr } = await container.inside(env, '/usr/local/sbin/hc-entry');
      assert.equal(stderr, '', time);
      assert.match(stdout, /^words=-n -c \/etc\/supervisord\.conf$/m);
      assert.match(stdout, /^secrets=$/m);
      assert.ok(stdout.includes(`keys=${keys}\n`));
      assert.match(stdout, /^munge=400 munge 128$|^munge=600 munge 128$/m);
      assert.match(stdout, /^conf=ClusterName=x$/m);
      assert.match(stdout, /^hostkeys=[1-9]$/m);
    }
    assert.equal((await container.inside({}, 'stat', '-c', '%a', '/root/.ssh/authorized_keys')).stdout, '600\n');
  });

  test('mounted files serve as well, and are not touched', async () => {
    const container = await withStandIn();
    mkdirSync(join(container.root, 'etc/slurm'), { recursive: true });
    writeFileSync(join(container.root, 'etc/slurm/slurm.conf'), 'ClusterName=mounted\n');
    writeFileSync(join(container.root, 'etc/munge/munge.key'), Buffer.alloc(64, 1), { mode: 0o444 });
    const { stdout } = await container.inside({}, '/usr/local/sbin/hc-entry');
    assert.match(stdout, /^conf=ClusterName=mounted$/m);
    assert.match(stdout, /^munge=[46]00 munge 64$/m);
    assert.equal(container.read('etc/slurm/slurm.conf'), 'ClusterName=mounted\n');
    const both = await container.inside({ MUNGE_KEY: KEY }, '/usr/local/sbin/hc-entry');
    assert.match(both.stderr, /one in \/etc\/munge\/munge\.key: give one\n$/);
  });

  test('the node is ready when its place is mounted or the service says so, and nothing else is', async () => {
    const { inside } = await withStandIn();
    const script = `set -e; mount -t proc proc /proc; NFS_LOCAL_DIR="/data/my files" hc-entry >/dev/null
      hc-node status && exit 9
      mkdir -p "/data/my files/deeper" && mount -t tmpfs inner "/data/my files/deeper"; hc-node status && exit 9
      mount -t tmpfs share "/data/my files"; hc-node status
      umount "/data/my files"; hc-node status && exit 9
      hc-node ready; hc-node status
      NFS_LOCAL_DIR="/data/my files" hc-entry >/dev/null; hc-node status && exit 9
      umount "/data/my files/deeper"; rm -r /data/my*; mkdir /real && ln -s /real "/data/my files" && mount -t tmpfs behind-a-link /real; hc-node status
      hc-node nonsense 2>&1 || echo "exit $?"`;
    const result = await inside({ MUNGE_KEY: KEY, SLURM_CONF_BASE64: CONF }, 'sh', '-c', `${script}`);
    assert.equal(result.stderr, '');
    const no = "hc-node: not ready: nothing is mounted on /data/my files, and nobody said 'hc-node ready'";
    assert.deepEqual(result.stdout.trim().split('\n'), [
      ...[no, no, 'hc-node: ready: tmpfs of share is mounted on /data/my files', no],
      ...['hc-node: ready is noted', "hc-node: ready: 'hc-node ready' was said", no],
      ...[
        'hc-node: ready: tmpfs of behind-a-link is mounted on /data/my files',
        'usage: hc-node status | ready | wait PROGRAM',
        'exit 2',
      ],
    ]);
  });

  test('waiting for the shared files is bounded', async () => {
    const { inside } = await withStandIn();
    const script = `hc-entry >/dev/null; mount -t proc proc /proc; NODE_WAIT_LIMIT=1 hc-node wait slurmd; echo "exit $?"`;
    const result = await inside({ MUNGE_KEY: KEY, SLURM_CONF_BASE64: CONF }, 'sh', '-c', script);
    assert.match(result.stdout, /^hc-node: slurmd waits \(0 s\): nothing is mounted on \/mnt yet/);
    assert.match(result.stdout, /hc-node: slurmd was not started: nothing was mounted on \/mnt within 1 s\nexit 1\n$/);
  });
});

describe('a VCP base image', { skip }, () => {
  /** Its layout as known: supervisor programs in /etc/supervisor.d, sshd among them, Serf, NFS by NFS_AUTOSTART. */
  const BASE = `FROM localhost/${SLURM}
    RUN rm -r /etc/supervisor.d && mkdir /etc/supervisor.d && \\
        printf '[supervisord]\\nnodaemon=true\\n[program:sshd]\\ncommand=/usr/sbin/sshd -eD\\n[program:serf]\\ncommand=serf agent -node=%%(ENV_SERF_NODE_ID)s\\n[program:nfs]\\ncommand=nfs.sh\\nautostart=%%(ENV_NFS_AUTOSTART)s\\n' >/etc/supervisor.d/vcpbase.ini
    ENV NFS_AUTOSTART=false VCP_CONTAINER_VERSION=vcp/base:test
    ENTRYPOINT []
    CMD ["supervisord", "-c", "/etc/supervisord.conf"]\n`;

  async function onBase(more: string) {
    const folder = await mkdtemp(join(tmpdir(), FOLDER));
    try {
      await chmod(folder, 0o755);
      await writeFile(join(folder, 'Containerfile'), BASE + more);
      const base = await buildImage(join(folder, 'Containerfile'), 'hc-test/vcp-base');
      assert.equal(base.code, 0, base.stdout + base.stderr);
      return await buildImage(
        'slurm-compute',
        'hc-test/slurm-on-vcp',
        '--build-arg',
        'BASE_IMAGE=localhost/hc-test/vcp-base',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test('keeps its sshd, Serf and NFS server, and gets munge and slurmd beside them', async () => {
    const built = await onBase('');
    assert.equal(built.code, 0, built.stdout + built.stderr);
    const { root } = await world.container('hc-test/slurm-on-vcp');
    const files = readdirSync(join(root, 'etc/supervisor.d')).sort();
    assert.deepEqual(files, ['hc-munge.ini', 'hc-slurmd.ini', 'vcpbase.ini']);
    assert.match(readFileSync(join(root, 'etc/supervisor.d/vcpbase.ini'), 'utf8'), /program:serf[\s\S]*program:nfs/);
    const config = await buildah('inspect', '--type', 'image', 'localhost/hc-test/slurm-on-vcp');
    assert.match(config, /NFS_AUTOSTART=false/);
  });

  const refused: readonly { readonly title: string; readonly more: string; readonly says: RegExp }[] = [
    {
      title: 'with a munge program of its own',
      more: "RUN printf '[program:munge]\\ncommand=munged -F\\n' >/etc/supervisor.d/old.ini\n",
      says: /has a supervisor program munge of its own/,
    },
    {
      title: 'whose supervisor reads no other files',
      more: "RUN sed -i '/include/d; /^files/d' /etc/supervisord.conf\n",
      says: /has no \[include\] files/,
    },
    {
      title: 'that starts its services with systemd',
      more: 'RUN rm /usr/bin/supervisord; mkdir -p /lib/systemd; ln -sf /bin/true /lib/systemd/systemd\n',
      says: /starts its services with systemd: take the variant with supervisor/,
    },
    {
      title: 'without apt-get',
      more: 'RUN rm /usr/bin/apt-get\n',
      says: /has no apt-get: take a Debian or Ubuntu one/,
    },
  ];
  for (const { title, more, says } of refused)
    test(`${title} is refused in one line`, async () => {
      const built = await onBase(more);
      assert.notEqual(built.code, 0);
      assert.equal(built.stderr.match(/^hybrid-cloud image: .*$/gm)?.length, 1, built.stderr);
      assert.match(built.stderr, says);
    });
});

describe('the Torque image', { skip }, () => {
  test('without a Torque the build fails in one line that says what to give', async () => {
    const built = await buildImage('torque-compute', TORQUE);
    assert.notEqual(built.code, 0);
    assert.match(built.stderr, /^hybrid-cloud image: no Torque: .*--build-arg TORQUE_DIR=FOLDER.*$/m);
    assert.equal(built.stderr.match(/^hybrid-cloud image: .*$/gm)?.length, 1);
  });

  test('an address without a checksum is refused', async () => {
    const built = await buildImage('torque-compute', TORQUE, '--build-arg', 'TORQUE_URL=http://127.0.0.1:9/torque.deb');
    assert.notEqual(built.code, 0);
    assert.match(built.stderr, /^hybrid-cloud image: TORQUE_URL without TORQUE_SHA256/m);
  });

  // Torque itself is not to be had from the distribution: a stand-in shows what the image does around it.
  test('a built tree is put in, and pbs_mom starts only when the node is ready', async () => {
    const folder = await mkdtemp(join(images, 'torque-compute/packages/test-'));
    try {
      await chmod(folder, 0o755);
      mkdirSync(join(folder, 'usr/local/sbin'), { recursive: true });
      writeFileSync(join(folder, 'usr/local/sbin/pbs_mom'), '#!/bin/sh\necho "pbs_mom $*"\n', { mode: 0o755 });
      const place = `TORQUE_DIR=torque-compute/packages/${basename(folder)}`;
      const built = await buildImage('torque-compute', TORQUE, '--build-arg', place);
      assert.equal(built.code, 0, built.stdout + built.stderr);
    } finally {
      await rm(folder, { recursive: true });
    }
    const { root, inside } = await world.container(TORQUE, ['10.0.0.1 c1']);
    assert.deepEqual(readdirSync(join(root, 'etc/supervisor.d')).sort(), ['hc-pbs_mom.ini', 'hc-sshd.ini']);
    writeFileSync(join(root, 'usr/local/bin/supervisord'), '#!/bin/sh\nexec uname -n\n', { mode: 0o755 });
    const without = await inside({ TORQUE_HOME: '/var/spool/torque' }, '/usr/local/sbin/hc-entry');
    assert.match(without.stderr, /^hc-entry: no server: give its host name in PBS_SERVER, or mount [^\n]+\n$/);
    const script = `hc-entry; mount -t proc proc /proc; cat $TORQUE_HOME/server_name $TORQUE_HOME/mom_priv/config
      NODE_WAIT_LIMIT=0 hc-pbs_mom; hc-node ready; hc-pbs_mom`;
    const env = { TORQUE_HOME: '/var/spool/torque', PBS_SERVER: 'head,spare', PRIVATE_IP: '10.0.0.1' };
    const result = await inside(env, 'sh', '-c', script);
    assert.deepEqual(result.stdout.trim().split('\n'), [
      ...['hc-entry: no AUTHORIZED_KEYS: nobody can log in unless /root/.ssh/authorized_keys is mounted'],
      ...['hc-entry: c1 starts; jobs wait for /mnt', 'c1', 'head,spare'],
      ...['$pbsserver head', '$pbsserver spare'],
      ...['hc-node: pbs_mom was not started: nothing was mounted on /mnt within 0 s', 'hc-node: ready is noted'],
      ...["hc-node: pbs_mom may start after 0 s: 'hc-node ready' was said", 'pbs_mom -D -d /var/spool/torque'],
    ]);
  });
});

describe('a node made from the Slurm image', { skip }, () => {
  const hosts = { c1: '10.76.0.11', c2: '10.76.0.12' };
  const lines = ['10.76.0.110 c110', '10.76.0.1 master', '10.76.0.11 c1', '10.76.0.12 c2', '10.76.0.111 c111'];

  test('runs a job, but slurmd starts only when the shared files are mounted', async (t) => {
    const slurm = await world.slurm(hosts);
    const shared = join(world.dir, 'shared');
    mkdirSync(shared);
    writeFileSync(join(shared, 'marker'), 'the shared files\n');
    const login = join(world.dir, 'login');
    await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', login], { timeout: 10_000 });
    const common = {
      MUNGE_KEY: slurm.mungeKey,
      AUTHORIZED_KEYS: Buffer.from(readFileSync(`${login}.pub`)).toString('base64'),
      NODE_WAIT_LIMIT: '3',
    };
    const ssh = (address: string, stdin: string) =>
      run(
        [
          ...['ssh', '-i', login, '-F', 'none', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no'],
          ...['-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR', `root@${address}`, 'sh', '-s'],
        ],
        { timeout: 20_000, stdin },
      );
    const prepare = async (name: keyof typeof hosts) => {
      const script = makeScript(
        '@@',
        { name, ip: hosts[name] },
        { source: '/srv/shared', dir: '/mnt', type: 'bind', options: '' },
      );
      const done = await ssh(hosts[name], script);
      assert.match(done.stdout, /^@@ OK /m, done.stdout + done.stderr);
    };
    const completed = async (job: string) =>
      /JobState=COMPLETED/.test(await slurm.command('scontrol', 'show', 'job', job));
    const submit = async (node: string, text: string) =>
      (
        await slurm.command('sbatch', '--parsable', '-w', node, '-D', '/mnt', '-o', '/mnt/%j.out', '--wrap', text)
      ).trim();
    const nodeOf = (name: string) => slurm.command('scontrol', 'show', 'node', name);

    await t.test('with slurm.conf from the environment', async () => {
      const container = await world.container(SLURM, lines);
      const env = {
        ...common,
        PRIVATE_IP: hosts.c1,
        SLURM_CONF_BASE64: Buffer.from(slurm.nodeConf).toString('base64'),
      };
      const first = await submit('c1', 'uname -n; cat marker');
      let node = await container.start(hosts.c1, env, `${shared}:/srv/shared`);
      const log = () => tryRead(container, 'var/log/slurmd.log');
      try {
        await until('a first round of waiting is over', () => /slurmd was not started/.test(log()), 60);
        await until(
          'munged and sshd run',
          async () => (await ssh(hosts.c1, 'test -S /run/munge/munge.socket.2')).code === 0,
        );
        assert.equal((await ssh(hosts.c1, 'pgrep -x slurmd')).code, 1, 'slurmd runs before the shared files are there');
        assert.match(await nodeOf('c1'), /State=(UNKNOWN|DOWN)/);
        assert.match(await slurm.command('scontrol', 'show', 'job', first), /JobState=PENDING/);

        await prepare('c1');
        await until('the job has run', () => completed(first), 60);
        assert.equal(readFileSync(join(shared, `${first}.out`), 'utf8'), 'c1\nthe shared files\n');
        assert.match(log(), /hc-node: slurmd may start after \d+ s: \S+ of \S+ is mounted on \/mnt\n/);

        const all = await ssh(
          hosts.c1,
          "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -cE '^(MUNGE_KEY|SLURM_CONF_BASE64)='",
        );
        assert.equal(all.stdout.trim(), '0', 'a secret is in the environment of a process');
        assert.match((await ssh(hosts.c1, 'hc-node status')).stdout, /^hc-node: ready: /);
        await until('supervisor calls all of them running', async () =>
          /munge +RUNNING[\s\S]*slurmd +RUNNING[\s\S]*sshd +RUNNING/.test(
            (await ssh(hosts.c1, 'supervisorctl status')).stdout,
          ),
        );

        await ssh(hosts.c1, 'pkill -KILL -x slurmd');
        const second = await submit('c1', 'echo again');
        await until('slurmd came back by itself and ran a job', () => completed(second), 60);

        await node.stop();
        writeFileSync(join(container.root, 'var/log/slurmd.log'), '');
        node = await container.start(hosts.c1, env, `${shared}:/srv/shared`);
        await until('after a restart it waits again', () => /slurmd waits \(0 s\)/.test(log()), 60);
        assert.doesNotMatch(log(), /may start/);
        await until('sshd answers', async () => (await ssh(hosts.c1, 'true')).code === 0);
        await ssh(hosts.c1, 'hc-node ready');
        const third = await submit('c1', 'true');
        await until('slurmd started on the word of the service', () => completed(third).catch(() => false), 60);
      } catch (error) {
        throw new Error(`${node.output()}\n${log()}`, { cause: error });
      } finally {
        await node.stop();
      }
    });

    await t.test('with slurm.conf fetched from the server (configless)', async () => {
      const container = await world.container(SLURM, lines);
      // The fetched file says where munge's socket is on the server; a site has the same place everywhere.
      mkdirSync(join(container.root, slurm.mungeSocket, '..'), { recursive: true });
      symlinkSync('/run/munge/munge.socket.2', join(container.root, slurm.mungeSocket));
      const env = { ...common, PRIVATE_IP: hosts.c2, SLURMD_CONF_SERVER: `${SERVER}:${SERVER_PORT}` };
      const node = await container.start(hosts.c2, env, `${shared}:/srv/shared`);
      try {
        await until('sshd answers', async () => (await ssh(hosts.c2, 'true')).code === 0, 60);
        await prepare('c2');
        const job = await submit('c2', 'uname -n; cat marker');
        await until('the job has run', () => completed(job), 60);
        assert.equal(readFileSync(join(shared, `${job}.out`), 'utf8'), 'c2\nthe shared files\n');
      } catch (error) {
        throw new Error(`${node.output()}\n${tryRead(container, 'var/log/slurmd.log')}`, { cause: error });
      } finally {
        await node.stop();
      }
    });
  });
});

async function withStandIn(hosts: readonly string[] = []): Promise<Container> {
  const container = await world.container(SLURM, hosts);
  writeFileSync(join(container.root, 'usr/local/bin/supervisord'), STAND_IN, { mode: 0o755 });
  return container;
}

function tryRead(container: Container, path: string): string {
  try {
    return container.read(path);
  } catch {
    return '';
  }
}

/** The names of all files in all layers: what a later layer deletes is still in the image. */
async function layerFiles(signal: AbortSignal, image: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), FOLDER));
  try {
    await buildah('push', '--quiet', '--disable-compression', `localhost/${image}`, `dir:${folder}`);
    const layers = readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
    const names: string[] = [];
    for (const layer of layers) {
      const { code, stdout } = await run(['tar', '-tf', join(folder, layer)], { timeout: 60_000, signal });
      if (code === 0) names.push(...stdout.split('\n'));
    }
    return names;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
