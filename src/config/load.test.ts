import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DIR, failure, fixture, GOOD, loadSite, registries, type Site, troubles } from './fixtures/site.ts';
import { load } from './load.ts';
import { ConfigError } from './problems.ts';
import { describe } from './settings.ts';

const env = `${DIR}/env`;
const hosts = (n: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, i) => [`10.0.0.${i + 1}`, `c${i + 1}`])));

test('with a folder for standby, that is where services see each other; backups can be switched off', () => {
  const settings = loadSite(
    `${fixture('first-generation.env').replace('VCP_ACCESSKEY=', 'VCP_ACCESSKEY=the-token')}\nSTANDBY_DIR=/shared\nTAKEOVER_TIME=10\nBACKUP_INTERVAL=never\nAPI_GROUP=ops\n`,
  );
  assert.equal(settings.standbyDir, '/shared');
  assert.equal(settings.takeover, 10_000);
  assert.deepEqual(settings.backup, { every: null, keep: 24 });
  assert.equal(settings.apiGroup, 'ops');
});

test("the specification's own files start a site: everything else has its default", () => {
  const text = fixture('first-generation.env').replace('VCP_ACCESSKEY=', 'VCP_ACCESSKEY=the-token');
  const settings = loadSite(text);
  const { sources, pools, ...rest } = settings;
  assert.ok(sources.size > 20);
  assert.deepEqual(
    pools.map(({ pool, clouds, bootstrap }) => [pool, clouds.map(({ name, hosts: of }) => [name, of]), bootstrap]),
    [[settings.pool, [['vcp', settings.pool.hosts]], 'ssh']],
  );
  assert.deepEqual(rest, {
    pool: {
      name: 'cloud',
      queue: 'cloud',
      policy: 'demand',
      hosts: [1, 2, 3, 4].map((n) => ({ name: `c${n}`, ip: `172.30.2.10${n}` })),
      limits: { minNodes: 0, spareNodes: 0, maxNodes: 4, maxStarting: 4 },
      patience: { burstAfter: 0, gather: 0 },
      billing: { granularity: 1000, minimum: 0, lead: 500 },
      schedule: [],
      timing: { cleanup: 600_000, idle: 600_000, boot: 1_000_000, prepare: 180_000, join: 300_000, stop: 600_000 },
    },
    batchSystem: 'slurm',
    cloud: 'vcp',
    bootstrap: 'ssh',
    values: {
      batch: {},
      cloud: {
        VCP_ACCESSKEY: 'the-token',
        VC_NAME: 'hybridcloud',
        PROVIDER_NAME: 'aws',
        FLAVOR_NAME: 'small',
        IMAGE_NAME: '10.0.0.1:5001/vcp/base:ubuntu18.04-slurm',
        VCP_SDK_CONTAINER_IMAGE: 'vcpsdk:20.10.0',
        CONTAINER_RUNTIME: ['docker'],
        VCP_PARALLEL: true,
        VCP_TIMEOUT: 120_000,
      },
      bootstrap: {
        NFS_MOUNT_POINT: '172.30.2.194:/export',
        NFS_LOCAL_DIR: '/mnt',
        NFS_TYPE: 'nfs',
        SSH_USER: 'root',
      },
    },
    pollInterval: 5000,
    stateDir: '/var/lib/hybrid-cloud',
    apiSocket: '/run/hybrid-cloud/api.sock',
    apiGroup: null,
    standbyDir: '/var/lib/hybrid-cloud',
    takeover: 20_000,
    backup: { every: 3_600_000, keep: 24 },
    logLevel: 'info',
    logStyle: 'auto',
    configDir: DIR,
    hostsFile: `${DIR}/hosts.json`,
    generation: 1,
    files: [env, `${DIR}/hosts.json`],
    notices: [],
    secrets: ['the-token'],
  });
});

test('the example of the first generation, unchanged, lacks nothing but the token', () => {
  assert.deepEqual(troubles(fixture('first-generation.env')), [
    `${env}: VCP_ACCESSKEY is not set; CLOUD=vcp needs it (write VCP_ACCESSKEY= and the access token of your VCP controller)`,
  ]);
});

