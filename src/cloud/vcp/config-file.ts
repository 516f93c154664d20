/**
 * vcp_config.yml and vcp_flavor.yml as far as we can tell that they are right: YAML, known words, the provider and the
 * flavor. Older releases of the SDK ignore a misspelt key in silence; newer ones refuse the whole file.
 */
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { list } from '../../domain/words.ts';
import type { Remark } from '../cloud.ts';
import type { VcpValues } from './options.ts';

/** Where vcp_config.yml is on this machine: VCP_CONFIG_DIR is meant inside the container, where there is one. */
export function configFile(values: VcpValues, configDir: string): string {
  return join(configFolder(values, configDir), 'vcp_config.yml');
}

/** The folder of vcp_config.yml and vcp_flavor.yml on this machine. */
export function configFolder(values: VcpValues, configDir: string): string {
  return (values.VCP_HELPER_COMMAND === undefined ? undefined : values.VCP_CONFIG_DIR) ?? configDir;
}

/** Section -> its keys. Sections of providers we do not know are left alone: releases add some. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  vcc: ['host', 'name', 'vcc_port', 'vault_port', 'private_ip', 'insecure_request_warning', 'wait_timeout_sec'],
  spec_options: ['dns', 'dns_search', 'add_host', 'options', 'hostname', 'gpus'],
};

/**
 * Provider -> the keys of its section. Two spellings of one credential are two lists, of which one must be complete.
 * Without its credentials a provider fails at the first node only, when the controller reads its Vault.
 */
const CREDENTIALS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  aws: [['access_key', 'secret_key']],
  azure: [['subscription_id', 'client_id', 'client_secret', 'tenant_id']],
  gcp: [['credentials']],
  oracle: [['user_ocid', 'fingerprint', 'private_key']],
  sakura: [
    ['token', 'secret'],
    ['sakura_token', 'sakura_secret'],
  ],
  vmware: [['user', 'password']],
  hokudai: [['user_name', 'password']],
  chameleon: [
    ['application_credential_id', 'application_credential_secret'],
    ['user_name', 'password'],
  ],
};

/** What is wrong with the credentials of a provider, or missing; nothing for a provider we do not know. */
export function credentialRemarks(text: string, file: string, provider: string): readonly Remark[] {
  const { value } = readYaml(text, file);
  // Spot machines are paid from the same account.
  const name = provider === 'aws_spot' ? 'aws' : provider;
  if (!isMap(value) || !Object.hasOwn(CREDENTIALS, name)) return [];
  const section = isMap(value[name]) ? value[name] : {};
  const path = (key: string) => `vault://cubbyhole/${name}/${key}`;
  const broken = Object.entries(section).filter(([, one]) => {
    // A value that is no path is taken literally, and then the cloud does not know us.
    return typeof one === 'string' && /^\s*vault:/i.test(one) && !/^vault:\/\/[^\s/]+(\/[^\s/]+)+$/.test(one);
  });
  const spellings = (CREDENTIALS[name] ?? []).map((keys) =>
    keys.filter((key) => section[key] == null || section[key] === ''),
  );
  const missing = spellings.toSorted((a, b) => a.length - b.length)[0] ?? [];
  return [
    ...broken.map(([key]) => ({
      wrong: true,
      text: `${file}: ${name}.${key} is no path of the controller's Vault`,
      hint: `write ${path(key)}`,
    })),
    ...(missing.length === 0 ? [] : [missing]).map((keys) => ({
      wrong: false,
      text: `${file} has no ${list(keys.map((key) => `${name}.${key}`))}`,
      hint: `the value, or ${path(keys[0] ?? '')} when it is in the controller's Vault`,
    })),
  ];
}

/** What is wrong with vcp_config.yml, one line each. */
export function configProblems(text: string, file: string): readonly string[] {
  const { value, problems } = readYaml(text, file);
  if (problems.length > 0) return problems;
  if (!isMap(value)) return [`${file} holds no settings`];
  const found: string[] = [];
  for (const [section, keys] of Object.entries(KNOWN)) {
    const inside = value[section];
    if (!isMap(inside)) continue;
    for (const key of Object.keys(inside)) {
      if (keys.includes(key)) continue;
      const meant = keys.find((known) => near(known, key));
      found.push(`${file}: ${section}.${key} is no key${meant === undefined ? '' : `: write ${meant}:`}`);
    }
  }
  for (const [provider, spellings] of Object.entries(CREDENTIALS)) {
    const inside = value[provider];
    if (!isMap(inside)) continue;
    const keys = [...spellings.flat(), 'private_network'];
    for (const key of Object.keys(inside)) {
      // Releases add keys; only what looks like a known one is a mistake for sure.
      const meant = keys.includes(key) ? undefined : keys.find((known) => near(known, key));
      if (meant !== undefined) found.push(`${file}: ${provider}.${key} is no key: write ${meant}:`);
    }
  }
  for (const key of Object.keys(value)) {
    if (key.endsWith(':')) found.push(`${file}: ${key} has one colon too many: write ${key.replace(/:+$/, '')}:`);
  }
  const vcc = value.vcc;
  for (const key of ['host', 'name']) {
    if (!isMap(vcc) || vcc[key] == null || vcc[key] === '') found.push(`${file}: vcc.${key} is missing`);
  }
  return found;
}

/** What is wrong with vcp_flavor.yml for this provider and flavor. */
export function flavorProblems(text: string, file: string, provider: string, flavor: string): readonly string[] {
  const { value, problems } = readYaml(text, file);
  if (problems.length > 0) return problems;
  const flavors = isMap(value) && Object.hasOwn(value, provider) ? value[provider] : undefined;
  if (!isMap(flavors)) {
    const there = isMap(value) ? Object.keys(value).join(', ') : '';
    return [`${file} has no provider ${provider} (PROVIDER_NAME); it has ${there || 'none'}`];
  }
  if (Object.hasOwn(flavors, flavor)) return [];
  return [`${file} has no flavor ${flavor} under ${provider} (FLAVOR_NAME); it has ${Object.keys(flavors).join(', ')}`];
}

type Map = Readonly<Record<string, unknown>>;

function readYaml(text: string, file: string): { value: unknown; problems: readonly string[] } {
  const document = parseDocument(text);
  const problems = document.errors.map((error) => {
    const at = error.linePos?.[0].line;
    return `${file}${at === undefined ? '' : `:${at}`}: ${error.message.split('\n')[0]}`;
  });
  return { value: problems.length > 0 ? null : document.toJS(), problems };
}

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same but for colons, case, `-` for `_`, or one letter. */
function near(known: string, key: string): boolean {
  const plain = key.toLowerCase().replace(/:+$/, '').replaceAll('-', '_');
  if (plain === known) return true;
  if (Math.abs(plain.length - known.length) > 1) return false;
  let from = 0;
  while (from < plain.length && plain[from] === known[from]) from++;
  const rest = plain.slice(from);
  const other = known.slice(from);
  return rest.slice(1) === other.slice(1) || rest.slice(1) === other || rest === other.slice(1);
}
