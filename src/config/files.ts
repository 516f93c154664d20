/**
 * Reading configuration files: missing, unreadable and readable are three different things.
 */
import { readFileSync, statSync } from 'node:fs';

export interface Files {
  /** The whole text; throws what `readFileSync` throws. */
  readonly readFile: (path: string) => string;
  /** Permission bits, or null when they cannot be told. */
  readonly fileMode?: ((path: string) => number | null) | undefined;
}

export const diskFiles: Files = {
  readFile: (path) => readFileSync(path, 'utf8'),
  fileMode(path) {
    try {
      return statSync(path).mode & 0o777;
    } catch {
      return null;
    }
  },
};

export type FileText =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'missing' }
  | { readonly is: 'unreadable'; readonly why: string };

/** A UTF-8 byte order mark (Windows editors write one) is taken off. */
export function readText(files: Files, path: string): FileText {
  try {
    return { is: 'text', text: files.readFile(path).replace(/^\uFEFF/, '') };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { is: 'missing' };
    return { is: 'unreadable', why: WHY[code] ?? `cannot be read: ${code}` };
  }
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  EISDIR: 'is a folder, not a file',
  ELOOP: 'is a link that leads to itself',
};

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'unknown error';
}
