/** The port to whatever runs workers; `follow.ts` asks it, `compose.ts` is Docker Compose, `dry-run.ts` only pretends. */

/** Workers of one kind, in any number. */
export interface Replicas {
  /** How many run now. @throws {EmbedmillError} when that cannot be found out */
  running(): Promise<number>;
  /** Starts or stops some until there are `replicas`; those that stay are not touched. @throws {EmbedmillError} */
  scale(replicas: number): Promise<void>;
  /** What `scale` does, as people would type it. */
  describe(replicas: number): string;
}
