/** The Lua scripts of the exchange: each is one atomic step in Redis. */

/**
 * Commits the result of a batch.
 *
 * KEYS 1 run hash, 2 done bitmap, 3 result, 4 payload, 5 ready stream, 6 probe, 7 staged result
 * ARGV 1 batch, 2 result bytes (empty: it is staged), 3 lifetime of the keys in seconds, 4 run, 5 summary as JSON
 * Returns `committed`, `duplicate` or `gone`; the error STAGED when Redis lost the staged result, which must then be staged again.
 *
 * SETBIT is the first write: a full Redis rejects a script at its first write that needs memory, so a
 * rejected commit has changed nothing and can be repeated.
 */
export const COMMIT = `
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('UNLINK', KEYS[4], KEYS[6], KEYS[7])
  return 'gone'
end
if ARGV[2] == '' and redis.call('EXISTS', KEYS[7]) == 0 and redis.call('GETBIT', KEYS[2], ARGV[1]) == 0 then
  return redis.error_reply('STAGED the staged result is missing')
end
if redis.call('SETBIT', KEYS[2], ARGV[1], 1) == 1 then
  redis.call('UNLINK', KEYS[4], KEYS[6], KEYS[7])
  return 'duplicate'
end
redis.call('EXPIRE', KEYS[2], ARGV[3])
if ARGV[2] == '' then
  redis.call('RENAME', KEYS[7], KEYS[3])
  redis.call('EXPIRE', KEYS[3], ARGV[3])
else
  redis.call('SET', KEYS[3], ARGV[2], 'EX', ARGV[3])
end
redis.call('XADD', KEYS[5], '*', 'run', ARGV[4], 'batch', ARGV[1], 'summary', ARGV[5])
redis.call('EXPIRE', KEYS[5], ARGV[3])
redis.call('UNLINK', KEYS[4], KEYS[6])
return 'committed'
`;

/**
 * Hands the payload of a batch to a worker.
 *
 * KEYS 1 run hash, 2 done bitmap, 3 payload, 4 ready stream
 * ARGV 1 batch, 2 run, 3 lifetime of the ready stream in seconds,
 * 4 what the worker computes with, or an empty string
 * Returns the payload, or a table with one of `gone`, `duplicate`, `lost`, `other-model`. A lost payload is reported through
 * the ready stream, so that the producer, which has the rows on disk, enqueues the batch again. The payload
 * of a batch that is done, or whose run has ended, is deleted, because nothing else would delete it.
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
local pinned = redis.call('HGET', KEYS[1], 'computedWith')
if pinned and ARGV[4] ~= '' and pinned ~= ARGV[4] then return {'other-model', pinned} end
local payload = redis.call('GET', KEYS[3])
if payload then return payload end
redis.call('XADD', KEYS[4], '*', 'run', ARGV[2], 'batch', ARGV[1], 'summary', 'null')
redis.call('EXPIRE', KEYS[4], ARGV[3])
return {'lost'}
`;

/**
 * Begins to probe the rows of a batch.
 *
 * KEYS 1 probe
 * ARGV 1 lifetime in seconds, 2 the worker that begins, then workers that probed the batch and are dead
 * Returns the hash: `at:<worker>` with the row that a worker probes, or an empty string; `deaths:<row>` for each row over which
 * workers died; `unexplained` deaths, over no row. `row` is the mark of a worker that did not write its id.
 */
export const BEGIN_PROBE = `
local function count(row)
  local field = 'unexplained'
  if row ~= '' then field = 'deaths:' .. row end
  redis.call('HINCRBY', KEYS[1], field, 1)
end
local anonymous = redis.call('HGET', KEYS[1], 'row')
if anonymous then
  count(anonymous)
  redis.call('HDEL', KEYS[1], 'row')
end
for i = 3, #ARGV do
  local row = redis.call('HGET', KEYS[1], 'at:' .. ARGV[i])
  if row then
    count(row)
    redis.call('HDEL', KEYS[1], 'at:' .. ARGV[i])
  end
end
redis.call('HSET', KEYS[1], 'at:' .. ARGV[2], '')
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
`;
