/**
 * What an administrator types so that the batch system knows our hosts: the one place outside an adapter that speaks
 * the batch systems' words, because `check` is where people look for them.
 */
export function absentHint(family: string, hosts: readonly string[]): string {
  const [one = 'c1'] = hosts;
  switch (family) {
    case 'slurm':
      return `add "NodeName=${hosts.join(',')} ..." to slurm.conf, as hybrid-cloud render slurm-conf prints it, then restart slurmctld`;
    case 'torque':
    case 'pbs':
      return `qmgr -c "create node ${one}"${hosts.length > 1 ? ', and so on' : ''}`;
    case 'gridengine':
      return `qconf -ah ${hosts.join(',')}, then into the queue's host group: qconf -aattr hostgroup hostlist "${hosts.join(' ')}" @GROUP`;
    default:
      return `register ${hosts.length === 1 ? 'it' : 'them'} in the batch system`;
  }
}

export function outsideHint(family: string, queue: string, hosts: readonly string[]): string {
  switch (family) {
    case 'slurm':
      return `add ${hosts.join(',')} to Nodes= of PartitionName=${queue} in slurm.conf, then scontrol reconfigure`;
    case 'gridengine':
      return `qconf -aattr queue hostlist "${hosts.join(' ')}" ${queue}`;
    default:
      return `let the queue ${queue} use ${hosts.length === 1 ? 'this host' : 'these hosts'}`;
  }
}
