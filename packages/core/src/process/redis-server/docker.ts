/**
 * Runs Redis from the official Docker image, for machines without a binary and without a supported package
 * manager.
 */

import type { RedisProgram } from './find.ts';
import { runProgram } from './run-program.ts';

/** Redis 7.4 on Debian bookworm; the minor version is pinned so that the append-only file stays readable. */
const IMAGE = 'redis:7.4-bookworm';

/**
 * Returns the image as a program and pulls it if needed; returns an error message if Docker cannot run it.
 */
export async function findDocker(log: (line: string) => void): Promise<RedisProgram | string> {
  const daemon = await runProgram('docker', ['info', '--format', '{{.ServerVersion}}']);
  if (daemon.code === 127) return 'Docker is not installed';
  if (daemon.code !== 0) return 'Docker is installed, but its daemon is not running';
  if ((await runProgram('docker', ['image', 'inspect', IMAGE])).code !== 0) {
    log(`Redis not found: pulling the Docker image ${IMAGE}`);
    const pulled = await runProgram('docker', ['pull', '--quiet', IMAGE], { timeoutMs: 600_000 });
    if (pulled.code !== 0) return `docker pull ${IMAGE} failed: ${pulled.stderr.trim().split('\n').at(-1)}`;
  }
  return { kind: 'docker', image: IMAGE };
}

/**
 * The command that runs `image` with `folder` as its data folder, published on the loopback port `port` only.
 * Runs as the current user, who then owns the files.
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

/** The path of the data folder inside the container. */
export const DOCKER_FOLDER = '/data';

/** The port inside the container. */
export const DOCKER_PORT = 6379;
