/**
 * How the Python side is started, and what it means when that fails. No secret is on this command line: the token goes
 * in with the first request.
 */
import { fileURLToPath } from 'node:url';
import { CloudError } from '../../domain/errors.ts';
import { type RunResult, sayRun } from '../../lib/run.ts';
import type { VcpValues } from './options.ts';

/** Where the SDK container sees what we mount; the second generation's images expect it there. */
const CONFIG_IN_CONTAINER = '/vcp_config';
const OURS_IN_CONTAINER = '/opt/hybrid-cloud/vcp';
const OURS = fileURLToPath(new URL('../../../helpers/vcp', import.meta.url));

export interface Start {
  readonly command: readonly string[];
  /** The configuration folder as the Python side sees it. */
  readonly configDir: string;
}

/** @param configDir the folder of the env file, on this machine */
export function startOf(values: VcpValues, configDir: string): Start {
  if (values.VCP_HELPER_COMMAND !== undefined) {
    return { command: values.VCP_HELPER_COMMAND, configDir: values.VCP_CONFIG_DIR ?? configDir };
  }
  const inside = values.VCP_CONFIG_DIR ?? CONFIG_IN_CONTAINER;
  const image = values.VCP_SDK_CONTAINER_IMAGE;
  return {
    command: [
      ...values.CONTAINER_RUNTIME,
      'run',
      // Its end of input ends it, so nothing is left behind when we are killed.
      '--rm',
      '--interactive',
      '--label=hybrid-cloud=vcp',
      // A portable controller listens on 127.0.0.1.
      '--network=host',
      // What the SDK prints may hold the node's own secrets: it goes to us, not into the runtime's log files.
      '--log-driver=none',
      // A name without a registry would be looked up in a public one, where anybody may have registered it.
      `--pull=${hasRegistry(image) ? 'missing' : 'never'}`,
      '--security-opt=label=disable',
      `--mount=type=bind,source=${configDir},target=${inside},readonly`,
      `--mount=type=bind,source=${OURS},target=${OURS_IN_CONTAINER},readonly`,
      '--env=PYTHONDONTWRITEBYTECODE=1',
      '--entrypoint=python3',
      image,
      '-u',
      `${OURS_IN_CONTAINER}/helper.py`,
    ],
    configDir: inside,
  };
}

/** `harbor.example.org/a/b:1` and `10.0.0.1:5001/a` name a registry, `vcpsdk:20.10.0` and `library/vcpsdk` do not. */
export function hasRegistry(image: string): boolean {
  const [host = '', ...rest] = image.split('/');
  return rest.length > 0 && (/[.:]/.test(host) || host === 'localhost');
}

interface StartTrouble {
  readonly words: RegExp;
  readonly kind: 'config' | 'temporary';
  hint(image: string): string;
}

const START_TROUBLES: readonly StartTrouble[] = [
  {
    words: /Cannot connect to the \w+ daemon|Is the docker daemon running|error during connect/i,
    kind: 'temporary',
    hint: () => 'systemctl enable --now docker',
  },
  {
    words: /permission denied while trying to connect|dial unix .*permission denied/i,
    kind: 'config',
    hint: () => 'the user of the service must be in the group docker, or set CONTAINER_RUNTIME="sudo -n docker"',
  },
  {
    words:
      /Unable to find image|No such image|image not known|pull access denied|manifest .*unknown|repository .*not found/i,
    kind: 'config',
    hint: (image) =>
      hasRegistry(image)
        ? `docker pull ${image}, or name another image in VCP_SDK_CONTAINER_IMAGE`
        : `build the image ${image} (helpers/vcp/README.md), or name another in VCP_SDK_CONTAINER_IMAGE`,
  },
  { words: /unknown flag: --pull/i, kind: 'config', hint: () => 'Docker 20.10 or newer is needed' },
  {
    words: /python3?["']?: executable file not found|python3: (?:command )?not found/i,
    kind: 'config',
    hint: () => 'VCP_SDK_CONTAINER_IMAGE must hold python3 and the VCP SDK',
  },
  {
    words: /bind source path does not exist|no such file or directory.*mount|invalid mount config/i,
    kind: 'config',
    hint: () => 'the container runtime must see CONFIG_DIR and the installation folder of this service',
  },
  {
    words: /can't open file/i,
    kind: 'config',
    hint: () => 'VCP_HELPER_COMMAND must name helpers/vcp/helper.py of this installation',
  },
];

/** What a program that ended before it said a word has died of. Nothing was asked yet, so nothing is lost. */
export function startFailure(result: RunResult, values: VcpValues): CloudError {
  const facts = { command: result.command, code: result.code, stderr: result.stderr.slice(-500) };
  if (result.notFound) {
    const hint =
      values.VCP_HELPER_COMMAND === undefined
        ? 'install Docker, or set CONTAINER_RUNTIME=podman'
        : 'set VCP_HELPER_COMMAND to a program that exists';
    return new CloudError('config', sayRun(result), { hint, facts });
  }
  const known = START_TROUBLES.find(({ words }) => words.test(result.stderr));
  const message = `the VCP SDK could not be started: ${sayRun(result)}`;
  if (known === undefined) return new CloudError('temporary', message, { facts });
  return new CloudError(known.kind, message, { hint: known.hint(values.VCP_SDK_CONTAINER_IMAGE), facts });
}
