/** One service of a Docker Compose project whose replicas can be counted and set; `embedmill autoscale` has one. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EmbedmillError } from '@embedmill/contract';
import type { Environment } from '@embedmill/core/process';
import type { Replicas } from './types.ts';

/** Which service of which project. */
export interface ComposeServiceDeps {
  /** Path of the compose file; absent: the one that Compose finds in the current folder. */
  file?: string | undefined;
  /** Name of the project; absent: what Compose makes of the environment and the folder. */
  project?: string | undefined;
  service: string;
  /** Of the commands that are run: PATH, DOCKER_HOST and the variables of the compose file. */
  environment: Environment;
}

/** Compose 2 as a plugin of `docker`, or the older program of its own, which Debian 12 ships as 1.29. */
const COMMANDS = [['docker', 'compose'], ['docker-compose']] as const;

const execute = promisify(execFile);

/** @see ComposeService.find */
export class ComposeService implements Replicas {
  readonly #deps: ComposeServiceDeps;
  readonly #compose: readonly string[];

  private constructor(parts: ComposeServiceDeps, command: readonly string[]) {
    const { file, project } = parts;
    this.#deps = parts;
    this.#compose = [
      ...command,
      ...(file === undefined ? [] : ['-f', file]),
      ...(project === undefined ? [] : ['-p', project]),
    ];
  }

  /**
   * The service, run by whichever Compose there is.
   * @throws {EmbedmillError} `no-compose` when there is none, `compose-failed` when it does not know the service
   */
  static async find(parts: ComposeServiceDeps): Promise<ComposeService> {
    for (const command of COMMANDS) {
      const isThere = await run([...command, 'version'], parts.environment).then(
        () => true,
        () => false,
      );
      if (!isThere) continue;
      const found = new ComposeService(parts, command);
      await found.running();
      return found;
    }
    throw new EmbedmillError(
      'no-compose',
      'neither "docker compose" nor "docker-compose" can be run: install Docker Compose, or look at PATH',
    );
  }

  describe(replicas: number): string {
    return this.#scaleCommand(replicas).join(' ');
  }

  async running(): Promise<number> {
    const { service, environment } = this.#deps;
    // Compose 1 lists containers that ended too, so each is asked.
    const ids = words(await run([...this.#compose, 'ps', '-q', service], environment));
    if (ids.length === 0) return 0;
    const states = await run(['docker', 'inspect', '-f', '{{.State.Running}}', ...ids], environment);
    return words(states).filter((state) => state === 'true').length;
  }

  async scale(replicas: number): Promise<void> {
    await run(this.#scaleCommand(replicas), this.#deps.environment);
  }

  #scaleCommand(replicas: number): string[] {
    const { service } = this.#deps;
    const scale = ['--scale', `${service}=${replicas}`, service];
    return [...this.#compose, 'up', '-d', '--no-build', '--no-deps', '--no-recreate', ...scale];
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Runs a command to its end. @throws {EmbedmillError} `compose-failed` with what it said */
async function run([file = '', ...args]: readonly string[], environment: Environment): Promise<string> {
  try {
    return (await execute(file, args, { env: environment })).stdout;
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim() || String(cause);
    const command = [file, ...args].join(' ');
    throw new EmbedmillError('compose-failed', `${command} failed: ${said.split('\n').at(-1)}`, { cause });
  }
}
