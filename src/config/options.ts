/**
 * The service's own options. Those of an adapter are beside the adapter; the loader puts them together.
 * Names and defaults: DESIGN section 6 and the specification's table of variables.
 */
import type { Option } from '../lib/option.ts';
import {
  absolutePath,
  amount,
  anyText,
  fraction,
  groupName,
  name,
  oneOf,
  seconds,
  secondsOrNever,
  socketPath,
  timeZone,
  wholeNumber,
} from './forms.ts';
import { nodeCounts } from './node-counts.ts';

export const ownOptions = [
  {
    key: 'QUEUE_NAME',
    schema: name,
    fallback: 'cloud',
    about: 'the cloud-only queue (Slurm: partition) that is watched',
  },
  {
    key: 'BATCH_SYSTEM',
    schema: anyText,
    fallback: 'slurm',
    about: 'the batch system: slurm, torque, pbs, gridengine, script',
  },
  { key: 'CLOUD', schema: anyText, fallback: 'vcp', about: 'the cloud: vcp, or command for a program of the site' },
  {
    key: 'BOOTSTRAP',
    schema: anyText,
    fallback: 'ssh',
    about: 'how a node is made ready: ssh mounts the shared file system, none leaves it to the image',
  },
  {
    key: 'CONFIG_DIR',
    schema: anyText,
    fallback: '/etc/hybrid-cloud',
    about: "folder of env, hybrid-cloud.yaml and hosts.json; the specification's own folder will do",
  },
  {
    key: 'HOSTS_FILE',
    schema: anyText,
    fallback: 'hosts.json',
    about: 'the registered hosts; relative to the env file',
  },
  {
    key: 'STATE_DIR',
    schema: absolutePath,
    fallback: '/var/lib/hybrid-cloud',
    about: 'journal and keys of the service',
  },
  {
    key: 'API_SOCKET',
    schema: socketPath,
    fallback: '/run/hybrid-cloud/api.sock',
    about: 'where the command line talks to the service',
  },
  {
    key: 'API_GROUP',
    schema: groupName,
    about: 'the group that may hold, release, drain and clean up; without it only root and the user of the service',
  },
  {
    key: 'STANDBY_DIR',
    schema: absolutePath,
    about: 'shared folder in which the services of several head nodes see each other; without it STATE_DIR',
  },
  {
    key: 'TAKEOVER_TIME',
    schema: seconds(2),
    fallback: '20',
    about: 'seconds of silence of the service at work until one that stands by takes over',
  },
  {
    key: 'BACKUP_INTERVAL',
    schema: secondsOrNever,
    fallback: '3600',
    about: 'seconds between two backups of the database, or never',
  },
  { key: 'BACKUP_KEEP', schema: wholeNumber(1), fallback: '24', about: 'so many backups are kept' },
  { key: 'POLL_INTERVAL', schema: seconds(1), fallback: '5', about: 'seconds between two looks at the queue' },
  {
    key: 'POLICY',
    schema: oneOf(['demand', 'classic']),
    fallback: 'demand',
    about: 'demand: what the jobs ask for; classic: the specification to the letter',
  },
  {
    key: 'CLEANUP_NODE_WAIT_TIME',
    schema: seconds(0),
    fallback: '600',
    about: 'seconds without any job in the queue until all nodes are deleted',
  },
  {
    key: 'IDLE_NODE_WAIT_TIME',
    schema: secondsOrNever,
    about: 'seconds until a single idle node is deleted, or never; without it as CLEANUP_NODE_WAIT_TIME',
  },
  {
    key: 'MIN_NODES',
    schema: nodeCounts,
    fallback: '0',
    about: 'keep at least so many nodes; at times of the week: "0; Mon-Fri 08:00-18:00 = 4"',
  },
  {
    key: 'SPARE_NODES',
    schema: nodeCounts,
    fallback: '0',
    about: 'keep so many nodes that no job needs, besides those that jobs need; times as in MIN_NODES',
  },
  {
    key: 'TIME_ZONE',
    schema: timeZone,
    about: 'the time zone of the times in MIN_NODES and SPARE_NODES; without it that of this machine',
  },
  { key: 'MAX_NODES', schema: wholeNumber(0), about: 'never more nodes than this; without it all registered hosts' },
  { key: 'MAX_STARTING', schema: wholeNumber(1), about: 'never more nodes starting at one time; without it no limit' },
  {
    key: 'BURST_AFTER',
    schema: seconds(0),
    fallback: '0',
    about: 'seconds a job must have waited until a node is created for it',
  },
  {
    key: 'GATHER_TIME',
    schema: seconds(0),
    fallback: '0',
    about: 'seconds the first job waits for further ones, so that they are decided together',
  },
  {
    key: 'BILLING_GRANULARITY',
    schema: seconds(1),
    fallback: '1',
    about: 'seconds the cloud bills at a time; an idle node stays until what is paid has nearly passed',
  },
  {
    key: 'MINIMUM_CHARGE',
    schema: seconds(0),
    fallback: '0',
    about: 'seconds the cloud bills in any case',
  },
  {
    key: 'BOOT_TIMEOUT',
    schema: seconds(1),
    fallback: '1000',
    about: 'seconds from the create call to a running machine',
  },
  { key: 'PREPARE_TIMEOUT', schema: seconds(1), fallback: '180', about: 'seconds to mount and check a node' },
  { key: 'JOIN_TIMEOUT', schema: seconds(1), fallback: '300', about: 'seconds until the batch system sees the node' },
  { key: 'STOP_TIMEOUT', schema: seconds(1), fallback: '600', about: 'seconds until a deleted machine is gone' },
  {
    key: 'LOG_LEVEL',
    schema: oneOf(['debug', 'info', 'warn', 'error']),
    fallback: 'info',
    about: 'debug, info, warn, error',
  },
  {
    key: 'LOG_STYLE',
    schema: oneOf(['auto', 'journal', 'text', 'json']),
    fallback: 'auto',
    about: 'auto (journal under systemd, else text), journal, text, json',
  },
  { key: 'POOL_NAME', schema: name, about: 'name of the pool towards the cloud; without it QUEUE_NAME' },
  { key: 'CLOUD_NAME', schema: name, about: 'name of the cloud in what is shown and counted; without it CLOUD' },
  {
    key: 'PRICE_PER_HOUR',
    schema: amount,
    about: 'what one node costs in an hour, in any currency; for money budgets',
  },
  { key: 'BUDGET_NODES', schema: wholeNumber(0), about: 'budget: never more nodes than this at one time' },
  { key: 'BUDGET_NODE_HOURS_PER_DAY', schema: amount, about: 'budget: node hours in one calendar day' },
  { key: 'BUDGET_NODE_HOURS_PER_MONTH', schema: amount, about: 'budget: node hours in one calendar month' },
  { key: 'BUDGET_MONEY_PER_DAY', schema: amount, about: 'budget: money in one calendar day; needs PRICE_PER_HOUR' },
  { key: 'BUDGET_MONEY_PER_MONTH', schema: amount, about: 'budget: money in one calendar month; needs PRICE_PER_HOUR' },
  {
    key: 'BUDGET_WARN_AT',
    schema: fraction,
    fallback: '0.8',
    about: 'budget: part of it, from 0 to 1, at which one warning is told',
  },
] as const satisfies readonly Option[];

export type OwnKey = (typeof ownOptions)[number]['key'];

/** Options that a pool cannot have for itself. */
export const WHOLE_SERVICE: ReadonlySet<string> = new Set([
  'BATCH_SYSTEM',
  'CONFIG_DIR',
  'STATE_DIR',
  'API_SOCKET',
  'API_GROUP',
  'STANDBY_DIR',
  'TAKEOVER_TIME',
  'BACKUP_INTERVAL',
  'BACKUP_KEEP',
  'POLL_INTERVAL',
  'LOG_LEVEL',
  'LOG_STYLE',
] satisfies OwnKey[]);