test('the example of the second generation starts unchanged, with its own defaults', () => {
  const settings = loadSite(fixture('second-generation.env'));
  assert.equal(settings.generation, 2);
  assert.equal(settings.pool.queue, 'normal');
  assert.equal(settings.bootstrap, 'none');
  assert.equal(settings.values.cloud.VCP_SDK_CONTAINER_IMAGE, 'harbor.vcloud.nii.ac.jp/vcpsdk/vcpsdk:22.10.0');
  assert.equal(settings.values.cloud.VC_UNIT_NAME, 'compute');
  assert.equal(settings.values.cloud.MDX_USE_GPU, undefined);
  assert.deepEqual(settings.notices, []);
  assert.deepEqual(settings.secrets, ['xxxxxx', 'mdx_additional_cnode_passwd']);
  const queue = describe(settings).find((one) => one.key === 'QUEUE_NAME');
  assert.deepEqual(queue, { key: 'QUEUE_NAME', value: 'normal', source: 'default of the second generation' });
});

test('a second generation site may override its defaults and have its nodes mounted', () => {
  const settings = loadSite(`${fixture('second-generation.env')}QUEUE_NAME=gpu\nNFS_MOUNT_POINT=10.0.0.1:/e\n`);
  assert.equal(settings.pool.queue, 'gpu');
  assert.equal(settings.bootstrap, 'ssh');
});

test('another cloud accepts an env file that still holds the keys of VCP', () => {
  const settings = loadSite(`${fixture('second-generation.env')}CLOUD=command\nCLOUD_COMMAND=/opt/cloud\n`);
  assert.deepEqual(settings.values.cloud, { CLOUD_COMMAND: '/opt/cloud' });
  assert.deepEqual(settings.secrets, ['xxxxxx', 'mdx_additional_cnode_passwd']);
});

test('later sources win: defaults, yaml, env file, environment, flags; each value knows where it is from', () => {
  const site: Site = {
    files: {
      'hybrid-cloud.yaml': 'queue_name: y\npoll_interval: 11\nboot_timeout: 12\nstop_timeout: 13\nmin_nodes: 1\n',
    },
    env: { BOOT_TIMEOUT: '32', STOP_TIMEOUT: '33', MIN_NODES: ' ', HOME: '/root', UNKNOWN_THING: '1' },
    flags: { STOP_TIMEOUT: '43', 'log-level': 'DEBUG' },
  };
  const settings = loadSite(`${GOOD}POLL_INTERVAL=21\nBOOT_TIMEOUT=22\nSTOP_TIMEOUT=23\n`, site);
  const said = new Map(describe(settings).map(({ key, value, source }) => [key, `${value} ${source}`]));
  assert.equal(said.get('JOIN_TIMEOUT'), '300 default');
  assert.equal(said.get('QUEUE_NAME'), `y ${DIR}/hybrid-cloud.yaml:1`);
  assert.equal(said.get('POLL_INTERVAL'), `21 ${env}:4`);
  assert.equal(said.get('BOOT_TIMEOUT'), '32 environment');
  assert.equal(said.get('STOP_TIMEOUT'), '43 command line');
  assert.equal(said.get('MIN_NODES'), `1 ${DIR}/hybrid-cloud.yaml:5`);
  assert.equal(said.get('IDLE_NODE_WAIT_TIME'), '600 default, as CLEANUP_NODE_WAIT_TIME');
  assert.equal(said.get('MAX_NODES'), '4 default, all registered hosts');
  assert.equal(said.get('MAX_STARTING'), 'no limit default');
  assert.equal(said.get('POOL_NAME'), 'y default, as QUEUE_NAME');
  assert.equal(said.get('HOSTS_FILE'), `${DIR}/hosts.json default`);
  assert.equal(settings.logLevel, 'debug');
  assert.equal(settings.pool.timing.stop, 43_000);
  assert.deepEqual(settings.files, [`${DIR}/hybrid-cloud.yaml`, env, `${DIR}/hosts.json`]);
});

