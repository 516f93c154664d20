/** The settings of BOOTSTRAP=ssh, under the specification's names where it has them. */
import { z } from 'zod';
import type { Option } from '../lib/option.ts';

/** Line breaks and other control characters have no place in a mount and would break the one-line answers. */
function line(expected: string, pattern: RegExp): z.ZodType<string, string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing exactly these is the point
  const control = /[\u0000-\u001f\u007f]/;
  return z
    .string()
    .trim()
    .refine((text) => pattern.test(text) && !control.test(text), expected);
}

export const portOption: Option = {
  key: 'SSH_PORT',
  schema: z
    .string()
    .trim()
    .regex(/^\d{1,5}$/, 'a port number, 1 to 65535')
    .transform(Number)
    .refine((port) => port >= 1 && port <= 65_535, 'a port number, 1 to 65535'),
  fallback: '22',
  about: 'port of sshd on the cloud nodes',
};

export const sshOptions: readonly Option[] = [
  {
    key: 'NFS_MOUNT_POINT',
    // A leading minus would be an option to some mount helper.
    schema: line('server:/directory', /^[^-]/),
    required: true,
    about: 'the shared file system that the cloud nodes mount, server:/directory',
  },
  {
    key: 'NFS_LOCAL_DIR',
    schema: line('a directory, with its full path', /^\/+[^/]/).transform(tidy),
    fallback: '/mnt',
    about: 'where the cloud nodes mount it',
  },
  {
    key: 'NFS_TYPE',
    schema: line('a file system type: nfs, nfs4, bind...', /^[a-z0-9][a-z0-9._-]*$/i),
    fallback: 'nfs',
    about: 'its type, as mount -t takes it; bind: NFS_MOUNT_POINT is a directory of the node itself',
  },
  {
    key: 'NFS_OPTIONS',
    schema: line('mount options, as mount -o takes them', /./),
    about: 'mount options, as mount -o takes them',
  },
  {
    key: 'SSH_USER',
    schema: line('a user name', /^[a-z_][a-z0-9_.-]*\$?$/i),
    fallback: 'root',
    about: 'who logs in to the cloud nodes; anybody but root needs sudo without a password there',
  },
  portOption,
  {
    key: 'DEAD_MAN_TIME',
    schema: z
      .string()
      .trim()
      .regex(/^(\d{1,7}|never)$/i, 'a number of seconds from 300 up, or "never"')
      .transform((text) => (text.toLowerCase() === 'never' ? null : Number(text)))
      .refine((n) => n === null || (n >= 300 && n <= 2_000_000), 'a number of seconds from 300 to 2000000, or "never"')
      .transform((n) => (n === null ? null : n * 1000)),
    fallback: 'never',
    about: 'a node without a job stops itself when the service gave no sign of life for so many seconds',
  },
];

/** `/mnt//data/` is `/mnt/data`, as the kernel lists it. */
function tidy(path: string): string {
  return path.replace(/\/+/g, '/').replace(/\/$/, '');
}
