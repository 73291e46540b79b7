-- Gives a second version a share of an alias's calls, changes the share, or ends it, if nobody holds the alias, it is
-- still where the caller saw it and the version has passed what is in force. An ending asks for no verdict.
-- KEYS  aliases, canaries, holds, versions, version, verdicts, contract, epoch, ledger
-- ARGV  channel, model, alias, version, weight (above 0, below 1; '0' = end), expected ('' = any), gate
--       ('' = none, 'none' = only while no contract is in force, 'verdict' = a passed one for what is in force), the gate's
--       contract and fixtures fingerprints, actor, reason ('' = none), environment ('' = none)
-- Reply {'OK', sequence, microseconds, earlier contract whose verdict counted ('' = none)} | {'SAME'} (runs with this weight already) | {'NO_VERSION'} | {'NO_ALIAS'}
--       | {'RETIRED', microseconds} | {'HELD', sequence} | {'CONFLICT', current} | {'CURRENT'} (is the alias's version)
--       | {'CANARY', version} (another canary runs) | {'NO_CANARY'} (nothing to end)
--       | {'NOT_IN_FORCE', contract, fixtures} | {'NOT_ACCEPTED', 'rejected' or 'unjudged'}
-- Event <model> <sequence>
local aliases, canaries, holds, versions, record, verdicts, inForce, epoch, ledger = unpack(KEYS)
local channel, model, alias, version, weight, expected, gate, contract, fixtures, actor, reason, environment =
  unpack(ARGV)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local current = redis.call('HGET', aliases, alias)
local running = redis.call('HGET', canaries, alias)
local held = redis.call('HGET', holds, alias)
local known = redis.call('ZSCORE', versions, version)
local retired = redis.call('HGET', record, 'retiredAt')
local force = redis.call('HMGET', inForce, 'fingerprint', 'fixtureFingerprint', 'testedAs')
local verdict, testedBy = verdictInForce(verdicts, version, force)
local sequence = nextLine(epoch, ledger)

if not known then
  return { 'NO_VERSION' }
end
if not current then
  return { 'NO_ALIAS' }
end
if retired then
  return { 'RETIRED', retired }
end
if held then
  return { 'HELD', held }
end
if expected ~= '' and expected ~= current then
  return { 'CONFLICT', current }
end
local canary = running and string.sub(running, 1, 64)
if canary and canary ~= version then
  return { 'CANARY', canary }
end
if weight == '0' then
  if not canary then
    return { 'NO_CANARY' }
  end
else
  if current == version then
    return { 'CURRENT' }
  end
  local refusal = refusedByGate(gate, force, contract, fixtures, verdict)
  if refusal then
    return refusal
  end
  if running == version .. ' ' .. weight then
    return { 'SAME' }
  end
end

local action = weight == '0' and 'canary_end' or 'canary'
local earlier = gate == 'verdict' and testedBy ~= contract and testedBy or ''
announce(channel, model, sequence)
local at = append(epoch, ledger, sequence, action, {
  'alias', alias,
  'version', version,
  'actor', actor,
  'canaryWeight', weight,
  'contractFingerprint', contract,
  'previousContractFingerprint', earlier,
  'fixtureFingerprint', fixtures,
  'reason', reason,
  'environment', environment,
})
if weight == '0' then
  redis.call('HDEL', canaries, alias)
else
  redis.call('HSET', canaries, alias, version .. ' ' .. weight)
  redis.call('HSETNX', record, 'promotedAt', at)
end
return { 'OK', sequence, at, earlier }
