-- Makes a version visible: its bytes, its record, its place among the versions, its run and its ledger line, or none.
-- An ensemble's members must be there, in reach, and are kept from then on.
-- KEYS  staging, upload, blob, version, versions, ensembles, run, epoch, ledger
-- ARGV  channel, model, version, number of staged parts, seconds that the upload whose parts are staged stays ('' = none is),
--       what stands before the parts ('' = nothing), members ('' = none, or digests with spaces between), run configuration
--       ('' = none), actor, reason ('' = none), environment ('' = none), then the record's fields and values
-- Reply {'OK', sequence} | {'THERE'} (kept as it was) | {'INCOMPLETE', parts found} | {'NO_MEMBER', digest}
--       | {'MEMBER_RETIRED', digest, microseconds}
-- Event <model> <sequence>
local staging, upload, blob, record, versions, ensembles, run, epoch, ledger = unpack(KEYS)
local channel, model, version, parts, seconds, header, members, configuration, actor, reason, environment =
  unpack(ARGV, 1, 11)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local known = redis.call('ZSCORE', versions, version)
local whole = redis.call('HLEN', blob) > 0
local staged = redis.call('HLEN', staging)
local size = seconds ~= '' and redis.call('HGET', upload, 'sizeBytes')
local sequence = nextLine(epoch, ledger)
redis.call('HLEN', record)
redis.call('GET', run)
redis.call('HLEN', ensembles)

local unreachable = not known and missingMember(members, versions, record)
if unreachable then
  return unreachable
end
if not (known and whole) and (staged == 0 or staged ~= tonumber(parts)) then
  return { 'INCOMPLETE', staged }
end
if not known then
  announce(channel, model, sequence)
end
if configuration ~= '' then
  redis.call('SETNX', run, configuration)
end
if whole then
  -- An upload goes by itself: the call may be repeated.
  if seconds == '' then
    redis.call('UNLINK', staging)
  end
else
  if header ~= '' then
    redis.call('HSET', staging, 'header', header)
  end
  redis.call('RENAME', staging, blob)
  redis.call('PERSIST', blob)
  if size then
    redis.call('HSET', upload, 'version', version)
    redis.call('EXPIRE', upload, seconds)
  end
end
if known then
  return { 'THERE' }
end

local at = append(epoch, ledger, sequence, 'publish', {
  'version', version,
  'actor', actor,
  'reason', reason,
  'environment', environment,
})
redis.call('DEL', record)
redis.call('HSET', record, 'publishedAt', at, unpack(ARGV, 12))
redis.call('ZADD', versions, sequence, version)
if members ~= '' then
  redis.call('HSET', ensembles, version, members)
end
return { 'OK', sequence }
