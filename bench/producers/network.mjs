/** Machines in one kernel: network namespaces on a bridge, with links of a given rate and files in memory. */

import { execFileSync } from 'node:child_process';

/** The address of this machine on the bridge. */
const HERE = '10.99.0.1/24';

const run = (...args) => execFileSync(args[0], args.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });

/** Keeps the files of a folder in memory, because the machines have one disk together here and one each in a fleet. */
export function mountMemory(folder) {
  run('mount', '-t', 'tmpfs', 'tmpfs', folder);
}

/** Ends {@link mountMemory}; the files are gone. */
export function unmountMemory(folder) {
  run('umount', folder);
}

/** Creates the bridge in the network and mount namespaces of this process. */
export function createBridge() {
  // `ip netns` leaves files there.
  run('mkdir', '-p', '/run/netns');
  run('mount', '-t', 'tmpfs', 'tmpfs', '/run/netns');
  run('ip', 'link', 'set', 'lo', 'up');
  run('ip', 'link', 'add', 'bridge0', 'type', 'bridge');
  run('ip', 'addr', 'add', HERE, 'dev', 'bridge0');
  run('ip', 'link', 'set', 'bridge0', 'up');
}

/**
 * Adds a machine.
 * @param {number} number from 10 to 250
 * @param {number | null} mbit rate of its link in each direction; `null`: unlimited
 * @returns its address, and the words before a command that runs on it
 */
export function addMachine(number, mbit) {
  const name = `m${number}`;
  const address = `10.99.0.${number}`;
  const inside = ['ip', 'netns', 'exec', name];
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  run('ip', 'link', 'set', `to-${name}`, 'master', 'bridge0', 'up');
  run(...inside, 'ip', 'link', 'set', 'lo', 'up');
  run(...inside, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  run(...inside, 'ip', 'link', 'set', 'eth0', 'up');
  if (mbit !== null) {
    // A token bucket shapes what leaves an interface: one at each end of the link.
    const bucket = ['root', 'tbf', 'rate', `${mbit}mbit`, 'burst', '64kb', 'latency', '200ms'];
    run('tc', 'qdisc', 'add', 'dev', `to-${name}`, ...bucket);
    run(...inside, 'tc', 'qdisc', 'add', 'dev', 'eth0', ...bucket);
  }
  return { name, address, inside };
}

/** Removes a machine; its processes must have ended. */
export function removeMachine({ name }) {
  run('ip', 'link', 'delete', `to-${name}`);
  run('ip', 'netns', 'delete', name);
}
