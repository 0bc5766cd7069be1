/** Builds of the engine as a program, for the tests of other machines, and runs of it. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { compileAll, findCompiler, link } from '../../packages/engine/scripts/compiler.mjs';
import { commandSources } from '../../packages/engine/scripts/targets.mjs';

export interface BuildOptions {
  compiler: string;
  arch: 'x64' | 'arm64' | 'wasm32';
  folder: string;
  flags?: string[];
  linkFlags?: string[];
  kernels?: Record<string, string[]>;
}

/** Whether a command is installed; tests that need it are skipped otherwise. */
export async function isInstalled(command: string): Promise<boolean> {
  return promisify(execFile)(command, ['--version']).then(
    () => true,
    () => false,
  );
}

/** The compiler of this machine; undefined: none that builds the engine. */
export async function localCompiler(): Promise<string | undefined> {
  return (await findCompiler())?.command;
}

/** Compiles and links `native/command.cpp`; returns the path of the program. */
export async function buildCommand(options: BuildOptions): Promise<string> {
  const objects = await compileAll({ ...options, sources: commandSources(options.arch) });
  const output = `${options.folder}/engine`;
  await link(options.compiler, objects, output, [...(options.flags ?? []), ...(options.linkFlags ?? [])]);
  return output;
}

/** Input of the program's `embed`: the texts as integers. */
export function commandInput(texts: readonly Int32Array[]): Buffer {
  const parts = [Int32Array.of(texts.length), Int32Array.from(texts, (ids) => ids.length), ...texts];
  return Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)));
}

/** Runs a program with this input; what it wrote. */
export async function runProgram(
  command: readonly string[],
  input: Uint8Array = new Uint8Array(0),
): Promise<{ code: number | null; signal: string | null; stdout: Buffer; stderr: string }> {
  const child = spawn(command[0]!, command.slice(1), { stdio: 'pipe' });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that refuses its arguments does not read: that is not an error of the test.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code, signal] = await once(child, 'close');
  return { code, signal, stdout: Buffer.concat(stdout), stderr };
}
