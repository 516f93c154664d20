/**
 * Is a folder on a file system that other machines may write, too? Locks and shared memory mean little there.
 */
import { statfsSync } from 'node:fs';

/** NFS, SMB, CIFS, AFS, FUSE (sshfs, GlusterFS), Ceph, Lustre, GPFS, OCFS2, GFS2: by the magic numbers of statfs(2). */
const NETWORK = new Set([
  0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x5346414f, 0x65735546, 0x00c36400, 0x0bd00bd0, 0x47504653, 0x7461636f,
  0x01161970,
]);

/** @throws the error of a folder that cannot be asked */
export function onNetwork(folder: string): boolean {
  return NETWORK.has(statfsSync(folder).type >>> 0);
}
