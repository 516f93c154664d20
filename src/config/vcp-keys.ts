/**
 * The variables of the specification that belong to the VCP SDK, both generations. They are known keys at every site,
 * also where another cloud is used: an env file must not be refused because it still holds them.
 */
import type { Option } from '../lib/option.ts';
import { anyText } from './forms.ts';

const key = (name: string, about: string): Option => ({ key: name, schema: anyText, about });

/** First generation: the specification (SDK 20.10). */
const first: readonly Option[] = [
  { key: 'VCP_ACCESSKEY', schema: anyText, required: true, secret: true, about: 'access token of the VCP REST API' },
  key('VC_NAME', 'VCP Unit Group of the compute nodes'),
  key('PROVIDER_NAME', 'VCP cloud plugin'),
  key('FLAVOR_NAME', 'flavor of vcp_flavor.yml'),
  key('IMAGE_NAME', 'Base container image of the compute nodes'),
  {
    key: 'VCP_SDK_CONTAINER_IMAGE',
    schema: anyText,
    fallback: 'vcpsdk:20.10.0',
    about: 'container image that holds the VCP SDK',
  },
];

/** Second generation (SDK 22.10, OpenHPC and mdx). */
const second: readonly Option[] = [
  key('VCP_CONFIG_DIR', 'configuration folder inside the SDK container'),
  key('VC_GROUP_NAME', 'VCP Unit Group, as made by the OpenHPC template'),
  key('VC_UNIT_NAME', 'Unit that nodes are added to'),
  key('VC_PROVIDER', 'VCP cloud plugin'),
  key('VC_FLAVOR', 'flavor of vcp_flavor.yml'),
  key('VC_IMAGE', 'Base container image of the compute nodes'),
  key('SSH_PUBLIC_KEY_PATH', 'public key put on the nodes'),
  key('SSH_PRIVATE_KEY_PATH', 'private key for the nodes'),
  { key: 'MDX_API_TOKEN', schema: anyText, secret: true, about: 'token of the mdx REST API; turns mdx on' },
  key('MDX_PROJECT_NAME', 'mdx project'),
  key('MDX_PACK_NUM', 'size of an mdx machine in packs'),
  key('MDX_USE_GPU', 'mdx machines with GPU'),
  key('MDX_DISK_SIZE', 'disk of an mdx machine, GB'),
  { key: 'MDX_INIT_PASSWORD', schema: anyText, secret: true, about: 'first password set on an mdx machine' },
  key('MDX_USER_NAME', 'login user of an mdx machine'),
];

export const vcpOptions: readonly Option[] = [...first, ...second];

/** A file with one of these is a second generation one. */
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
