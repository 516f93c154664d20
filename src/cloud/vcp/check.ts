/**
 * What `hybrid-cloud check` asks before the first node is ever wanted: runtime, image, configuration files, token,
 * provider, flavor, addresses. The cheap things first, all mistakes in the files at once.
 */
import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { join } from 'node:path';
import { CloudError } from '../../domain/errors.ts';
import type { Machine } from '../../domain/machine.ts';
import { count, list as names } from '../../domain/words.ts';
import { type RunResult, sayRun } from '../../lib/run.ts';
import { readChecked } from './answers.ts';
import { configFile, configFolder, configProblems, flavorProblems } from './config-file.ts';
import { mdxRefusal } from './mdx.ts';
import type { Mode } from './mode.ts';
import type { VcpValues } from './options.ts';
import { hasRegistry, startFailure } from './start.ts';
import type { Talk } from './talk.ts';
import type { VcpParts } from './vcp.ts';

export interface CheckAsk {
  readonly values: VcpValues;
  readonly mode: Mode;
  readonly talk: Talk;
  readonly list: (signal?: AbortSignal) => Promise<readonly Machine[]>;
  readonly parts: VcpParts;
  readonly signal: AbortSignal | undefined;
}

/** ms */
const INSPECT = 20_000;

/** @returns one line. @throws CloudError that says what to do */
export async function checkVcp({ values, mode, talk, list, parts, signal }: CheckAsk): Promise<string> {
  const refusal = mdxRefusal(values.MDX_API_TOKEN);
  if (refusal !== null) throw refusal;
  await checkFiles(values, parts.configDir);
  if (values.VCP_HELPER_COMMAND === undefined) await checkImage(values, parts, signal);
  const checked = readChecked(await talk.ask('check', mode.check, { change: false, signal }));
  const { network } = checked;
  if (network !== null) checkAddresses(network, parts.pool.hosts);
  const machines = await list(signal);
  const ours = machines.filter((machine) => parts.pool.hosts.some(({ name }) => name === machine.host));
  const others = machines.length - ours.length;
  return [
    `the VC controller lets us in${checked.user === null ? '' : ` as ${checked.user}`}`,
    ...(mode.check.provider === undefined ? [] : [`${mode.check.provider} ${mode.check.flavor} is known`]),
    `${mode.what} has ${count(ours.length, 'machine', 'machines')} of ours`,
    ...(others === 0 ? [] : [`${count(others, 'node', 'nodes')} of others, which are left alone`]),
  ].join(', ');
}

/** The files as this machine sees them; the SDK's side says so when it misses them. */
async function checkFiles(values: VcpValues, configDir: string): Promise<void> {
  const config = configFile(values, configDir);
  const flavor = join(configFolder(values, configDir), 'vcp_flavor.yml');
  const { target } = values;
  const wrong: string[] = [];
  for (const [file, problems] of [
    [config, (text: string) => configProblems(text, config)],
    [
      flavor,
      (text: string) => (target.mode === 'spec' ? flavorProblems(text, flavor, target.provider, target.flavor) : []),
    ],
  ] as const) {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
    if (typeof text === 'string') wrong.push(...problems(text));
    else if (text.code === 'ENOENT') wrong.push(`${file} is not there: it belongs beside the env file`);
    else wrong.push(`${file} cannot be read: ${text.code ?? text.message}`);
  }
  if (wrong.length === 0) return;
  throw new CloudError('config', wrong.join('; '), { hint: 'compare with helpers/vcp/vcp_config.yml.example' });
}

async function checkImage(values: VcpValues, parts: VcpParts, signal: AbortSignal | undefined): Promise<void> {
  const image = values.VCP_SDK_CONTAINER_IMAGE;
  const result: RunResult = await parts.run(
    [...values.CONTAINER_RUNTIME, 'image', 'inspect', '--format={{.Id}}', image],
    {
      timeout: INSPECT,
      signal,
    },
  );
  if (result.code === 0) return;
  const known = startFailure(result, values);
  if (/no such image|image not known/i.test(result.stderr)) {
    const hint = hasRegistry(image)
      ? `${values.CONTAINER_RUNTIME.join(' ')} pull ${image}`
      : `build it: helpers/vcp/README.md says how`;
    throw new CloudError('config', `the image ${image} is not on this machine`, { hint });
  }
  throw new CloudError(known.kind, sayRun(result), { hint: known.hint });
}

/** @param mask `private_network_ipmask` of the provider's VPN catalog, e.g. 172.30.2.0/24 */
export function checkAddresses(mask: string, hosts: readonly { readonly name: string; readonly ip: string }[]): void {
  const [net = '', bits = '', ...rest] = mask.split('/');
  const family = isIP(net) === 6 ? 'ipv6' : 'ipv4';
  // A form we do not know is none of our business: the controller knows it.
  if (isIP(net) === 0 || rest.length > 0 || !/^\d+$/.test(bits) || Number(bits) > (family === 'ipv4' ? 32 : 128))
    return;
  const network = new BlockList();
  network.addSubnet(net, Number(bits), family);
  const outside = hosts.filter(({ ip }) => !network.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4'));
  if (outside.length === 0) return;
  const [first] = outside;
  throw new CloudError(
    'config',
    `${names(outside.map(({ name }) => name))} (${first?.ip}${outside.length > 1 ? '...' : ''}) outside ${mask}, the provider's network`,
    { hint: "hosts.json must hold addresses of the provider's private_network_ipmask" },
  );
}
