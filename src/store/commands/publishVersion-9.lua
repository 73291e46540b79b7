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
local sequence = tonumber(redis.call('GET', epoch) or '0') + 1
redis.call('XLEN', ledger)
redis.call('HLEN', record)
redis.call('GET', run)
redis.call('HLEN', ensembles)

if not known then
  -- A member's record has the same key but for the digest, and so the same hash tag.
  local records = string.sub(record, 1, -65)
  for member in string.gmatch(members, '%x+') do
    if not redis.call('ZSCORE', versions, member) then
      return { 'NO_MEMBER', member }
    end
    local retired = redis.call('HGET', records .. member, 'retiredAt')
    if retired then
      return { 'MEMBER_RETIRED', member, retired }
    end
  end
end
if not (known and whole) and (staged == 0 or staged ~= tonumber(parts)) then
  return { 'INCOMPLETE', staged }
end
-- Before the first write: a user who may not publish, or not on this channel, stops the script before it has written.
if not known then
  redis.call('PUBLISH', channel, model .. ' ' .. sequence)
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

local time = redis.call('TIME')
local at = time[1] .. string.format('%06d', time[2])
local line = { 'action', 'publish', 'at', at, 'version', version, 'actor', actor }
local function add(name, value)
  if value ~= '' then
    line[#line + 1] = name
    line[#line + 1] = value
  end
end
add('reason', reason)
add('environment', environment)
redis.call('XADD', ledger, sequence .. '-0', unpack(line))
redis.call('SET', epoch, sequence)
redis.call('DEL', record)
redis.call('HSET', record, 'publishedAt', at, unpack(ARGV, 12))
redis.call('ZADD', versions, sequence, version)
if members ~= '' then
  redis.call('HSET', ensembles, version, members)
end
return { 'OK', sequence }