const accepted: [string, (settings: ReturnType<typeof loadSite>) => unknown, unknown][] = [
  ['IDLE_NODE_WAIT_TIME=never', (s) => s.pool.timing.idle, null],
  ['IDLE_NODE_WAIT_TIME=60', (s) => s.pool.timing.idle, 60_000],
  ['CLEANUP_NODE_WAIT_TIME=30', (s) => s.pool.timing.idle, 30_000],
  ['CLEANUP_NODE_WAIT_TIME=0', (s) => s.pool.timing.cleanup, 0],
  ['POLL_INTERVAL=1.5', (s) => s.pollInterval, 1500],
  ['POLICY=Classic', (s) => s.pool.policy, 'classic'],
  ['BATCH_SYSTEM=SLURM', (s) => s.batchSystem, 'slurm'],
  ['POOL_NAME=night', (s) => [s.pool.name, s.pool.queue], ['night', 'cloud']],
  ['QUEUE_NAME=batch@server', (s) => s.pool.queue, 'batch@server'],
  ['MAX_NODES=2', (s) => s.pool.limits.maxNodes, 2],
  ['MAX_NODES=0', (s) => s.pool.limits.maxNodes, 0],
  ['MAX_STARTING=1', (s) => s.pool.limits.maxStarting, 1],
  ['LOG_STYLE=json', (s) => s.logStyle, 'json'],
  ['NFS_TYPE=bind\nNFS_MOUNT_POINT=/srv/share', (s) => s.values.bootstrap.NFS_MOUNT_POINT, '/srv/share'],
  ['NFS_MOUNT_POINT=[fd00::1]:/export', (s) => s.values.bootstrap.NFS_MOUNT_POINT, '[fd00::1]:/export'],
  ['HOSTS_FILE=/srv/../srv/h.json', (s) => s.hostsFile, '/srv/h.json'],
  ['HOSTS_FILE=more/h.json', (s) => s.hostsFile, `${DIR}/more/h.json`],
  ['# POLL_INTERVALL=5', (s) => s.notices, []],
];

for (const [line, look, expected] of accepted) {
  test(`${line.replace('\n', ', ')} is accepted`, () => {
    const files = { '/srv/h.json': hosts(2), 'more/h.json': hosts(2) };
    assert.deepEqual(look(loadSite(`${GOOD}${line}\n`, { files })), expected);
  });
}

const refused: [string, string][] = [
  ['POLL_INTERVAL=five', 'POLL_INTERVAL: "five" is not a number of seconds (write e.g. POLL_INTERVAL=5)'],
  ['POLL_INTERVAL=10m', 'POLL_INTERVAL: "10m" is not a number of seconds (write e.g. POLL_INTERVAL=5)'],
  ['POLL_INTERVAL=0', 'POLL_INTERVAL: "0" is not a number of seconds from 1 to 2000000 (write e.g. POLL_INTERVAL=5)'],
  ['POLL_INTERVAL=-1', 'POLL_INTERVAL: "-1" is not a number of seconds (write e.g. POLL_INTERVAL=5)'],
  ['POLL_INTERVAL=５', 'POLL_INTERVAL: "５" is not a number of seconds (write e.g. POLL_INTERVAL=5)'],
  [
    'BOOT_TIMEOUT=3000000',
    'BOOT_TIMEOUT: "3000000" is not a number of seconds from 1 to 2000000 (write e.g. BOOT_TIMEOUT=1000)',
  ],
  [
    'IDLE_NODE_WAIT_TIME=none',
    'IDLE_NODE_WAIT_TIME: "none" is not a number of seconds or "never" (seconds until a single idle node is deleted, or never; without it as CLEANUP_NODE_WAIT_TIME)',
  ],
  ['MIN_NODES=1.5', 'MIN_NODES: "1.5" is not a whole number (write e.g. MIN_NODES=0)'],
  [
    'MAX_STARTING=0',
    'MAX_STARTING: "0" is not a whole number from 1 up (never more nodes starting at one time; without it no limit)',
  ],
  ['POLICY=greedy', 'POLICY: "greedy" is not one of demand, classic (write e.g. POLICY=demand)'],
  ['QUEUE_NAME=a,b', 'QUEUE_NAME: "a,b" is not a name without blanks, commas or quotes (write e.g. QUEUE_NAME=cloud)'],
  [
    'STATE_DIR=state',
    'STATE_DIR: "state" is not a path that begins with / (write e.g. STATE_DIR=/var/lib/hybrid-cloud)',
  ],
  [
    `API_SOCKET=/${'a'.repeat(107)}`,
    `API_SOCKET: "/${'a'.repeat(56)}..." is not a socket path of at most 107 bytes, the limit of the kernel (write e.g. API_SOCKET=/run/hybrid-cloud/api.sock)`,
  ],
  ['BATCH_SYSTEM=slrum', 'BATCH_SYSTEM: "slrum" is not one of slurm, torque (did you mean slurm?)'],
  ['BATCH_SYSTEM=pbs', 'BATCH_SYSTEM: "pbs" is not in this version (write e.g. BATCH_SYSTEM=slurm)'],
  [
    'BATCH_SYSTEM=constructor',
    'BATCH_SYSTEM: "constructor" is not one of slurm, torque (write e.g. BATCH_SYSTEM=slurm)',
  ],
  ['MIN_NODES=3\nMAX_NODES=2', 'MIN_NODES: 3 is more than MAX_NODES, which is 2 (write e.g. MIN_NODES=2)'],
  ['MIN_NODES=5', `MIN_NODES: 5 is more than the 4 registered in ${DIR}/hosts.json (write e.g. MIN_NODES=4)`],
  [
    'NFS_MOUNT_POINT=/export',
    'NFS_MOUNT_POINT: "/export" is not server:/directory (write e.g. NFS_MOUNT_POINT=172.30.2.194:/export)',
  ],
  [
    'QUEUE_NAME=a\u0007b',
    'QUEUE_NAME: holds a line break or another control character (write QUEUE_NAME anew, on one line)',
  ],
  [
    'QUEUE_NAME=a\uFFFDb',
    'QUEUE_NAME: holds a line break or another control character (write QUEUE_NAME anew, on one line)',
  ],
];

