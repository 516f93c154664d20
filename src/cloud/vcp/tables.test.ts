/** The adapter's tables: states, names, troubles, configuration files, the start of the container. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { CloudError } from '../../domain/errors.ts';
import type { MachineState } from '../../domain/machine.ts';
import type { RunResult } from '../../lib/run.ts';
import { checkAddresses } from './check.ts';
import { configProblems, credentialRemarks, flavorProblems } from './config-file.ts';
import { readUnitName, siblingPattern, unitName } from './names.ts';
import { readNodeEnv } from './node-env.ts';
import { keptHosts, missingVcp, readVcpValues, vcpOptions } from './options.ts';
import { makeSecrets } from './secrets.ts';
import { hasRegistry, startFailure, startOf } from './start.ts';
import { NODE_STATES, stateOf } from './states.ts';
import { NotOurTurn, readTrouble, type Trouble } from './troubles.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('node states', () => {
  const table: readonly [string, string, MachineState][] = [
    ['BOOTING', 'BOOTING', 'starting'],
    ['RUNNING', 'RUNNING', 'running'],
    ['RUNNING', 'SUSPENDING', 'unknown'],
    ['RUNNING', 'SUSPENDED', 'unknown'],
    ['RUNNING', 'RESUMING', 'unknown'],
    ['RUNNING', 'STOPPING', 'unknown'],
    ['RUNNING', 'STOPPED', 'unknown'],
    ['RUNNING', 'SHUTTING_DOWN', 'unknown'],
    ['RUNNING', 'POWER_OFF', 'unknown'],
    ['ERROR', 'CONTAINER_ERROR', 'failed'],
    ['ERROR', 'HOST_ERROR', 'failed'],
    ['ERROR', 'ERROR', 'failed'],
    ['ERROR', 'BOOTING', 'failed'],
    ['ERROR', 'RUNNING', 'running'],
    ['DELETING', 'RUNNING', 'stopping'],
    ['RUNNING', 'DELETING', 'stopping'],
    ['RUNNING', 'NEW_WORD', 'unknown'],
    ['RUNNING', '', 'unknown'],
    ['RUNNING', 'toString', 'unknown'],
  ];
  for (const [unit, node, state] of table) {
    test(`a node ${node || '(nothing)'} in a unit ${unit} is ${state}`, () => assert.equal(stateOf(unit, node), state));
  }
  test('all 12 states of the SDK and ERROR are in the table', () => assert.equal(Object.keys(NODE_STATES).length, 13));
  for (const [unit, state] of [
    ['BOOTING', 'starting'],
    ['ERROR', 'failed'],
    ['DELETING', 'stopping'],
    ['RUNNING', 'unknown'],
    ['constructor', 'unknown'],
  ] as const) {
    test(`a unit ${unit} without a node is ${state}`, () => assert.equal(stateOf(unit, null), state));
  }
});

describe('unit names', () => {
  const lease = 'hc-0123456789ab';
  const hosts = ['c1', 'cloud-node-07', 'C1', 'n_1', 'node.site.example', 'x'.repeat(60), 'ü1'];
  for (const host of hosts) {
    test(`${host} and its lease are in the name, and come out of it again`, () => {
      const name = unitName(host, lease);
      assert.match(name, /^[a-z0-9-]{2,64}$/);
      assert.deepEqual(readUnitName(name, hosts), { host, lease });
      assert.match(name, new RegExp(siblingPattern(host)));
    });
  }
  test('a host that left hosts.json is still known by its unit', () => {
    assert.deepEqual(readUnitName('hc-c9-0123456789ab', ['c1']), { host: 'c9', lease });
    assert.deepEqual(readUnitName(unitName('N_9', lease), ['c1']), { host: 'N_9', lease });
  });
  test('c1 and c1-2 are not mistaken for each other', () => {
    assert.doesNotMatch(unitName('c1-2', lease), new RegExp(siblingPattern('c1')));
    assert.equal(readUnitName(unitName('c1-2', lease), ['c1', 'c1-2'])?.host, 'c1-2');
  });
  test('a lease that is not of our making gives a name all the same, and is not told back', () => {
    const name = unitName('c1', 'Lease of Somebody');
    assert.match(name, /^hc-c1-x[0-9a-f]{12}$/);
    assert.equal(unitName('c1', 'Lease of Somebody'), name);
    assert.notEqual(unitName('c1', 'another'), name);
    assert.deepEqual(readUnitName(name, ['c1']), { host: 'c1', lease: null });
  });
  for (const foreign of [
    'compute',
    '7f3a7f3a-0000-4000-8000-000000000000',
    'hc-c1',
    'hc-c1-xyz',
    'xhc-c1-0123456789ab',
    '',
  ]) {
    test(`${foreign || '(nothing)'} is not ours`, () => assert.equal(readUnitName(foreign, ['c1']), null));
  }
});

describe('troubles', () => {
  const trouble = (text: string, more: Partial<Trouble> = {}): Trouble => ({
    code: null,
    stage: 'before',
    type: 'Exception',
    text,
    log: '',
    ...more,
  });
  const table: readonly [string, string, RegExp][] = [
    [
      'config vc failed: http_status(403)\n2022/09/01 00:00:00 UTC: VCPAuthException: 7f3a:token lookup is failed: permission denied',
      'auth',
      /VCP_ACCESSKEY/,
    ],
    [
      'add unit failed: http_status(403)\nNoneType\n... VCPVaultReadException: 7f3a:cubbyhole/aws/access_key vault read is failed:',
      'config',
      /Vault/,
    ],
    ['http_status(403)', 'auth', /VCP_ACCESSKEY/],
    [
      'Error launching source instance: VcpuLimitExceeded: You have requested more vCPU capacity than your limit',
      'quota',
      /MAX_NODES/,
    ],
    ['InstanceLimitExceeded: Your quota allows for 0 more running instance(s)', 'quota', /MAX_NODES/],
    [
      'Code="OperationNotAllowed" Message="Operation could not be completed as it results in exceeding approved standardDSv3Family Cores quota."',
      'quota',
      /MAX_NODES/,
    ],
    ['QuotaExceeded', 'quota', /MAX_NODES/],
    ['InsufficientInstanceCapacity: We currently do not have sufficient m5.large capacity', 'capacity', /vcp_flavor/],
    ['Code="SkuNotAvailable"', 'capacity', /vcp_flavor/],
    ['Code="AllocationFailed"', 'capacity', /vcp_flavor/],
    ['Code="ZonalAllocationFailed"', 'capacity', /vcp_flavor/],
    ['RequestLimitExceeded: Request limit exceeded.', 'throttled', /^$/],
    ['Throttling: Rate exceeded', 'throttled', /^$/],
    ['get vc failed: http_status(429)', 'throttled', /^$/],
    ['InvalidIPAddress.InUse: Address 172.30.2.101 is in use.', 'ip-in-use', /^$/],
    ['Code="PrivateIPAddressInUse"', 'ip-in-use', /^$/],
    [
      "InvalidParameterValue: Address 10.9.9.9 does not fall within the subnet's address range",
      'config',
      /hosts\.json/,
    ],
    ['Code="PrivateIPAddressNotInSubnet"', 'config', /hosts\.json/],
    [
      "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate",
      'config',
      /CA certificate/,
    ],
    ['InvalidClientTokenId: The security token included in the request is invalid', 'auth', /provider's keys/],
    [
      "HTTPSConnectionPool(host='10.0.0.1', port=443): Max retries exceeded (Caused by NewConnectionError: [Errno 111] Connection refused)",
      'temporary',
      /vcc\.host/,
    ],
    [
      "HTTPSConnectionPool(host='occtr', port=443): NameResolutionError: [Errno -2] Name or service not known",
      'temporary',
      /vcc\.host/,
    ],
    ['ReadTimeout: Read timed out.', 'temporary', /vcc\.host/],
    ['ScannerError: while scanning for the next token', 'config', /vcp_config/],
    [
      "ValidationError: Additional properties are not allowed ('wait_timeout_sec:' was unexpected)",
      'config',
      /vcp_config/,
    ],
    ["ModuleNotFoundError: No module named 'vcpsdk'", 'config', /VCP_SDK_CONTAINER_IMAGE/],
    ['something never seen', 'temporary', /^$/],
  ];
  for (const [text, kind, hint] of table) {
    test(`"${text.slice(0, 60)}" is ${kind}`, () => {
      const error = readTrouble(trouble(text), false);
      assert.equal(error.kind, kind, error.message);
      assert.match(error.hint, hint);
      assert.doesNotMatch(error.message, /\n/);
    });
  }
  for (const text of ['ReadTimeout: Read timed out.', 'something never seen', 'http_status(502)']) {
    test(`"${text}" after a create was sent may have happened all the same`, () => {
      assert.equal(readTrouble(trouble(text, { stage: 'sent' }), true).kind, 'ambiguous');
      assert.equal(readTrouble(trouble(text, { stage: 'before' }), true).kind, 'temporary');
    });
  }
  test('a refusal that is understood is no open question, also after it was sent', () => {
    assert.equal(readTrouble(trouble('InsufficientInstanceCapacity', { stage: 'sent' }), true).kind, 'capacity');
  });
  test('what only the log says counts, too', () => {
    const log =
      '2022-09-01 - ERROR - add unit failed: http_status(403)\n2022/09/01 00:00:00 UTC: VCPVaultReadException: x';
    const error = readTrouble(trouble('the unit was not made', { stage: 'sent', log }), true);
    assert.equal(error.kind, 'config');
    assert.match(error.message, /Vault: VCPVaultReadException: x$/);
  });
  for (const text of ['Vc state is APPLYING', 'another operation is in progress', 'group state[APPLYING]']) {
    test(`"${text}" only means: later`, () => assert.ok(readTrouble(trouble(text), true) instanceof NotOurTurn));
  }
  for (const [code, kind] of [
    ['ip-in-use', 'ip-in-use'],
    ['config', 'config'],
    ['foreign', 'config'],
  ] as const) {
    test(`our own finding ${code} is ${kind}`, () =>
      assert.equal(readTrouble(trouble('x', { code }), true).kind, kind));
  }
});

/** Every key of vcp_config.yml, as in the reference on the VCP SDK, section 4.1. */
const KEYS: Readonly<Record<string, string>> = {
  vcc: 'host name vcc_port vault_port private_ip insecure_request_warning wait_timeout_sec',
  spec_options: 'dns dns_search add_host options hostname gpus',
  aws: 'access_key secret_key private_network',
  vmware: 'user password private_network',
  hokudai: 'user_name password private_network',
  sakura: 'token secret private_network',
  oracle: 'user_ocid fingerprint private_key private_network',
  azure: 'subscription_id client_id client_secret tenant_id private_network',
  gcp: 'credentials private_network',
  chameleon: 'application_credential_id application_credential_secret private_network',
};
const PROVIDERS = Object.keys(KEYS).filter((name) => name !== 'vcc' && name !== 'spec_options');

