/** The Lua scripts of the cache: each is one atomic step in Redis. */

/**
 * KEYS 1 vectors, 2 order
 * ARGV fields
 * Returns the values, nil for each missing field; updates the time of last use of the others.
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
 * ARGV 1 maximum bytes, 2 memory of an entry besides its value in bytes, 3 lifetime in seconds, then field,
 * value, …
 *
 * A value replaces an older one, which may be damaged. Redis must not evict keys, because everything else in it is needed; so the cache counts its bytes and
 * evicts the least recently used entries itself.
 */
export const KEEP = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bytes = tonumber(redis.call('GET', KEYS[3]) or '0')
for i = 4, #ARGV, 2 do
  local old = redis.call('HSTRLEN', KEYS[1], ARGV[i])
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  bytes = bytes + #ARGV[i + 1] - old
  if old == 0 then bytes = bytes + ARGV[2] end
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
