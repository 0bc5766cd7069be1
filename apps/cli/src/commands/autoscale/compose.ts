/** Counts and scales the replicas of a Docker Compose service. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EmbedmillError } from '@embedmill/contract';
import type { Environment } from '@embedmill/core/process';
import type { Replicas } from './types.ts';

/** Which service of which project. */
export interface ComposeServiceOptions {
  /** Path of the compose file. Default: the one that Compose finds in the current folder. */
  file?: string | undefined;
  /** Project name. Default: chosen by Compose from the environment and the folder. */
  project?: string | undefined;
  service: string;
  /** Environment of the commands: PATH, DOCKER_HOST and the variables of the compose file. */
  environment: Environment;
}

/** Compose 2 as a plugin of `docker`, or the older separate program, which Debian 12 ships as 1.29. */
const COMMANDS = [['docker', 'compose'], ['docker-compose']] as const;

const execute = promisify(execFile);

/** A service; see {@link ComposeService.find}. */
export class ComposeService implements Replicas {
  readonly #options: ComposeServiceOptions;
  readonly #compose: readonly string[];

  private constructor(options: ComposeServiceOptions, command: readonly string[]) {
    const { file, project } = options;
    this.#options = options;
    this.#compose = [
      ...command,
      ...(file === undefined ? [] : ['-f', file]),
      ...(project === undefined ? [] : ['-p', project]),
    ];
  }

  /**
   * Finds the service with the installed version of Compose.
   * @throws {EmbedmillError} `no-compose` when Compose is not installed, `compose-failed` when the service is
   * unknown
   */
  static async find(options: ComposeServiceOptions): Promise<ComposeService> {
    for (const command of COMMANDS) {
      const isInstalled = await run([...command, 'version'], options.environment).then(
        () => true,
        () => false,
      );
      if (!isInstalled) continue;
      const found = new ComposeService(options, command);
      await found.running();
      return found;
    }
    throw new EmbedmillError(
      'no-compose',
      'neither "docker compose" nor "docker-compose" can be run: install Docker Compose, or check PATH',
    );
  }

  describe(replicas: number): string {
    return this.#scaleCommand(replicas).join(' ');
  }

  async running(): Promise<number> {
    const { service, environment } = this.#options;
    // Compose 1 also lists exited containers, so the state of each is checked.
    const ids = words(await run([...this.#compose, 'ps', '-q', service], environment));
    if (ids.length === 0) return 0;
    const states = await run(['docker', 'inspect', '-f', '{{.State.Running}}', ...ids], environment);
    return words(states).filter((state) => state === 'true').length;
  }

  async scale(replicas: number): Promise<void> {
    await run(this.#scaleCommand(replicas), this.#options.environment);
  }

  #scaleCommand(replicas: number): string[] {
    const { service } = this.#options;
    const scale = ['--scale', `${service}=${replicas}`, service];
    return [...this.#compose, 'up', '-d', '--no-build', '--no-deps', '--no-recreate', ...scale];
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Runs a command and returns its output. @throws {EmbedmillError} `compose-failed` with its error message */
async function run([file = '', ...args]: readonly string[], environment: Environment): Promise<string> {
  try {
    return (await execute(file, args, { env: environment })).stdout;
  } catch (cause) {
    const errors = (cause as { stderr?: string }).stderr?.trim() || String(cause);
    const command = [file, ...args].join(' ');
    throw new EmbedmillError('compose-failed', `${command} failed: ${errors.split('\n').at(-1)}`, { cause });
  }
}