describe('vcp_config.yml and vcp_flavor.yml', () => {
  const base = 'vcc:\n    host: 10.0.0.1\n    name: tokyo\n';
  const table: readonly [string, string, RegExp[]][] = [
    ['a good one', `${base}    wait_timeout_sec: 1000\naws:\n    access_key: vault://cubbyhole/aws/access_key\n`, []],
    [
      'the typo of the published example',
      `${base}    wait_timeout_sec:: 1000\n`,
      [/vcc\.wait_timeout_sec: is no key: write wait_timeout_sec:$/],
    ],
    [
      'a misspelt key',
      `${base}spec_options:\n    add_hosts: []\n`,
      [/spec_options\.add_hosts is no key: write add_host:/],
    ],
    ['a section with two colons', `${base}spec_options::\n    dns: []\n`, [/one colon too many: write spec_options:/]],
    ['no host', 'vcc:\n    name: tokyo\n', [/vcc\.host is missing/]],
    ['no YAML', 'vcc:\n\thost: x\n', [/vcp_config\.yml:2: /]],
    ['nothing', '', [/holds no settings/]],
    ['a misspelt credential', `${base}aws:\n    acess_key: x\n`, [/aws\.acess_key is no key: write access_key:$/]],
    ['a key that a release added', `${base}aws:\n    session: x\n`, []],
    ['a section of a provider we do not know', `${base}mdx2:\n    anything: 1\n`, []],
  ];
  for (const [what, text, expected] of table) {
    test(`${what}: ${expected.length === 0 ? 'nothing to say' : String(expected[0])}`, () => {
      const problems = configProblems(text, 'vcp_config.yml');
      assert.equal(problems.length, expected.length, problems.join('\n'));
      for (const [at, pattern] of expected.entries()) assert.match(problems[at] ?? '', pattern);
    });
  }
  const vault = (provider: string, ...keys: string[]) =>
    `${base}${provider}:\n${keys.map((key) => `    ${key}: vault://cubbyhole/${provider}/${key}\n`).join('')}`;
  const credentials: readonly [string, string, string, RegExp[]][] = [
    ['all there', 'aws', vault('aws', 'access_key', 'secret_key'), []],
    ['for spot machines', 'aws_spot', vault('aws', 'access_key', 'secret_key'), []],
    ['one of two spellings', 'sakura', vault('sakura', 'sakura_token', 'sakura_secret'), []],
    ['a provider without any', 'onpremises', base, []],
    ['a name every object has', 'constructor', base, []],
    ['no section', 'aws', base, [/has no aws\.access_key and aws\.secret_key .*vault:\/\/cubbyhole\/aws\/access_key/]],
    ['an empty one', 'gcp', `${base}gcp:\n    credentials:\n`, [/has no gcp\.credentials /]],
    ['half a spelling', 'chameleon', vault('chameleon', 'user_name'), [/has no chameleon\.password /]],
    [
      'a broken path',
      'aws',
      vault('aws', 'access_key', 'secret_key').replace('vault://cubbyhole/aws/access_key', 'vault:/aws/access_key'),
      [/aws\.access_key is no path of the controller's Vault \(write vault:\/\/cubbyhole\/aws\/access_key\)/],
    ],
  ];
  for (const [what, provider, text, expected] of credentials) {
    test(`credentials of ${provider}, ${what}: ${expected.length === 0 ? 'nothing to say' : 'told'}`, () => {
      const remarks = credentialRemarks(text, 'f', provider).map((one) => `${one.text} (${one.hint})`);
      assert.equal(remarks.length, expected.length, remarks.join('\n'));
      for (const [at, pattern] of expected.entries()) assert.match(remarks[at] ?? '', pattern);
    });
  }
  test('a provider or flavor that is not there is named with those that are', () => {
    const text = 'aws:\n    small: {}\n    large: {}\n';
    assert.deepEqual(flavorProblems(text, 'f', 'aws', 'small'), []);
    assert.match(String(flavorProblems(text, 'f', 'aws', 'tiny')), /no flavor tiny under aws .*it has small, large/);
    assert.match(String(flavorProblems(text, 'f', 'azure', 'small')), /no provider azure .*it has aws/);
    assert.match(String(flavorProblems(text, 'f', 'toString', 'x')), /no provider toString/);
  });
  test('the example and the flavors that we ship have nothing wrong', () => {
    const commented = read('helpers/vcp/vcp_config.yml.example');
    assert.deepEqual(configProblems(commented, 'example'), []);
    // Every key, also the commented ones, is one we know.
    const open = commented.replace(/^#( *[a-z_]+:(?: .*)?| +- .*)$/gm, '$1');
    assert.deepEqual(configProblems(open, 'example'), []);
    for (const provider of PROVIDERS) assert.deepEqual(credentialRemarks(open, 'example', provider), [], provider);
    const sections = parse(open) as Readonly<Record<string, Readonly<Record<string, unknown>> | null>>;
    for (const [section, keys] of Object.entries(KEYS)) {
      for (const key of keys.split(' ')) assert.ok(Object.hasOwn(sections[section] ?? {}, key), `${section}.${key}`);
    }
    const flavors = read('helpers/vcp/vcp_flavor.yml');
    for (const provider of ['aws', 'aws_spot', 'azure', 'gcp', 'oracle']) {
      for (const flavor of ['small', 'medium', 'large']) {
        assert.deepEqual(flavorProblems(flavors, 'flavors', provider, flavor), []);
      }
    }
    assert.deepEqual(flavorProblems(flavors, 'flavors', 'onpremises', 'default'), []);
  });
});

test('addresses outside the network of the provider are named', () => {
  const hosts = [
    { name: 'c1', ip: '172.30.2.101' },
    { name: 'c2', ip: '172.30.3.1' },
  ];
  assert.throws(() => checkAddresses('172.30.2.0/24', hosts), /c2 \(172\.30\.3\.1\) outside 172\.30\.2\.0\/24/);
  for (const mask of ['172.30.0.0/16', '', 'default', '172.30.2.0/255.255.255.0', '1.2.3.4/99', 'fd00::/64/x']) {
    checkAddresses(mask, hosts);
  }
});

describe('options', () => {
  const spec = { VC_NAME: 'g', PROVIDER_NAME: 'aws', FLAVOR_NAME: 'small', IMAGE_NAME: 'i' };
  const common = {
    VCP_ACCESSKEY: 'token',
    VCP_SDK_CONTAINER_IMAGE: 'vcpsdk:20.10.0',
    CONTAINER_RUNTIME: ['docker'],
    VCP_PARALLEL: true,
    VCP_TIMEOUT: 1,
  };
  const unit = { VC_GROUP_NAME: 'OpenHPC', VC_UNIT_NAME: 'compute' };
  const hosts = [{ name: 'c1' }, { name: 'c2' }];

  test('the first generation makes units, the second adds to one', () => {
    assert.deepEqual(readVcpValues({ ...common, ...spec }).target, {
      mode: 'spec',
      group: 'g',
      provider: 'aws',
      flavor: 'small',
      image: 'i',
    });
    assert.deepEqual(readVcpValues({ ...common, ...unit }).target, { mode: 'unit', group: 'OpenHPC', unit: 'compute' });
  });
  test('what is missing is told by key', () => {
    assert.deepEqual(missingVcp({ ...common, ...spec }), []);
    assert.deepEqual(missingVcp({ ...common, ...unit }), []);
    assert.deepEqual(
      missingVcp({ ...common, VC_NAME: 'g', IMAGE_NAME: '' }).map(({ key }) => key),
      ['PROVIDER_NAME', 'FLAVOR_NAME', 'IMAGE_NAME'],
    );
    assert.deepEqual(
      missingVcp({ ...common, VC_UNIT_NAME: 'compute' }).map(({ key }) => key),
      ['VC_GROUP_NAME'],
    );
  });
  test('the first host of hosts.json is kept in unit mode, none in spec mode, unless somebody says so', () => {
    assert.deepEqual([...keptHosts({ ...common, ...unit }, hosts)], ['c1']);
    assert.deepEqual([...keptHosts({ ...common, ...spec }, hosts)], []);
    assert.deepEqual([...keptHosts({ ...common, ...unit, VCP_KEEP_HOSTS: ['c2'] }, hosts)], ['c2']);
    assert.deepEqual([...keptHosts({ ...common, ...unit, VCP_KEEP_HOSTS: ['none'] }, hosts)], []);
  });
  test('every variable of both generations is known, and secrets are marked', () => {
    const keys = new Set(vcpOptions.map(({ key }) => key));
    for (const key of [
      'VCP_ACCESSKEY VC_NAME PROVIDER_NAME FLAVOR_NAME IMAGE_NAME VCP_SDK_CONTAINER_IMAGE',
      'VCP_CONFIG_DIR VC_GROUP_NAME VC_UNIT_NAME VC_PROVIDER VC_FLAVOR VC_IMAGE SSH_PUBLIC_KEY_PATH SSH_PRIVATE_KEY_PATH',
      'MDX_API_TOKEN MDX_PROJECT_NAME MDX_PACK_NUM MDX_DISK_SIZE MDX_INIT_PASSWORD MDX_USE_GPU MDX_USER_NAME',
    ]
      .join(' ')
      .split(' ')) {
      assert.ok(keys.has(key), key);
    }
    assert.deepEqual(
      vcpOptions.filter(({ secret }) => secret).map(({ key }) => key),
      ['VCP_ACCESSKEY', 'MDX_API_TOKEN', 'MDX_INIT_PASSWORD'],
    );
    for (const { key, schema, fallback } of vcpOptions) {
      if (fallback !== undefined) assert.ok(schema.safeParse(fallback).success, key);
    }
  });
});

describe('the container', () => {
  const values = readVcpValues({
    VCP_ACCESSKEY: 'the-token',
    VCP_SDK_CONTAINER_IMAGE: 'vcpsdk:20.10.0',
    CONTAINER_RUNTIME: ['podman'],
    VCP_PARALLEL: true,
    VCP_TIMEOUT: 1,
    VC_NAME: 'g',
    PROVIDER_NAME: 'aws',
    FLAVOR_NAME: 'small',
    IMAGE_NAME: 'i',
  });
  const failed = (stderr: string, more: Partial<RunResult> = {}): RunResult => ({
    command: ['docker', 'run', '--rm'],
    code: 125,
    signal: null,
    stdout: '',
    stderr,
    took: 5,
    timedOut: false,
    aborted: false,
    cut: false,
    notFound: false,
    ...more,
  });

  test('gets the configuration folder read-only, no token, and is not looked up in a public registry', () => {
    const { command, configDir } = startOf(values, '/etc/hybrid-cloud');
    assert.equal(configDir, '/vcp_config');
    assert.equal(command[0], 'podman');
    assert.ok(command.includes('--mount=type=bind,source=/etc/hybrid-cloud,target=/vcp_config,readonly'));
    assert.ok(command.includes('--pull=never'));
    assert.ok(command.includes('--log-driver=none'));
    assert.equal(command.indexOf('vcpsdk:20.10.0') < command.indexOf('-u'), true);
    assert.doesNotMatch(command.join(' '), /the-token/);
  });
  test('a site may run the SDK without a container', () => {
    const bare = { ...values, VCP_HELPER_COMMAND: ['python3', 'helper.py'] };
    assert.deepEqual(startOf(bare, '/etc/hc'), { command: ['python3', 'helper.py'], configDir: '/etc/hc' });
  });
  for (const [image, yes] of [
    ['vcpsdk:20.10.0', false],
    ['library/vcpsdk', false],
    ['harbor.vcloud.nii.ac.jp/vcpsdk/vcpsdk:22.10.0', true],
    ['10.0.0.1:5001/vcpsdk', true],
    ['localhost/vcpsdk', true],
  ] as const) {
    test(`${image} ${yes ? 'names' : 'does not name'} a registry`, () => assert.equal(hasRegistry(image), yes));
  }
  for (const [stderr, kind, hint] of [
    [
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      'temporary',
      /systemctl/,
    ],
    ['permission denied while trying to connect to the Docker daemon socket', 'config', /group docker/],
    ["Unable to find image 'vcpsdk:20.10.0' locally", 'config', /build the image/],
    ['Error: vcpsdk:20.10.0: image not known', 'config', /build the image/],
    ['exec: "python3": executable file not found in $PATH', 'config', /python3/],
    ['invalid mount config for type "bind": bind source path does not exist: /x', 'config', /CONFIG_DIR/],
    ['unknown flag: --pull', 'config', /20\.10/],
    ['something else', 'temporary', /^$/],
  ] as const) {
    test(`"${stderr.slice(0, 50)}" says what to do`, () => {
      const error = startFailure(failed(stderr), values);
      assert.equal(error.kind, kind);
      assert.match(error.hint, hint);
    });
  }
  test('no container runtime at all', () => {
    const error = startFailure(failed('', { notFound: true, code: null, command: ['docker'] }), values);
    assert.deepEqual([error.kind, error.message], ['config', 'docker is not there or may not be run']);
    assert.match(error.hint, /install Docker/);
  });
});

test('VCP_NODE_ENV holds KEY=VALUE lines, and a wrong one is told without its text', () => {
  assert.deepEqual(readNodeEnv('# a\n\nMUNGE_KEY=a=b==\r\n  B=x y\n', 'f'), ['MUNGE_KEY=a=b==', 'B=x y']);
  assert.throws(
    () => readNodeEnv('A=1\nthe secret alone\n', 'node.env'),
    (error) => error instanceof CloudError && error.message === 'node.env:2 is not KEY=VALUE',
  );
});

test('secrets are taken out, also as JSON writes them', () => {
  const { add, clean } = makeSecrets(['tok"en/1', 'abc']);
  add('another-one');
  assert.equal(clean('a tok"en/1 b {"x":"tok\\"en/1"} abc another-one'), 'a [hidden] b {"x":"[hidden]"} abc [hidden]');
});
