/**
 * The mode that the settings name, and what goes into the nodes it makes.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CloudError } from '../../domain/errors.ts';
import type { Known, Mode } from './mode.ts';
import { readNodeEnv } from './node-env.ts';
import type { VcpValues } from './options.ts';
import type { Secrets } from './secrets.ts';
import { specMode } from './spec-mode.ts';
import { unitMode } from './unit-mode.ts';

export interface ModeParts {
  readonly hosts: () => readonly Known[];
  readonly configDir: string;
  readonly publicKey: () => Promise<string>;
  /** Learns what VCP_NODE_ENV holds. */
  readonly secrets: Secrets;
}

export function modeOf(values: VcpValues, parts: ModeParts): Mode {
  const { target, VCP_PARALLEL: parallel } = values;
  const { hosts, secrets } = parts;
  if (target.mode === 'unit') return unitMode({ target, parallel, hosts });
  return specMode({
    target,
    parallel,
    hosts,
    userName: values.MDX_USER_NAME ?? 'mdxuser',
    async inside() {
      const sshKey = await parts.publicKey();
      const env = await nodeEnv(values.VCP_NODE_ENV, parts.configDir);
      for (const line of env) secrets.add(line.slice(line.indexOf('=') + 1));
      return { sshKey, env };
    },
  });
}

async function nodeEnv(name: string | undefined, configDir: string): Promise<readonly string[]> {
  if (name === undefined || name === '') return [];
  const file = resolve(configDir, name);
  try {
    return readNodeEnv(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof CloudError) throw error;
    throw new CloudError('config', `VCP_NODE_ENV: ${file} cannot be read`, { cause: error });
  }
}
