/** The Redis server of Docker's official image, for machines with neither a binary nor a package manager we know. */

import type { RedisProgram } from './find.ts';
import { run } from './run.ts';

/** Redis 7.4 on Debian bookworm; pinned to a line so that an append-only file stays readable. */
const IMAGE = 'redis:7.4-bookworm';

/** The image as a program, pulled if needed; a sentence that says why not, if Docker cannot run it. */
export async function findDocker(log: (line: string) => void): Promise<RedisProgram | string> {
  const daemon = await run('docker', ['info', '--format', '{{.ServerVersion}}']);
  if (daemon.code === 127) return 'no Docker here';
  if (daemon.code !== 0) return 'Docker is here, but its daemon does not answer';
  if ((await run('docker', ['image', 'inspect', IMAGE])).code !== 0) {
    log(`Redis is missing: pulling the Docker image ${IMAGE}`);
    const pulled = await run('docker', ['pull', '--quiet', IMAGE], { timeoutMs: 600_000 });
    if (pulled.code !== 0) return `docker pull ${IMAGE} failed: ${pulled.stderr.trim().split('\n').at(-1)}`;
  }
  return { kind: 'docker', image: IMAGE };
}

/**
 * The command that runs `image` with `folder` as its data folder, published on the loopback port `port` only; as the
 * current user, so that the files belong to whoever started us.
 */
export function dockerCommand({
  image,
  folder,
  port,
}: {
  image: string;
  folder: string;
  port: number;
}): string[] {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const publish = `127.0.0.1:${port}:${DOCKER_PORT}`;
  const mount = `type=bind,source=${folder},target=${DOCKER_FOLDER}`;
  const server = ['redis-server', `${DOCKER_FOLDER}/redis.conf`];
  return ['docker', 'run', '--rm', '--user', user, '--publish', publish, '--mount', mount, image, ...server];
}

/** Where the data folder is inside the container. */
export const DOCKER_FOLDER = '/data';

/** The port inside the container. */
export const DOCKER_PORT = 6379;
