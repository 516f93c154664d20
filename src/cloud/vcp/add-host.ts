/**
 * spec_options.add_host of vcp_config.yml: the lines for /etc/hosts of every node, `NAME:ADDRESS`, which is the other way
 * round than in hosts.json. What it should be, and what is wrong with what is there.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { count, list } from '../../domain/words.ts';
import { sameAddress } from '../../lib/address.ts';
import type { OptionValues } from '../../lib/option.ts';
import type { Remark } from '../cloud.ts';
import { configFile } from './config-file.ts';
import { readVcpValues } from './options.ts';

interface Named {
  readonly name: string;
  readonly ip: string;
}

/**
 * For `render`: the list for the vcp_config.yml that is there, and what to know besides.
 * @param given the loaded options; without those of VCP the file is looked for beside the env file
 */
export function renderAddHost(
  given: OptionValues,
  configDir: string,
  hosts: readonly Named[],
): { lines: readonly string[]; notes: readonly string[] } {
  const file =
    given.VCP_ACCESSKEY === undefined ? join(configDir, 'vcp_config.yml') : configFile(readVcpValues(given), configDir);
  let text: string | null = null;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // The list is as right without it, but for the others.
  }
  const notes =
    text === null ? [`${file} cannot be read; what it has for others, such as the head node, is missing here`] : [];
  return { lines: addHostLines(text, hosts), notes };
}

/** The whole list as YAML: what is there for others, such as the head node, then all registered hosts. */
export function addHostLines(text: string | null, hosts: readonly Named[]): string[] {
  const names = new Set(hosts.map(({ name }) => name));
  const { lines } = readLines(text ?? '');
  const others = lines.flatMap(({ read }) => (read !== null && !names.has(read.name) ? [read] : []));
  return [
    'spec_options:',
    '    add_host:',
    ...[...others, ...hosts].map(({ name, ip }) => `        - "${name}:${ip}"`),
  ];
}

/**
 * What is wrong with the list, and what is missing in it.
 * @param all every host should be there; false where the nodes' names may come another way
 */
export function addHostRemarks(text: string, file: string, hosts: readonly Named[], all: boolean): Remark[] {
  const { lines, problem, nameServer } = readLines(text);
  if (problem !== null) return [wrong(`${file}: ${problem}`, HINT)];
  const remarks: Remark[] = [];
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const there = new Set<string>();
  for (const { line, read, turned } of lines) {
    if (read === null) {
      const hint = turned === null ? 'each line is NAME:ADDRESS' : `the name comes first: write ${turned}`;
      remarks.push(wrong(`${file}: add_host has ${JSON.stringify(line.slice(0, 80))}`, hint));
      continue;
    }
    there.add(read.name);
    const host = byName.get(read.name);
    if (host === undefined || sameAddress(host.ip) === sameAddress(read.ip)) continue;
    remarks.push(wrong(`${file}: add_host has ${line}, hosts.json has ${host.ip} for ${host.name}`, HINT));
  }
  if (!all) return remarks;
  const missing = hosts.filter(({ name }) => !there.has(name)).map(({ name }) => name);
  const instead = nameServer ? '' : ', or name a server that knows them in spec_options.dns';
  if (missing.length > 0) {
    const what = count(missing.length, 'host', 'hosts');
    remarks.push(note(`${file}: add_host lacks ${what}: ${list(missing)}`, `${HINT}${instead}`));
  }
  if (!nameServer && [...there].every((name) => byName.has(name))) {
    remarks.push(note(`${file}: add_host does not name the head node`, 'nodes must find it: add NAME:ADDRESS of it'));
  }
  return remarks;
}

/** Is there such a list at all? */
export function hasAddHost(text: string): boolean {
  const { lines, problem } = readLines(text);
  return lines.length > 0 || problem !== null;
}

const HINT = 'hybrid-cloud render add-host prints the whole list';

interface Line {
  readonly line: string;
  /** Null: it is no NAME:ADDRESS. */
  readonly read: Named | null;
  /** As it should be, where it is the wrong way round. */
  readonly turned: string | null;
}

function readLines(text: string): { lines: readonly Line[]; problem: string | null; nameServer: boolean } {
  const document = parseDocument(text);
  const options = document.errors.length > 0 ? null : at(document.toJS(), 'spec_options');
  const value = at(options, 'add_host');
  const dns = at(options, 'dns');
  const nameServer = Array.isArray(dns) ? dns.length > 0 : dns != null && dns !== '';
  if (value == null) return { lines: [], problem: null, nameServer };
  if (!Array.isArray(value)) return { lines: [], problem: 'add_host is no list', nameServer };
  return { lines: value.map(readLine), problem: null, nameServer };
}

function readLine(value: unknown): Line {
  // `- c1: 172.30.2.101` with a blank is a map to YAML.
  const line = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const [, name = '', ip = ''] = /^([^:\s]+):(\S+)$/.exec(line) ?? [];
  if (isIP(ip) !== 0 && isIP(name) === 0) return { line, read: { name, ip }, turned: null };
  const [, first = '', last = ''] = /^(\S+):([^:\s]+)$/.exec(line) ?? [];
  return { line, read: null, turned: isIP(first) !== 0 && isIP(last) === 0 ? `${last}:${first}` : null };
}

function at(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return null;
  return (value as Readonly<Record<string, unknown>>)[key];
}

function wrong(text: string, hint: string): Remark {
  return { wrong: true, text, hint };
}

function note(text: string, hint: string): Remark {
  return { wrong: false, text, hint };
}
