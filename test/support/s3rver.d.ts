/** Types for s3rver, which has none, as far as the tests use it. */
declare module 's3rver' {
  import type { RequestListener } from 'node:http';

  // biome-ignore lint/style/noDefaultExport: the package has only this export
  export default class S3rver {
    constructor(options: { directory: string; silent: boolean });
    configureBuckets(): Promise<unknown>;
    callback(): RequestListener;
  }
}
