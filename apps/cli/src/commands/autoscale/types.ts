/** The port to a scalable service: Docker Compose, or a simulation. */

/** The replicas of one service. */
export interface Replicas {
  /** The number of running replicas. @throws {EmbedmillError} when it cannot be determined */
  running(): Promise<number>;
  /**
   * Starts or stops replicas; those that remain are not restarted.
   * @throws {EmbedmillError} when scaling fails
   */
  scale(replicas: number): Promise<void>;
  /** The command that `scale` runs. */
  describe(replicas: number): string;
}
