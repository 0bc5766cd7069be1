/** Buckets in S3 and compatible stores, through the AWS client. */

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { asError, EmbedmillError, quote, UnavailableError } from '@embedmill/contract';
import type { Environment } from '@embedmill/core/process';
import type { Bucket } from './types.ts';

/**
 * Part size of uploads. S3 takes 10,000 parts, so a file may have 156 GB. Smaller files are sent in one
 * request.
 */
const PART_BYTES = 16 * 1024 * 1024;

/** Concurrent parts of an upload, which bounds the memory used. */
const MAX_CONCURRENT_PARTS = 3;

/** Attempts per request by the AWS client, with growing pauses, unless AWS_MAX_ATTEMPTS is set. */
const MAX_ATTEMPTS = 5;

/** The used fields of errors from the AWS client. */
interface S3Failure {
  name: string;
  code?: string;
  message: string;
  $metadata?: { httpStatusCode?: number };
}

/**
 * Opens a bucket. Credentials, region and endpoint come from the usual AWS variables and files
 * (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_S3, …). The client is loaded on first use.
 */
export async function openBucket(
  name: string,
  { environment, signal }: { environment: Environment; signal: AbortSignal },
): Promise<Bucket> {
  // Suppresses a warning on stderr, at every start, about the end of support for Node 20.
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
        // Parts of a failed upload are removed: they are invisible, but would be billed.
        const options = { partSize: PART_BYTES, queueSize: MAX_CONCURRENT_PARTS, leavePartsOnError: false };
        await new Upload({ client, params, abortController, ...options }).done();
        const { ContentLength } = await client.send(new library.HeadObjectCommand(at(key)), call);
        if (ContentLength !== bytes) throw new Error(`${ContentLength} of ${bytes} bytes were stored`);
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
      const response = await client.send(new library.GetObjectCommand(at(key)), call).catch(absent);
      return (await response?.Body?.transformToString().catch(failed)) ?? null;
    },
    async read(key, { start, end, etag }) {
      const params = {
        ...at(key),
        ...(start === 0 && end === null ? {} : { Range: `bytes=${start}-${end === null ? '' : end - 1}` }),
        ...(etag === null ? {} : { IfMatch: etag }),
      };
      const response = await client
        .send(new library.GetObjectCommand(params), call)
        .catch((cause) => (isChanged(cause as S3Failure) ? 'changed' : absent(cause)));
      if (response === null || response === 'changed') return response;
      const total = /\/(\d+)$/.exec(response.ContentRange ?? '')?.[1];
      return {
        bytes: total === undefined ? (response.ContentLength ?? null) : Number(total),
        etag: response.ETag ?? null,
        body: response.Body as Readable,
      };
    },
    async stat(key) {
      const response = await client.send(new library.HeadObjectCommand(at(key)), call).catch(absent);
      return response && { bytes: response.ContentLength ?? 0, sha256: response.Metadata?.sha256 ?? null };
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
 * Settings beyond the defaults of the AWS client. Stores other than AWS are addressed by path, because most
 * have no DNS name per bucket, and without trailing checksums, which some do not support, unless an AWS
 * variable requests them.
 */
function settingsFrom(environment: Environment): S3ClientConfig {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL;
  const region = environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  const isOtherStore = endpoint !== undefined;
  return {
    maxAttempts: Number(environment.AWS_MAX_ATTEMPTS) || MAX_ATTEMPTS,
    ...(isOtherStore ? { endpoint, forcePathStyle: true } : {}),
    ...(isOtherStore && environment.AWS_REQUEST_CHECKSUM_CALCULATION === undefined
      ? { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }
      : {}),
    ...(region !== undefined || isOtherStore ? { region: region ?? 'us-east-1' } : {}),
  };
}

function isAbsent({ name }: S3Failure): boolean {
  return name === 'NoSuchKey' || name === 'NotFound';
}

/** The object has another entity tag, or is shorter than the range. */
function isChanged({ $metadata }: S3Failure): boolean {
  return $metadata?.httpStatusCode === 412 || $metadata?.httpStatusCode === 416;
}

/** An error that says what to do. Messages of the client contain no secrets. */
function explain(cause: S3Failure, bucket: string): EmbedmillError {
  const { name, code, message, $metadata } = cause;
  const status = $metadata?.httpStatusCode ?? 0;
  const refused = (text: string) => new EmbedmillError('store-refused', text, { cause });
  if (name === 'CredentialsProviderError') {
    return refused(
      `no credentials for s3://${bucket}: ${message}; ` +
        'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
    );
  }
  if (message === 'Region is missing') return refused(`no region for s3://${bucket}; set AWS_REGION`);
  if (name === 'NoSuchBucket') return refused(`there is no bucket ${quote(bucket)}`);
  if (status === 301) return refused(`the bucket ${quote(bucket)} is in another region; set AWS_REGION`);
  if (status === 403) {
    return refused(
      `access to s3://${bucket} denied (${name}: ${message}); reading needs s3:GetObject and ` +
        's3:ListBucket, writing s3:PutObject and s3:DeleteObject too',
    );
  }
  const text = `s3://${bucket} reports ${[name, code].filter(Boolean).join(' ')}: ${message}`;
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return refused(text);
  return new UnavailableError('store-unavailable', text, { cause });
}
