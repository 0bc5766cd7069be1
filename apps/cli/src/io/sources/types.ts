/** The port to sources of rows: files, streams, resources on the web, objects in buckets, and databases. */

import type { Readable } from 'node:stream';
import type { DatabaseFormat, FileBytes, Table } from '@embedmill/core/formats';
import type { Environment } from '@embedmill/core/process';

/** Dependencies of reading a source. */
export interface SourceDeps {
  stdin: Readable;
  /** Credentials, endpoints and proxies. */
  environment: Environment;
  /** Ends the wait for a source that stays silent. */
  signal: AbortSignal;
  /** Receives the reason before each repeated request. */
  onRetry?: ((reason: string) => void) | undefined;
}

/** Identifies the contents of an input, independent of where they are. */
export interface InputIdentity {
  /** Total size as stored, compressed or not; 0 if unknown. */
  bytes: number;
  /**
   * Hash in hexadecimal: of files, over the first and the last MiB; of remote resources, over what their
   * server calls their version; of several, over their sizes and hashes.
   */
  sha256: string;
}

interface SourceBase {
  /** Name for messages, without credentials. */
  readonly name: string;
  /** Absolute path on this machine; `null` for anything else. */
  readonly path: string | null;
  /** Whether it can be read only once, as a pipe or stdin, so that it has no identity. */
  readonly isStream: boolean;
  /** Identifies the contents; after the source was opened. */
  identify(): Promise<InputIdentity>;
}

/** A source of bytes, whose first bytes show their format. */
export interface ByteSource extends SourceBase {
  readonly kind: 'bytes';
  /** Name whose extension is a hint of the format. */
  readonly fileName: string;
  /** Size as stored; `null` if unknown, as before a remote resource was opened. */
  size(): number | null;
  /** All bytes from the start. */
  open(deps: SourceDeps): AsyncIterable<Uint8Array>;
  /** Random access; `null` if the source has none, so that its bytes must be copied first. */
  openRandom(deps: SourceDeps): Promise<FileBytes | null>;
}

/** A table in a database. It is opened once and stays open, so that it is read from one snapshot. */
export interface TableSource extends SourceBase {
  readonly kind: 'table';
  readonly format: DatabaseFormat;
  /** What the user should know, as sentences without a full stop. */
  readonly warnings: readonly string[];
  openTable(deps: SourceDeps): Promise<OpenedTable>;
}

/** One source of an input. */
export type InputSource = ByteSource | TableSource;

/** An opened table. */
export interface OpenedTable {
  readonly table: Table;
  close(): Promise<void>;
}

/** Sources that are made when the input is opened: a remote resource, the objects behind a prefix or glob. */
export interface SourceList {
  readonly kind: 'list';
  /** Name for messages. */
  readonly name: string;
  /**
   * The sources in order; at least one.
   * @throws {UsageError} if there is none
   */
  expand(deps: SourceDeps): Promise<InputSource[]>;
}