for (const [line, problem] of refused) {
  test(`${JSON.stringify(line).slice(1, 60)} is refused in one line that says where and what to write`, () => {
    assert.deepEqual(troubles(`${GOOD}${line}\n`), [`${env}:4: ${problem}`]);
  });
}

const missing: [string, string][] = [
  [
    'CLOUD=command\nBOOTSTRAP=none\n',
    `${env}: CLOUD_COMMAND is not set; CLOUD=command needs it (write CLOUD_COMMAND=/path/of/your/program)`,
  ],
  [
    'CLOUD=token\n',
    `${env}: NFS_MOUNT_POINT is not set; BOOTSTRAP=ssh needs it (write NFS_MOUNT_POINT=server:/directory, or BOOTSTRAP=none when the image mounts by itself)`,
  ],
  [
    'CLOUD=token\nBOOTSTRAP=none\nBATCH_SYSTEM=torque\n',
    `${env}: TORQUE_ONLY is not set; BATCH_SYSTEM=torque needs it (torque needs this)`,
  ],
];

for (const [text, problem] of missing) {
  test(`what is missing is said: ${problem.split(' ')[1]}`, () => {
    assert.deepEqual(troubles(text), [problem]);
  });
}

test('a key whose line is wrong is not reported as missing besides', () => {
  assert.deepEqual(troubles('CLOUD=command\nCLOUD_COMMAND = /opt/cloud\nNFS_MOUNTPOINT=10.0.0.1:/e\n'), [
    `${env}:2: CLOUD_COMMAND: blanks round the = are not allowed (write CLOUD_COMMAND=VALUE)`,
    `${env}:3: NFS_MOUNTPOINT is not known; did you mean NFS_MOUNT_POINT?`,
  ]);
});

test('nothing is reported as missing when hybrid-cloud.yaml as a whole cannot be read', () => {
  assert.deepEqual(troubles('CLOUD=command\n', { files: { 'hybrid-cloud.yaml': 'cloud_command: [' } }), [
    `${DIR}/hybrid-cloud.yaml:1:17: not valid YAML: wrong indentation, or a bracket before it is not closed (begin every key at column 1)`,
  ]);
});

test('options of adapters that are not selected are neither required nor checked', () => {
  assert.equal(loadSite(`${GOOD}TORQUE_ONLY=nonsense\n`).batchSystem, 'slurm');
});

test('a cloud that the default names but this version lacks is said with the default', () => {
  const { vcp, ...cloud } = registries.cloud;
  assert.ok(vcp);
  const site = { registries: { ...registries, cloud, planned: ['vcp'] } };
  assert.deepEqual(troubles('NFS_MOUNT_POINT=10.0.0.1:/e\n', site), [
    `${env}: CLOUD: "vcp" (the default) is not in this version (write e.g. CLOUD=command)`,
  ]);
});

