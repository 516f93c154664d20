/**
 * What a site's own get_status in JSON could print, from the stand-in's cluster: `status-json QUEUE`.
 */
import { idOf, jobsOn, limited, type StandIn, serve } from './cluster.ts';

serve(
  {
    'status-json': (world, [queue = '']) => {
      const answer = world.queues.includes(queue)
        ? { jobs: jobs(world, queue), nodes: nodes(world) }
        : { error: { kind: 'no-queue', message: `there is no queue ${queue}` } };
      return { out: `${JSON.stringify(answer)}\n` };
    },
  },
  (name) => ({ err: `${name}: Connection refused\n`, code: 1 }),
);

function jobs(world: StandIn, queue: string): unknown[] {
  return world.jobs
    .filter((job) => job.queue === queue)
    .map((job) => {
      const held = job.held ? { helped: 'no', because: 'it is held', priority: -1 } : {};
      const kept = limited(world, job) ? { helped: 'no', because: "its array's own limit" } : {};
      return {
        ...{ id: idOf(world, job), array: job.index === null ? null : `${job.number}[].pbhead`, taskLimit: job.limit },
        ...{ state: job.hosts.length > 0 ? 'running' : 'waiting', name: job.name, user: job.owner, hosts: job.hosts },
        ...{ nodes: job.nodes, cpus: job.nodes * job.cpusPerNode, memoryMiB: job.memoryMiB, exclusive: job.exclusive },
        ...{ submittedAt: job.at, ...kept, ...held },
      };
    });
}

function nodes(world: StandIn): unknown[] {
  return world.nodes.map((node) => {
    const on = jobsOn(world, node.name);
    const sum = (of: (job: (typeof on)[number]) => number): number => on.reduce((total, job) => total + of(job), 0);
    const open = on.length > 0 ? 'busy' : 'idle';
    const closed = on.length > 0 ? 'draining' : 'drained';
    return {
      host: node.name,
      state: node.down || node.reported === null ? 'down' : node.offline ? closed : open,
      ...(node.offline ? { closed: node.note.startsWith('hybrid-cloud:') ? 'ours' : 'theirs' } : {}),
      registration: node.reported === null ? null : `${node.name} ${node.changed}`,
      jobs: on.map((job) => idOf(world, job)),
      ...{ cpus: node.cpus, cpusFree: node.cpus - sum((job) => job.cpusPerNode) },
      ...{ memoryMiB: node.memoryMiB, memoryFreeMiB: node.memoryMiB - sum((job) => job.memoryMiB), reason: node.note },
    };
  });
}
