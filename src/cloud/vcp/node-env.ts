/**
 * VCP_NODE_ENV: KEY=VALUE lines for the environment of every node's container: MUNGE_KEY, SLURM_CONF_BASE64 and what
 * else the image asks for. They are secrets: nothing of them is told.
 */
import { CloudError } from '../../domain/errors.ts';

/**
 * @returns lines `KEY=VALUE`, values as they stand there
 * @throws CloudError `config` with the number of the line, never with its text
 */
export function readNodeEnv(text: string, file: string): readonly string[] {
  const found: string[] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const parts = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (parts === null) {
      throw new CloudError('config', `${file}:${at + 1} is not KEY=VALUE`, { hint: 'one KEY=VALUE on each line' });
    }
    found.push(`${parts[1]}=${parts[2]}`);
  }
  return found;
}
