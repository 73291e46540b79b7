-- Stores the acceptance suite's outcome for one digest, contract and set of fixtures; a later one replaces it.
-- KEYS  verdicts, versions, epoch, ledger
-- ARGV  channel, model, version, field of verdicts, verdict (MessagePack), 'accept' or 'reject', contract fingerprint,
--       fixtures fingerprint, evidence (JSON), actor, reason ('' = none), environment ('' = none)
-- Reply {'OK', sequence} | {'NO_VERSION'}
-- Event <model> <sequence>
local verdicts, versions, epoch, ledger = unpack(KEYS)
local channel, model, version, field, verdict, action, contract, fixtures, evidence, actor, reason, environment =
  unpack(ARGV)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local known = redis.call('ZSCORE', versions, version)
local sequence = tonumber(redis.call('GET', epoch) or '0') + 1
redis.call('XLEN', ledger)
redis.call('HLEN', verdicts)
if not known then
  return { 'NO_VERSION' }
end

local time = redis.call('TIME')
local at = time[1] .. string.format('%06d', time[2])
local line = { 'action', action, 'at', at, 'version', version, 'actor', actor }
local function add(name, value)
  if value ~= '' then
    line[#line + 1] = name
    line[#line + 1] = value
  end
end
add('contractFingerprint', contract)
add('fixtureFingerprint', fixtures)
add('evidenceJson', evidence)
add('reason', reason)
add('environment', environment)
-- Before the first write: a user who may not publish, or not on this channel, stops the script before it has written.
redis.call('PUBLISH', channel, model .. ' ' .. sequence)
redis.call('XADD', ledger, sequence .. '-0', unpack(line))
redis.call('SET', epoch, sequence)
redis.call('HSET', verdicts, field, verdict)
return { 'OK', sequence }
