/** The redis.conf of the private server; written by private-redis.ts at every start. */

/** What differs from one private server to the next. */
export interface ServerConfig {
  /** The address to listen on: 127.0.0.1, or 0.0.0.0 inside a container whose port is published on loopback only. */
  bind: string;
  port: number;
  /** Letters and digits. A file (mode 0600) keeps it out of the process list, where other users could read it. */
  password: string;
  /** The folder of the append-only file. */
  folder: string;
  maxMemoryBytes: number;
}

/** The text of the redis.conf. */
export function serverConfig({ bind, port, password, folder, maxMemoryBytes }: ServerConfig): string {
  return `# Written by Embedmill at every start; changes are lost.
bind ${bind}
port ${port}
protected-mode yes
requirepass ${password}
dir ${quoted(folder)}
daemonize no

# What a client was told is stored survives the death of this server; a power cut can cost the last second.
appendonly yes
appendfsync everysec
save ""

# A full Redis refuses writes. It never throws a batch away to make room.
maxmemory ${maxMemoryBytes}
maxmemory-policy noeviction
`;
}

function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
