/**
 * The adapter with its real Python side and the emulated SDK behind it, for tests.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Known } from '../../src/cloud/vcp/mode.ts';
import { makeVcpCloud, type VcpCloud } from '../../src/cloud/vcp/vcp.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { type Log, quietLog } from '../../src/lib/log.ts';
import { converse, run } from '../../src/lib/run.ts';

const pythonSide = fileURLToPath(new URL('../../helpers/vcp/helper.py', import.meta.url));
const emulator = fileURLToPath(new URL('.', import.meta.url));

export const TOKEN = 'emulated-token';
export const HOSTS = [1, 2, 3, 4].map((n) => ({ name: `c${n}`, ip: `10.77.0.10${n}` }));

/** As test/vcp-emulator/vcpsdk/controller.py explains them. */
export type Behaviour = Readonly<Record<string, unknown>>;

export interface EmulatedOptions {
  readonly values?: Readonly<Record<string, unknown>>;
  readonly mode?: 'spec' | 'unit';
  readonly behaviour?: Behaviour;
  readonly policy?: 'demand' | 'classic';
  readonly hosts?: () => readonly Known[];
  readonly clock?: Clock;
  readonly python?: string;
  /** More for the Python side's environment: `TMPDIR=/x`. */
  readonly env?: readonly string[];
}

export interface EmulatedCall {
  readonly at: number;
  readonly pid: number;
  readonly call: string;
  readonly with: Readonly<Record<string, unknown>>;
}

export interface Emulated extends AsyncDisposable {
  readonly cloud: VcpCloud;
  readonly folder: string;
  readonly configDir: string;
  /** What was said to the log, one line each. */
  readonly logged: string[];
  /** A second service beside the first, or the next one after it. */
  again(options?: EmulatedOptions): VcpCloud;
  behave(behaviour: Behaviour): Promise<void>;
  calls(name?: string): Promise<readonly EmulatedCall[]>;
  /** The controller's own memory. */
  state(): Promise<EmulatedState>;
  /** Runs Python lines with the SDK in reach as `sdk`, as a person at a notebook would. */
  person(...lines: string[]): Promise<string>;
  until(what: string, test: () => Promise<boolean>): Promise<void>;
}

export interface EmulatedState {
  readonly groups: Readonly<Record<string, { readonly units: Readonly<Record<string, EmulatedUnit>> }>>;
}
interface EmulatedUnit {
  readonly state: string;
  readonly nodes: readonly { readonly ip: string; readonly state: string; readonly no: number }[];
  readonly spec: Readonly<Record<string, unknown>>;
}

export const SPEC_VALUES = {
  VC_NAME: 'hybridcloud',
  PROVIDER_NAME: 'aws',
  FLAVOR_NAME: 'small',
  IMAGE_NAME: '10.0.0.1:5001/vcp/base:ubuntu18.04-slurm',
};
export const UNIT_VALUES = { VC_GROUP_NAME: 'OpenHPC', VC_UNIT_NAME: 'compute' };

export async function emulated(options: EmulatedOptions = {}): Promise<Emulated> {
  const folder = await mkdtemp(join(tmpdir(), 'vcp-emulated-'));
  const configDir = join(folder, 'config');
  const stateDir = join(folder, 'controller');
  const logged: string[] = [];
  const made: VcpCloud[] = [];
  await mkdir(configDir);
  await mkdir(stateDir);
  await writeFile(join(configDir, 'vcp_config.yml'), CONFIG);
  await writeFile(join(configDir, 'vcp_flavor.yml'), FLAVOR);
  const python = [
    'env',
    `VCP_EMULATOR_DIR=${stateDir}`,
    `PYTHONPATH=${emulator}`,
    'PYTHONDONTWRITEBYTECODE=1',
    ...(options.env ?? []),
    options.python ?? 'python3',
    '-u',
  ];
  const say = (text: string) => void logged.push(text);
  const log: Log = { ...quietLog, debug: say, info: say, warn: say, error: say };

  function make(more: EmulatedOptions): VcpCloud {
    const values = {
      VCP_ACCESSKEY: TOKEN,
      VCP_SDK_CONTAINER_IMAGE: 'vcpsdk:20.10.0',
      CONTAINER_RUNTIME: ['docker'],
      VCP_HELPER_COMMAND: [...python, pythonSide],
      VCP_PARALLEL: true,
      VCP_TIMEOUT: 30_000,
      ...(more.mode === 'unit' ? UNIT_VALUES : SPEC_VALUES),
      ...more.values,
    };
    const cloud = makeVcpCloud(values, {
      run,
      converse,
      clock: more.clock ?? systemClock,
      log,
      pool: { name: 'cloud', policy: more.policy ?? 'demand', hosts: HOSTS },
      configDir,
      ...(more.hosts === undefined ? {} : { hosts: more.hosts }),
      publicKey: async () => 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA hybrid-cloud',
    });
    made.push(cloud);
    return cloud;
  }

  async function behave(behaviour: Behaviour): Promise<void> {
    await writeFile(join(stateDir, 'behaviour.json'), JSON.stringify({ poll: 0.05, ...behaviour }));
  }

  const world: Emulated = {
    cloud: make(options),
    folder,
    configDir,
    logged,
    again: (more = {}) => make({ ...options, ...more }),
    behave,
    async calls(name) {
      const text = await readFile(join(stateDir, 'calls.jsonl'), 'utf8').catch(() => '');
      const all = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as EmulatedCall);
      return name === undefined ? all : all.filter(({ call }) => call === name);
    },
    async state() {
      await world.person('sdk.find_ugroups()');
      return JSON.parse(await readFile(join(stateDir, 'state.json'), 'utf8')) as EmulatedState;
    },
    async person(...lines) {
      const script = [
        'from vcpsdk.vcpsdk import VcpSDK',
        `sdk = VcpSDK("${TOKEN}", config_dir="${configDir}")`,
        ...lines,
      ].join('\n');
      const result = await run([...python, '-c', script], { timeout: 30_000 });
      if (result.code !== 0) throw new Error(result.stderr);
      return result.stdout;
    },
    async until(what, test) {
      for (let n = 0; n < 600; n++) {
        if (await test()) return;
        await sleep(50);
      }
      throw new Error(`in 30 s it did not happen: ${what}`);
    },
    async [Symbol.asyncDispose]() {
      for (const cloud of made) await cloud[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await behave({});
  if (options.mode === 'unit') {
    // What the OpenHPC template makes beforehand; its own compute node has an address that is not in hosts.json.
    await world.person(
      'group = sdk.create_ugroup("OpenHPC")',
      'spec = sdk.get_spec("aws", "small")',
      'spec.ip_addresses = ["10.77.0.10"]',
      'group.create_unit("compute", spec)',
    );
  }
  await behave(options.behaviour ?? {});
  return world;
}

const CONFIG = `vcc:
    host: 10.0.0.1
    name: test
spec_options:
    add_host:
       - "master:10.77.0.1"
       - "c1:10.77.0.101"
aws:
    access_key: vault://cubbyhole/aws/access_key
    secret_key: vault://cubbyhole/aws/secret_key
    private_network: default
`;

const FLAVOR = `aws:
    small:
        instance_type: m5.large
        volume_size: 16
onpremises:
    default:
        flavor_name: dummy
`;
