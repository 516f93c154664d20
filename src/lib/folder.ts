/**
 * makeFolder: mkdir -p that ends. Node's own (`recursive: true`) never returns where the kernel answers ENOENT for a
 * folder whose parent exists, as everywhere below /proc: a mistyped STATE_DIR must be a message, not a hang.
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** @param mode of every folder that has to be made. @throws the error of the first one that cannot be made */
export function makeFolder(path: string, mode: number): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
