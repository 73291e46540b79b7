-- Closes an upload that is whole: its parts move to a key of their own, where no late part reaches them.
-- KEYS  upload, staging          ARGV  bytes of a part, seconds to keep
-- Reply {'OK', bytes} | {'PUBLISHED', bytes, version} (its parts are that version's) | {'INCOMPLETE', bytes}
--       | {'UNKNOWN'}
-- Event none
local upload, staging = unpack(KEYS)
local partBytes, seconds = tonumber(ARGV[1]), ARGV[2]

local size, sealed, version = unpack(redis.call('HMGET', upload, 'sizeBytes', 'sealed', 'version'))
if not size then
  return { 'UNKNOWN' }
end
if version then
  return { 'PUBLISHED', size, version }
end
local parts = math.ceil(tonumber(size) / partBytes)
if sealed then
  if redis.call('HLEN', staging) ~= parts then
    return { 'UNKNOWN' }
  end
else
  if redis.call('HLEN', upload) - 1 ~= parts then
    return { 'INCOMPLETE', size }
  end
  redis.call('RENAME', upload, staging)
  redis.call('HDEL', staging, 'sizeBytes')
  redis.call('HSET', upload, 'sizeBytes', size, 'sealed', 1)
end
redis.call('EXPIRE', upload, seconds)
redis.call('EXPIRE', staging, seconds)
return { 'OK', size }
