/**
 * The settings of CLOUD=vcp: the specification's (SDK 20.10) and those of the second generation (SDK 22.10, OpenHPC and
 * mdx), under their own names, and a few of ours.
 */
import { z } from 'zod';
import type { Option, OptionValues } from '../../lib/option.ts';
import { words } from '../../lib/quote.ts';

const text = z.string();
const plain = (key: string, about: string): Option => ({ key, schema: text, about });

const commandLine = z.string().transform((line, context) => {
  try {
    const found = words(line);
    if (found.length > 0) return found;
    context.addIssue('a program');
  } catch (error) {
    context.addIssue(`a program and its arguments (${error instanceof Error ? error.message : error})`);
  }
  return z.NEVER;
});

const yesNo = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['yes', 'no'], 'yes or no'))
  .transform((word) => word === 'yes');

/** First generation: the specification. */
const first: readonly Option[] = [
  { key: 'VCP_ACCESSKEY', schema: text, required: true, secret: true, about: 'access token of the VCP REST API' },
  plain('VC_NAME', 'VCP Unit Group in which the compute nodes are created'),
  plain('PROVIDER_NAME', 'VCP cloud plugin, e.g. aws'),
  plain('FLAVOR_NAME', 'flavor of the plugin, an entry of vcp_flavor.yml'),
  plain('IMAGE_NAME', 'Base container image of the compute nodes'),
  {
    key: 'VCP_SDK_CONTAINER_IMAGE',
    schema: text.regex(/^[^\s-]\S*$/, 'the name of a container image'),
    fallback: 'vcpsdk:20.10.0',
    about: 'container image that holds the VCP SDK',
  },
];

/** Second generation. What the specification's scripts never read is known, so that the file is accepted unchanged. */
const second: readonly Option[] = [
  plain('VC_GROUP_NAME', 'VCP Unit Group, as made by the OpenHPC template'),
  plain('VC_UNIT_NAME', 'Unit that nodes are added to'),
  plain('VCP_CONFIG_DIR', 'configuration folder inside the SDK container; without one, on this machine'),
  plain('VC_PROVIDER', 'VCP cloud plugin of that Unit; its own specification counts'),
  plain('VC_FLAVOR', 'flavor of that Unit; its own specification counts'),
  plain('VC_IMAGE', 'Base container image of that Unit; its own specification counts'),
  plain('SSH_PUBLIC_KEY_PATH', 'mdx: public key for its machines; not used'),
  plain('SSH_PRIVATE_KEY_PATH', 'mdx: private key for its machines; not used'),
  { key: 'MDX_API_TOKEN', schema: text, secret: true, about: 'mdx: token of its REST API; not used' },
  plain('MDX_PROJECT_NAME', 'mdx: project; not used'),
  plain('MDX_PACK_NUM', 'mdx: size of a machine in packs; not used'),
  plain('MDX_USE_GPU', 'mdx: machines with GPU; not used'),
  plain('MDX_DISK_SIZE', 'mdx: disk of a machine, GB; not used'),
  { key: 'MDX_INIT_PASSWORD', schema: text, secret: true, about: 'mdx: first password of a machine; not used' },
  plain('MDX_USER_NAME', 'login user of existing servers, PROVIDER_NAME=onpremises'),
];

/** Ours. */
const more: readonly Option[] = [
  {
    key: 'CONTAINER_RUNTIME',
    schema: commandLine,
    fallback: 'docker',
    about: 'what runs the SDK container: docker, podman, or a command line such as "sudo -n docker"',
  },
  {
    key: 'VCP_HELPER_COMMAND',
    schema: commandLine,
    about: 'runs the SDK without our container, e.g. "python3 /opt/hybrid-cloud/helpers/vcp/helper.py"',
  },
  {
    key: 'VCP_PARALLEL',
    schema: yesNo,
    fallback: 'yes',
    about:
      'yes: nodes are asked for side by side as far as the controller allows; no: never while the group is APPLYING',
  },
  {
    key: 'VCP_KEEP_HOSTS',
    schema: text.transform((names) => names.split(/[\s,]+/).filter((name) => name !== '')),
    about: 'hosts built by hand, never created nor deleted; without it the first of hosts.json in unit mode, else none',
  },
  {
    key: 'VCP_NODE_ENV',
    schema: text,
    about: "file of KEY=VALUE lines for every node's container (MUNGE_KEY, SLURM_CONF_BASE64...); beside the env file",
  },
  {
    key: 'VCP_TIMEOUT',
    schema: text
      .regex(/^\d+(\.\d+)?$/, 'a number of seconds')
      .transform((seconds) => Number(seconds) * 1000)
      .refine((ms) => ms >= 1000 && ms <= 3_600_000, 'a number of seconds from 1 to 3600'),
    fallback: '120',
    about: 'seconds the VCP SDK may take for one request; a boot is not one request',
  },
];

/** Everything an env file of either generation holds for the VCP SDK. */
export const vcpOptions: readonly Option[] = [...first, ...second, ...more];

