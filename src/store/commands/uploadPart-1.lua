-- Stores one part of an upload that is still open, and keeps the upload for another while.
-- KEYS  upload          ARGV  part number, bytes, seconds to keep
-- Reply {'OK', bytes received in all} | {'UNKNOWN'}
-- Event none
-- A script, because a plain HSET would bring an upload back that expired a moment ago, without its size and for ever.
if redis.call('HEXISTS', KEYS[1], 'sizeBytes') == 0 then
  return { 'UNKNOWN' }
end
if redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'receivedBytes', #ARGV[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return { 'OK', redis.call('HGET', KEYS[1], 'receivedBytes') }
