/** Buckets of S3 and of stores that speak its API, through AWS's own client. */

import { createReadStream } from 'node:fs';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { asError, EmbedmillError, quote, UnavailableError } from '@embedmill/contract';
import type { Environment } from '@embedmill/core/process';
import type { Bucket } from './types.ts';

/** A part of an upload; S3 takes 10 000 of them, so a file may have 156 GB. Up to this size a file goes in one request. */
const PART_BYTES = 16 * 1024 * 1024;

/** Parts under way at once, which bounds what is held in memory. */
const PARTS_AT_ONCE = 3;

/** Attempts of one request, by the client itself, with growing waits in between; AWS's own variable may ask for others. */
const ATTEMPTS = 5;

/** What a failure of AWS's client tells. */
interface S3Failure {
  name: string;
  code?: string;
  message: string;
  $metadata?: { httpStatusCode?: number };
}

/**
 * Opens a bucket. Keys, region and endpoint are those of AWS's own variables and files (AWS_ACCESS_KEY_ID, AWS_PROFILE,
 * AWS_REGION, AWS_ENDPOINT_URL_S3, …). The client is loaded by the first bucket.
 */
export async function openBucket(
  name: string,
  { environment, signal }: { environment: Environment; signal: AbortSignal },
): Promise<Bucket> {
  // It would tell on stderr, at every start, until when it supports Node 20.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const library = await import('@aws-sdk/client-s3');
  const { Upload } = await import('@aws-sdk/lib-storage');
  const client = new library.S3Client(settingsFrom(environment));
  const failed = (cause: unknown): never => {
    signal.throwIfAborted();
    throw explain(asError(cause) as S3Failure, name);
  };
  const absent = (cause: unknown): null => (isAbsent(cause as S3Failure) ? null : failed(cause));
  const at = (Key: string) => ({ Bucket: name, Key });
  const call = { abortSignal: signal };

  return {
    name,
    async put(key, { path, bytes, sha256, contentType }) {
      const Body = createReadStream(path);
      const params = { ...at(key), Body, ContentType: contentType, Metadata: { sha256 } };
      const abortController = new AbortController();
      const abort = () => abortController.abort();
      signal.addEventListener('abort', abort);
      try {
        // Parts of an upload that fails are removed: they would cost money, and nobody would see them.
        const options = { partSize: PART_BYTES, queueSize: PARTS_AT_ONCE, leavePartsOnError: false };
        await new Upload({ client, params, abortController, ...options }).done();
        const { ContentLength } = await client.send(new library.HeadObjectCommand(at(key)), call);
        if (ContentLength !== bytes) throw new Error(`${ContentLength} bytes arrived of ${bytes}`);
      } catch (cause) {
        failed(cause);
      } finally {
        signal.removeEventListener('abort', abort);
        Body.destroy();
      }
    },
    async putText(key, text) {
      const command = new library.PutObjectCommand({
        ...at(key),
        Body: text,
        ContentType: 'application/json',
      });
      await client.send(command, call).catch(failed);
    },
    async getText(key) {
      const answer = await client.send(new library.GetObjectCommand(at(key)), call).catch(absent);
      return (await answer?.Body?.transformToString().catch(failed)) ?? null;
    },
    async look(key) {
      const answer = await client.send(new library.HeadObjectCommand(at(key)), call).catch(absent);
      return answer && { bytes: answer.ContentLength ?? 0, sha256: answer.Metadata?.sha256 ?? null };
    },
    async *list(prefix) {
      let token: string | undefined;
      do {
        const input = { Bucket: name, Prefix: prefix, ContinuationToken: token };
        const page = await client.send(new library.ListObjectsV2Command(input), call).catch(failed);
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    async delete(key) {
      await client.send(new library.DeleteObjectCommand(at(key)), call).catch(failed);
    },
    close: () => client.destroy(),
  };
}

/**
 * What AWS's client does not know by itself. Stores other than AWS are called by path, as most have no name in the DNS for each
 * bucket, and without the checksums behind a body that some do not understand; AWS's own variable asks for them.
 */
function settingsFrom(environment: Environment): S3ClientConfig {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL;
  const region = environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  const isElsewhere = endpoint !== undefined;
  return {
    maxAttempts: Number(environment.AWS_MAX_ATTEMPTS) || ATTEMPTS,
    ...(isElsewhere ? { endpoint, forcePathStyle: true } : {}),
    ...(isElsewhere && environment.AWS_REQUEST_CHECKSUM_CALCULATION === undefined
      ? { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }
      : {}),
    ...(region !== undefined || isElsewhere ? { region: region ?? 'us-east-1' } : {}),
  };
}

function isAbsent({ name }: S3Failure): boolean {
  return name === 'NoSuchKey' || name === 'NotFound';
}

/** What to do about a failure. Messages of the client name no secrets. */
function explain(cause: S3Failure, bucket: string): EmbedmillError {
  const { name, code, message, $metadata } = cause;
  const status = $metadata?.httpStatusCode ?? 0;
  const refused = (words: string) => new EmbedmillError('store-refused', words, { cause });
  if (name === 'CredentialsProviderError') {
    return refused(
      `there are no keys for s3://${bucket}: ${message}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE`,
    );
  }
  if (message === 'Region is missing') return refused(`s3://${bucket} is in no region; set AWS_REGION`);
  if (name === 'NoSuchBucket') return refused(`there is no bucket ${quote(bucket)}`);
  if (status === 301) return refused(`the bucket ${quote(bucket)} is in another region; set AWS_REGION`);
  if (status === 403) {
    return refused(
      `s3://${bucket} refuses us (${name}: ${message}); the keys need GetObject, PutObject, DeleteObject and ListBucket`,
    );
  }
  const words = `s3://${bucket} says ${[name, code].filter(Boolean).join(' ')}: ${message}`;
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return refused(words);
  return new UnavailableError('store-unavailable', words, { cause });
}