test('all mistakes of all sources are told at once, file by file and line by line', () => {
  const site: Site = {
    files: {
      'hybrid-cloud.yaml': 'boot_timeout: soon\nstop_timout: 5\n',
      'hosts.json': '{"10.0.0": "c1",\n"10.0.0.2": "c_2"}',
    },
    env: { JOIN_TIMEOUT: 'later\nor never' },
    flags: { 'min-nodes': 'x', 'max-nodez': '3', vcp_accesskey: 'from-the-flag' },
  };
  assert.deepEqual(troubles(`${GOOD}POLL_INTERVALL=5\nPOLICY=x\n`, site), [
    'command line: max-nodez is not known; did you mean MAX_NODES?',
    'command line: VCP_ACCESSKEY may not be given here: everybody on this machine can read it (write VCP_ACCESSKEY=... in the env file)',
    'command line: MIN_NODES: "x" is not a whole number (write e.g. MIN_NODES=0)',
    `${DIR}/hybrid-cloud.yaml:1: BOOT_TIMEOUT: "soon" is not a number of seconds (write e.g. BOOT_TIMEOUT: 1000)`,
    `${DIR}/hybrid-cloud.yaml:2:1: stop_timout is not known; did you mean stop_timeout?`,
    `${env}:4: POLL_INTERVALL is not known; did you mean POLL_INTERVAL?`,
    `${env}:5: POLICY: "x" is not one of demand, classic (write e.g. POLICY=demand)`,
    'environment: JOIN_TIMEOUT: holds a line break or another control character (write JOIN_TIMEOUT anew, on one line)',
    `${DIR}/hosts.json:1:2: "10.0.0" is not an IP address (four numbers from 0 to 255, or IPv6)`,
    `${DIR}/hosts.json:2:13: "c_2" is not a host name (letters, digits and dashes, up to 63 between dots)`,
  ]);
});

test('the error carries every problem as data too', () => {
  try {
    loadSite(`${GOOD}POLL_INTERVAL=five\n`);
    assert.fail('it should not start');
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(error.problems, [
      {
        file: env,
        line: 4,
        key: 'POLL_INTERVAL',
        message: '"five" is not a number of seconds',
        hint: 'write e.g. POLL_INTERVAL=5',
      },
    ]);
  }
});

const told: [string, string, Site, string][] = [
  ['unknown variables', 'HTTP_PROXY=x\n', {}, `${env}:4: HTTP_PROXY is not known and is ignored`],
  [
    'MAX_NODES above the hosts',
    'MAX_NODES=9\n',
    {},
    `${env}:4: MAX_NODES: 9 is more than the 4 registered hosts, which are the limit`,
  ],
  [
    'CONFIG_DIR in its own folder',
    'CONFIG_DIR=/x\n',
    {},
    `${env}:4: CONFIG_DIR: has no effect in a file of the folder it names (use the environment or --config-dir)`,
  ],
  [
    'a secret that everybody may read',
    'VCP_ACCESSKEY=the-token\n',
    { fileMode: () => 0o644 },
    `${env}: holds a secret and everybody on this machine may read it (chmod 600 ${env})`,
  ],
];

for (const [what, line, site, notice] of told) {
  test(`it is told, and nothing more: ${what}`, () => {
    assert.deepEqual(loadSite(`${GOOD}${line}`, site).notices, [notice]);
  });
}

for (const [what, line, mode] of [
  ['only the owner may read it', 'VCP_ACCESSKEY=the-token\n', 0o600],
  ['owner and group may read it', 'VCP_ACCESSKEY=the-token\n', 0o640],
  ['it holds no secret', 'VC_NAME=a\n', 0o644],
] as const) {
  test(`the permissions of the env file are no matter when ${what}`, () => {
    assert.deepEqual(loadSite(`${GOOD}${line}`, { fileMode: () => mode }).notices, []);
  });
}

const folders: [string, string, string][] = [
  ['the folder itself', '/opt/hybridcloud/vcpsdk/config', '/opt/hybridcloud/vcpsdk/config/env'],
  ['its parent', '/opt/hybridcloud/vcpsdk', '/opt/hybridcloud/vcpsdk/config/env'],
  ['the whole template', '/opt/hybridcloud/', '/opt/hybridcloud/vcpsdk/config/env'],
];

for (const [what, configDir, file] of folders) {
  test(`CONFIG_DIR may be the specification's folder: ${what}`, () => {
    const files = { [file]: GOOD, '/opt/hybridcloud/vcpsdk/config/hosts.json': hosts(3) };
    const settings = loadSite(null, { files, env: { CONFIG_DIR: configDir } });
    assert.equal(settings.configDir, '/opt/hybridcloud/vcpsdk/config');
    assert.equal(settings.pool.hosts.length, 3);
    assert.deepEqual(settings.files, [file, '/opt/hybridcloud/vcpsdk/config/hosts.json']);
  });
}

