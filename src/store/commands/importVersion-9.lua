-- Makes a version of another store visible here: its bytes, its record, its place among the versions, its run, its
-- verdicts, and a ledger line. One that is here already only gets the verdicts that are missing; no line where none is.
-- An ensemble's members must be there, in reach, and are kept from then on.
-- KEYS  staging, blob, version, versions, ensembles, run, verdicts, epoch, ledger
-- ARGV  channel, model, version, number of staged parts, members ('' = none, or digests with spaces between), run
--       configuration ('' = none), actor, reason ('' = none), environment ('' = none), evidence (JSON), number of verdicts,
--       then their fields and values, then the record's
-- Reply {'OK', sequence, verdicts added} | {'THERE', 0, 0} | {'VERDICTS', sequence, verdicts added}
--       | {'INCOMPLETE', parts found} | {'NO_MEMBER', digest} | {'MEMBER_RETIRED', digest, microseconds}
-- Event <model> <sequence>
local staging, blob, record, versions, ensembles, run, verdicts, epoch, ledger = unpack(KEYS)
local channel, model, version, parts, members, configuration, actor, reason, environment, evidence, judged =
  unpack(ARGV, 1, 11)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local known = redis.call('ZSCORE', versions, version)
local whole = redis.call('HLEN', blob) > 0
local staged = redis.call('HLEN', staging)
local sequence = nextLine(epoch, ledger)
redis.call('HLEN', record)
redis.call('HLEN', verdicts)
redis.call('GET', run)
redis.call('HLEN', ensembles)

local unreachable = not known and missingMember(members, versions, record)
if unreachable then
  return unreachable
end
if not (known and whole) and (staged == 0 or staged ~= tonumber(parts)) then
  return { 'INCOMPLETE', staged }
end
local missing = {}
for i = 1, tonumber(judged) do
  if redis.call('HEXISTS', verdicts, ARGV[10 + 2 * i]) == 0 then
    missing[#missing + 1] = i
  end
end
if not known or #missing > 0 then
  announce(channel, model, sequence)
end
if configuration ~= '' then
  redis.call('SETNX', run, configuration)
end
if whole then
  redis.call('UNLINK', staging)
else
  redis.call('RENAME', staging, blob)
  redis.call('PERSIST', blob)
end
if known and #missing == 0 then
  return { 'THERE', 0, 0 }
end
for _, i in ipairs(missing) do
  redis.call('HSET', verdicts, ARGV[10 + 2 * i], ARGV[11 + 2 * i])
end

local at = append(epoch, ledger, sequence, 'import', {
  'version', version,
  'actor', actor,
  'evidenceJson', evidence,
  'reason', reason,
  'environment', environment,
})
if not known then
  redis.call('DEL', record)
  redis.call('HSET', record, 'publishedAt', at, unpack(ARGV, 12 + 2 * tonumber(judged)))
  redis.call('ZADD', versions, sequence, version)
  if members ~= '' then
    redis.call('HSET', ensembles, version, members)
  end
end
return { known and 'VERDICTS' or 'OK', sequence, #missing }
