/**
 * Where the configuration is: CONFIG_DIR itself, or below it when it is a folder of the specification's template
 * (`hybridcloud/vcpsdk/config`, `hybridcloud/vcpsdk` or `hybridcloud`).
 */
import { join } from 'node:path';
import { type Files, readText } from './files.ts';

export const ENV_FILE = 'env';
export const YAML_FILE = 'hybrid-cloud.yaml';
const HOSTS = 'hosts.json';

/**
 * The folder that holds the configuration. The env file decides, then hybrid-cloud.yaml, then hosts.json; without any
 * of them it is CONFIG_DIR, and what is missing is said where it is missed.
 */
export function findFolder(configDir: string, files: Files): string {
  const folders = [configDir, join(configDir, 'config'), join(configDir, 'vcpsdk', 'config')];
  for (const file of [ENV_FILE, YAML_FILE, HOSTS]) {
    const found = folders.find((folder) => isFile(join(folder, file), files));
    if (found !== undefined) return found;
  }
  return configDir;
}

/** Unreadable counts as there, so that its own error is told, but a folder called `env` (a Python one) does not. */
function isFile(path: string, files: Files): boolean {
  const got = readText(files, path);
  return got.is === 'text' || (got.is === 'unreadable' && !got.why.includes('folder'));
}
