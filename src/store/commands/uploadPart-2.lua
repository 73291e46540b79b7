-- Looks at a part that the same transaction has just put into an upload: it stays where the upload is open, and keeps the
-- upload for another while; otherwise it goes again, the whole key where the upload is none.
-- KEYS  upload, staging          ARGV  part number, last part's number, bytes of a part, seconds to keep
-- Reply {'OK', bytes received in all} | {'UNKNOWN'} | {'SEALED'} (and other bytes are there)
-- Event none
-- A transaction, because a plain HSET would bring an upload back that expired a moment ago, without its size and for ever.
local upload, staging = unpack(KEYS)
local part, last, partBytes, seconds = unpack(ARGV)

local size, sealed, version = unpack(redis.call('HMGET', upload, 'sizeBytes', 'sealed', 'version'))
if not size then
  redis.call('UNLINK', upload)
  return { 'UNKNOWN' }
end
if sealed or version then
  local same = sealed and redis.call('HGET', upload, part) == redis.call('HGET', staging, part)
  redis.call('HDEL', upload, part)
  return same and { 'OK', size } or { 'SEALED' }
end
redis.call('EXPIRE', upload, seconds)
local parts = redis.call('HLEN', upload) - 1
local rest = redis.call('HSTRLEN', upload, last)
if rest == 0 then
  return { 'OK', parts * partBytes }
end
return { 'OK', (parts - 1) * partBytes + rest }
