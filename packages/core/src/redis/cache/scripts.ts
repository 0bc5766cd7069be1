/** The Lua scripts of the cache: each is one atomic step in Redis. */

/**
 * KEYS 1 vectors, 2 order
 * ARGV fields
 * Returns the values, nil for each field that is not there; those that are count as used now.
 */
export const FIND = `
local found = redis.call('HMGET', KEYS[1], unpack(ARGV))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i, value in ipairs(ARGV) do
  if found[i] then redis.call('ZADD', KEYS[2], 'XX', now, value) end
end
return found
`;

/**
 * KEYS 1 vectors, 2 order, 3 bytes
 * ARGV 1 most bytes, 2 bytes that Redis takes for an entry besides its value, 3 lifetime in seconds, then field, value, …
 *
 * Redis itself may be set to evict nothing, because everything else in it is needed: so the cache counts its bytes and makes
 * room by itself, those that were used longest ago first.
 */
export const KEEP = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bytes = tonumber(redis.call('GET', KEYS[3]) or '0')
for i = 4, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then bytes = bytes + #ARGV[i + 1] + ARGV[2] end
  redis.call('ZADD', KEYS[2], now, ARGV[i])
end
while bytes > tonumber(ARGV[1]) do
  local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
  if not oldest then break end
  bytes = bytes - redis.call('HSTRLEN', KEYS[1], oldest) - ARGV[2]
  redis.call('HDEL', KEYS[1], oldest)
end
redis.call('SET', KEYS[3], bytes)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[3]) end
`;
