/**
 * hosts.json: the hosts registered for the pool, `{ "172.30.2.101": "c1", ... }`, as in the specification. The number
 * of entries is the most nodes there will ever be; their order is kept, since the first free host is taken first.
 */
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import type { Host } from '../domain/host.ts';
import { sameAddress } from '../lib/address.ts';
import { addressTrouble, isHostName, isLoopback } from './address.ts';
import { type Files, readText } from './files.ts';
import { JsonError, type JsonNode, parseJson, placeOf } from './json.ts';
import { type Findings, quote } from './problems.ts';

/** Reads the file; whatever is wrong goes to the findings, and null means the list cannot be believed. */
export function loadHosts(path: string, files: Files, findings: Findings): readonly Host[] | null {
  const got = readText(files, path);
  if (got.is === 'text') return parseHosts(path, got.text, findings);
  const message = got.is === 'missing' ? 'is missing: it registers the hosts of the pool' : got.why;
  const hint = got.is === 'missing' ? whereAnExampleIs(path, files) : '';
  findings.problems.push({ file: path, line: null, message, hint });
  return null;
}

/** @returns the hosts in file order, or null when something is wrong */
export function parseHosts(file: string, text: string, findings: Findings): readonly Host[] | null {
  const place = (at: number) => placeOf(text, at);
  try {
    return readHosts({ file, place, example: EXAMPLE }, parseJson(text.replace(/^\uFEFF/, ' ')), findings);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    findings.problems.push({ file, ...place(error.at), message: error.message, hint: error.hint });
  }
  return null;
}

/** Where a list of hosts was found, and how one is written there. */
export interface HostsPlace {
  readonly file: string;
  place(at: number): { line: number; column: number };
  readonly example: string;
}

/** The same for a list that has been parsed already. */
export function readHosts(where: HostsPlace, root: JsonNode, findings: Findings): readonly Host[] | null {
  const { file, place, example } = where;
  const before = findings.problems.length;
  const problem = (at: number, message: string, hint: string) =>
    findings.problems.push({ file, ...place(at), message, hint });
  if (root.kind !== 'object') {
    problem(root.at, `an object of addresses and names is expected, not ${A[root.kind]}`, example);
  } else if (root.entries.length === 0) {
    problem(root.at, 'no host is registered', example);
  } else {
    const hosts = readEntries(root, problem);
    for (const { key } of root.entries) {
      if (!isLoopback(key.text)) continue;
      const message = `${quote(key.text)} is an address of this machine itself; good for trying only`;
      findings.notices.push({ file, ...place(key.at), message, hint: '' });
    }
    if (findings.problems.length === before) return hosts;
  }
  return null;
}

const EXAMPLE = 'e.g. { "172.30.2.101": "c1" }';

const A: Readonly<Record<JsonNode['kind'], string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  word: 'a word',
};

function readEntries(root: JsonNode, problem: (at: number, message: string, hint: string) => void): Host[] {
  const hosts: Host[] = [];
  const names = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const { key, value } of root.entries) {
    const ip = key.text;
    if (value.kind === 'string' && isIP(ip) === 0 && isIP(value.text) !== 0) {
      problem(key.at, `${quote(ip)}: the address comes first`, `write "${value.text}": ${quote(ip)}`);
      continue;
    }
    const trouble = addressTrouble(ip);
    if (trouble !== null) problem(key.at, `${quote(ip)} ${trouble.message}`, trouble.hint);
    const twice = addresses.get(sameAddress(ip));
    if (twice !== undefined) problem(key.at, `${quote(ip)} is registered twice`, `the first time for ${twice}`);
    addresses.set(sameAddress(ip), value.kind === 'string' ? quote(value.text) : 'another value');

    if (value.kind !== 'string') {
      problem(value.at, `the host name of ${quote(ip)} must be a text, not ${A[value.kind]}`, `"${ip}": "c1"`);
      continue;
    }
    const name = value.text;
    if (!isHostName(name)) {
      problem(value.at, `${quote(name)} is not a host name`, nameHint(name));
      continue;
    }
    const owner = names.get(name.toLowerCase());
    if (owner !== undefined)
      problem(value.at, `${quote(name)} is registered twice`, `the first time for ${quote(owner)}`);
    else names.set(name.toLowerCase(), ip);
    hosts.push({ name, ip });
  }
  return hosts;
}

function nameHint(name: string): string {
  if (/[[\]]/.test(name)) return 'one entry for each host, no ranges';
  if (isIP(name) !== 0) return 'write the name the batch system knows it by';
  return 'letters, digits and dashes, up to 63 between dots';
}

function whereAnExampleIs(path: string, files: Files): string {
  const example = join(dirname(path), 'hosts.json.example');
  if (readText(files, example).is === 'text') return `copy ${example} and change it`;
  return `${EXAMPLE}; the whole example is packaging/config/hosts.json.example`;
}
