/**
 * Host keys of our cloud nodes, one file per host. Until a host was proven once in its present life, each login takes
 * the key it finds (an image may make its keys anew while it boots); the key of the proven login is kept, and a machine
 * that shows another one later is refused.
 */

import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../domain/host.ts';
import { makeFolder } from '../lib/folder.ts';
import { randomId } from '../lib/ids.ts';

export interface LoginKeys extends AsyncDisposable {
  /** For ssh: the kept key, or an empty file that takes what it finds. */
  readonly file: string;
  /** The host was proven: its key is kept. */
  keep(): Promise<void>;
}

export interface HostKeys {
  login(host: Host): Promise<LoginKeys>;
  /** The machine is gone: the next one may have another key. */
  forget(host: Host): Promise<void>;
}

export function makeHostKeys(folder: string): HostKeys {
  return {
    async login(host) {
      makeFolder(folder, 0o700);
      const kept = join(folder, nameOf(host));
      if (await exists(kept)) return { file: kept, keep: async () => {}, async [Symbol.asyncDispose]() {} };
      const draft = `${kept}%${randomId('')}`;
      return {
        file: draft,
        keep: () => rename(draft, kept),
        [Symbol.asyncDispose]: () => rm(draft, { force: true }),
      };
    },

    async forget(host) {
      const name = nameOf(host);
      const files = await readdir(folder).catch(() => []);
      const ours = files.filter((file) => file === name || file.startsWith(`${name}%`));
      await Promise.all(ours.map((file) => rm(join(folder, file), { force: true })));
    },
  };
}

function nameOf(host: Host): string {
  return encodeURIComponent(host.name);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