test('a flag for CONFIG_DIR wins over the environment', () => {
  const files = { '/a/env': `${GOOD}QUEUE_NAME=a`, '/a/hosts.json': hosts(1), '/b/env': GOOD };
  const settings = loadSite(null, { files, env: { CONFIG_DIR: '/b' }, flags: { 'config-dir': '/a' } });
  assert.equal(settings.pool.queue, 'a');
});

test('a folder called env is not the env file', () => {
  const files = { '/a/env': failure('EISDIR'), '/a/config/env': GOOD, '/a/config/hosts.json': hosts(1) };
  assert.equal(loadSite(null, { files, flags: { CONFIG_DIR: '/a' } }).configDir, '/a/config');
});

test('an env file that may not be read is a problem, and nothing is said about what it might hold', () => {
  const site = { files: { env: failure('EACCES') } };
  assert.deepEqual(troubles(null, site), [`${env}: may not be read by this user`]);
});

test('everything may come from the environment; that there is no file is told', () => {
  const vars = { CLOUD: 'command', CLOUD_COMMAND: '/opt/cloud', BOOTSTRAP: 'none', QUEUE_NAME: 'q' };
  const settings = loadSite(null, { env: vars });
  assert.equal(settings.pool.queue, 'q');
  assert.deepEqual(settings.notices, [
    `${DIR}: holds neither env nor hybrid-cloud.yaml (copy docker.env.example there as env)`,
  ]);
});

test('a missing hosts.json is said together with the rest', () => {
  const lines = troubles(`${GOOD}POLICY=x\nHOSTS_FILE=none.json\n`);
  assert.equal(lines.length, 2);
  assert.match(String(lines[1]), /^\/etc\/hybrid-cloud\/none\.json: is missing: it registers the hosts of the pool/);
});

test('a secret value appears in no description, problem or notice', () => {
  const secret = 'S3cr3t-value';
  const settings = loadSite(`${GOOD}VCP_ACCESSKEY=${secret}\n`, {
    files: { 'hybrid-cloud.yaml': `mdx_api_token: ${secret}-2\ncloud: token\nsecret_number: "12345678"\n` },
    env: { MDX_INIT_PASSWORD: `${secret}-3`, CLOUD: 'token' },
    fileMode: () => 0o666,
  });
  const said = JSON.stringify([describe(settings), settings.notices, [...settings.sources]]);
  assert.ok(!said.includes(secret) && !said.includes('12345678'), said);
  assert.deepEqual(describe(settings).find((one) => one.key === 'SECRET_NUMBER')?.value, '(set)');
  assert.deepEqual(settings.secrets.toSorted(), ['12345678', secret, `${secret}-2`, `${secret}-3`].toSorted());
});

for (const [what, line] of [
  ['of the wrong form', 'SECRET_NUMBER=S3cr3t-value'],
  ['with a control character', 'SECRET_NUMBER=S3cr3t-value\u0001'],
  ['whose schema repeats it', 'ECHOING_SECRET=S3cr3t-value'],
  ['with blanks round the =', 'VCP_ACCESSKEY = S3cr3t-value'],
  ['under a name with a slip', 'VCP_ACCESKEY=S3cr3t-value'],
  ['in an open quote', 'VCP_ACCESSKEY="S3cr3t-value'],
  ['beside the quotes', 'VCP_ACCESSKEY="x"S3cr3t-value'],
  ['behind a colon', 'VCP_ACCESSKEY: S3cr3t-value'],
] as const) {
  test(`a secret ${what} is refused without being repeated`, () => {
    const lines = troubles(`CLOUD=token\nBOOTSTRAP=none\n${line}\n`);
    assert.equal(lines.length, 1);
    assert.doesNotMatch(lines.join('\n'), /S3cr3t/);
  });
}

test('real files: byte order mark, permissions and all', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'env'), `\uFEFF${GOOD}VCP_ACCESSKEY=abcdef\r\n`);
  writeFileSync(join(folder, 'hosts.json'), `\uFEFF${hosts(2)}`);
  chmodSync(join(folder, 'env'), 0o644);
  const { settings } = load({ flags: { CONFIG_DIR: folder }, env: {}, registries });
  assert.equal(settings.pool.hosts.length, 2);
  assert.equal(settings.notices.length, 1);
  assert.match(String(settings.notices[0]), /chmod 600/);
});
