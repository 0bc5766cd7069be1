/** The Lua scripts of the exchange: each is one atomic step in Redis. */

/**
 * The commit of a batch.
 *
 * KEYS 1 run hash, 2 done bitmap, 3 result, 4 payload, 5 ready stream, 6 trials
 * ARGV 1 batch, 2 result bytes, 3 lifetime of the keys in seconds, 4 run, 5 summary as JSON
 * Returns `committed`, `duplicate` or `gone`.
 *
 * SETBIT comes first among the writes: Redis refuses a script at its first memory-taking write when it is full, so a
 * refused commit has changed nothing and may be made again.
 */
export const COMMIT = `
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('UNLINK', KEYS[4], KEYS[6])
  return 'gone'
end
if redis.call('SETBIT', KEYS[2], ARGV[1], 1) == 1 then
  redis.call('UNLINK', KEYS[4], KEYS[6])
  return 'duplicate'
end
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('SET', KEYS[3], ARGV[2], 'EX', ARGV[3])
redis.call('XADD', KEYS[5], '*', 'run', ARGV[4], 'batch', ARGV[1], 'summary', ARGV[5])
redis.call('UNLINK', KEYS[4], KEYS[6])
return 'committed'
`;

/**
 * The opening of a batch by a worker.
 *
 * KEYS 1 run hash, 2 done bitmap, 3 payload, 4 ready stream
 * ARGV 1 batch, 2 run
 * Returns the payload, or `gone`, `duplicate`, `lost` in a table of one. A lost payload is reported through the ready
 * stream, so that the producer, which has the rows on disk, enqueues the batch again. The payload of a batch that was
 * sent again though it was done, or whose run is over, is removed: nobody else would.
 */
export const TAKE = `
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('UNLINK', KEYS[3])
  return {'gone'}
end
if redis.call('GETBIT', KEYS[2], ARGV[1]) == 1 then
  redis.call('UNLINK', KEYS[3])
  return {'duplicate'}
end
local payload = redis.call('GET', KEYS[3])
if payload then return payload end
redis.call('XADD', KEYS[4], '*', 'run', ARGV[2], 'batch', ARGV[1], 'summary', 'null')
return {'lost'}
`;

/**
 * The beginning of the trials of a batch.
 *
 * KEYS 1 trials
 * ARGV 1 lifetime in seconds
 * Returns the hash: `begun`, and `deaths:<row>` for each row that was marked when a process ended.
 */
export const BEGIN_TRIALS = `
local row = redis.call('HGET', KEYS[1], 'row')
redis.call('HINCRBY', KEYS[1], 'begun', 1)
if row then
  redis.call('HINCRBY', KEYS[1], 'deaths:' .. row, 1)
  redis.call('HDEL', KEYS[1], 'row')
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
`;
