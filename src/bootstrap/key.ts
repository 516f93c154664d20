/**
 * Our own ssh key: made once in the state folder, never overwritten, never shown. Its public half belongs into the
 * image's authorized_keys.
 */

import { chmod, link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PrepareError } from '../domain/errors.ts';
import { makeFolder } from '../lib/folder.ts';
import { randomId } from '../lib/ids.ts';
import { type Run, sayRun } from '../lib/run.ts';

export interface OwnKey {
  readonly file: string;
  readonly publicFile: string;
  /** One line, as it stands in authorized_keys. */
  readonly publicText: string;
}

/** Where the service keeps its ssh files. */
export function sshFolder(stateDir: string): string {
  return join(stateDir, 'ssh');
}

/**
 * The key, made at the first use. Two processes at once end up with the same key.
 * @throws PrepareError `command` when it cannot be made or read
 */
export async function ownKey(run: Run, stateDir: string): Promise<OwnKey> {
  const folder = sshFolder(stateDir);
  const file = join(folder, 'id_ed25519');
  const publicFile = `${file}.pub`;
  try {
    makeFolder(folder, 0o700);
    await chmod(folder, 0o700);
    if (!(await exists(file))) await makeKey(run, file);
    // ssh ignores a key that others may read.
    await chmod(file, 0o600);
    if (!(await exists(publicFile))) await makePublic(run, file, publicFile);
    return { file, publicFile, publicText: (await readFile(publicFile, 'utf8')).trim() };
  } catch (error) {
    if (error instanceof PrepareError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new PrepareError('command', `the ssh key ${file} cannot be made or read: ${why}`, {
      hint: 'STATE_DIR must belong to the user the service runs as',
      cause: error,
    });
  }
}

/** Made under another name and then linked: link never overwrites, so a key that came first stays. */
async function makeKey(run: Run, file: string): Promise<void> {
  const draft = `${file}.${randomId('')}`;
  try {
    await must(run, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'hybrid-cloud', '-f', draft]);
    await link(draft, file).catch(unlessThere);
  } finally {
    await rm(draft, { force: true });
    await rm(`${draft}.pub`, { force: true });
  }
}

async function makePublic(run: Run, file: string, publicFile: string): Promise<void> {
  const line = await must(run, ['ssh-keygen', '-y', '-f', file]);
  const [kind, key] = line.trim().split(/\s+/);
  await writeFile(publicFile, `${kind} ${key} hybrid-cloud\n`, { mode: 0o644 });
}

async function must(run: Run, command: readonly string[]): Promise<string> {
  const result = await run(command, { timeout: 20_000 });
  if (result.code === 0) return result.stdout;
  const hint = result.notFound ? 'install the package openssh-client' : '';
  throw new PrepareError('command', sayRun(result), { hint });
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