/** A file with one of these is a second generation one: nodes are added to a Unit that exists. */
export const SECOND_GENERATION_MARKS: readonly string[] = ['VC_GROUP_NAME', 'VC_UNIT_NAME'];

/**
 * Defaults that differ in the second generation. BOOTSTRAP: its images mount the shared file system by themselves and
 * its env file has no NFS_MOUNT_POINT; a site that gives one keeps the usual default.
 */
export function secondGenerationDefaults(hasMountPoint: boolean): Readonly<Record<string, string>> {
  return {
    QUEUE_NAME: 'normal',
    VCP_SDK_CONTAINER_IMAGE: 'harbor.vcloud.nii.ac.jp/vcpsdk/vcpsdk:22.10.0',
    ...(hasMountPoint ? {} : { BOOTSTRAP: 'none' }),
  };
}

/** Keys that this mode needs and that are not given, each with what it is for. */
export function missingVcp(values: OptionValues): readonly { readonly key: string; readonly about: string }[] {
  const given = (key: string) => typeof values[key] === 'string' && values[key] !== '';
  const keys = SECOND_GENERATION_MARKS.some(given)
    ? SECOND_GENERATION_MARKS
    : ['VC_NAME', 'PROVIDER_NAME', 'FLAVOR_NAME', 'IMAGE_NAME'];
  return keys
    .filter((key) => !given(key))
    .map((key) => ({ key, about: vcpOptions.find((option) => option.key === key)?.about ?? '' }));
}

/** Settings that are given and that nothing here reads: accepted, so that the file works unchanged. */
export function unusedKeys(
  values: OptionValues,
): readonly { readonly keys: readonly string[]; readonly because: string }[] {
  const unit = SECOND_GENERATION_MARKS.some((key) => values[key] !== undefined);
  const groups = [
    { keys: unit ? ['VC_PROVIDER', 'VC_FLAVOR', 'VC_IMAGE'] : [], because: "the Unit's own specification counts" },
    {
      // In spec mode the user name is that of existing servers; the token is refused, not overlooked.
      keys: second.map(({ key }) => key).filter((key) => MDX_KEYS.test(key) && (unit || key !== 'MDX_USER_NAME')),
      because: 'this version does not make mdx machines',
    },
  ];
  const given = (key: string) => values[key] !== undefined && values[key] !== '';
  return groups
    .map(({ keys, because }) => ({ keys: keys.filter(given), because }))
    .filter(({ keys }) => keys.length > 0);
}

const MDX_KEYS = /^(SSH_|MDX_(?!API_TOKEN))/;

const Common = z.object({
  VCP_ACCESSKEY: z.string().min(1),
  VCP_SDK_CONTAINER_IMAGE: z.string(),
  VCP_CONFIG_DIR: z.string().optional(),
  VCP_HELPER_COMMAND: z.array(z.string()).min(1).optional(),
  CONTAINER_RUNTIME: z.array(z.string()).min(1),
  VCP_PARALLEL: z.boolean(),
  VCP_KEEP_HOSTS: z.array(z.string()).optional(),
  VCP_NODE_ENV: z.string().optional(),
  VCP_TIMEOUT: z.number().positive(),
  MDX_API_TOKEN: z.string().optional(),
  MDX_USER_NAME: z.string().optional(),
});
const Spec = z.object({
  VC_NAME: z.string().min(1),
  PROVIDER_NAME: z.string().min(1),
  FLAVOR_NAME: z.string().min(1),
  IMAGE_NAME: z.string().min(1),
});
const Unit = z.object({ VC_GROUP_NAME: z.string().min(1), VC_UNIT_NAME: z.string().min(1) });

export type VcpValues = z.infer<typeof Common> & { readonly target: Target };

/** What the service grows: Units of its own in a group, or the nodes of one Unit. */
export type Target =
  | {
      readonly mode: 'spec';
      readonly group: string;
      readonly provider: string;
      readonly flavor: string;
      readonly image: string;
    }
  | { readonly mode: 'unit'; readonly group: string; readonly unit: string };

/** @throws z.ZodError when something needed is missing: `missingVcp` says it better, and before */
export function readVcpValues(values: OptionValues): VcpValues {
  const common = Common.parse(values);
  if (SECOND_GENERATION_MARKS.some((key) => values[key] !== undefined)) {
    const { VC_GROUP_NAME: group, VC_UNIT_NAME: unit } = Unit.parse(values);
    return { ...common, target: { mode: 'unit', group, unit } };
  }
  const { VC_NAME: group, PROVIDER_NAME: provider, FLAVOR_NAME: flavor, IMAGE_NAME: image } = Spec.parse(values);
  return { ...common, target: { mode: 'spec', group, provider, flavor, image } };
}

/** VCP_KEEP_HOSTS; in unit mode the first registered host is the one the template built by hand. */
export function keptHosts(values: OptionValues, hosts: readonly { readonly name: string }[]): ReadonlySet<string> {
  const { target, VCP_KEEP_HOSTS: named } = readVcpValues(values);
  if (named !== undefined) return new Set(named.filter((name) => name !== 'none'));
  const [first] = hosts;
  return new Set(target.mode === 'unit' && first !== undefined ? [first.name] : []);
}
