-- Points an alias at a version, forward (promote) or back along its trail (rollback), if nobody holds the alias, it is
-- still where the caller saw it and the version has passed what is in force. A canary of the alias ends with it.
-- KEYS  aliases, canaries, holds, trail, versions, version, verdicts, contract, epoch, ledger
-- ARGV  channel, model, alias, version, 'promote' or 'rollback', expected ('' = any, 'none' = points nowhere),
--       gate ('' = none, 'none' = only while no contract is in force, 'verdict' = a passed one for what is in force), the
--       gate's contract and fixtures fingerprints, actor, reason ('' = none), environment ('' = none)
-- Reply {'OK', sequence, microseconds, previous version ('' = none), earlier contract whose verdict counted ('' = none)}
--       | {'SAME'} (pointed there already, without a canary)
--       | {'NO_VERSION'} | {'RETIRED', microseconds} | {'HELD', sequence} | {'CONFLICT', current ('' = none)}
--       | {'NOT_IN_FORCE', contract, fixtures} | {'NOT_ACCEPTED', 'rejected' or 'unjudged'} | {'NOT_IN_TRAIL'}
--       | {'CANARY', version} (points there already, and a canary has calls of it)
-- Event <model> <sequence>
local aliases, canaries, holds, trail, versions, record, verdicts, inForce, epoch, ledger = unpack(KEYS)
local channel, model, alias, version, action, expected, gate, contract, fixtures, actor, reason, environment =
  unpack(ARGV)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local current = redis.call('HGET', aliases, alias)
local canary = redis.call('HGET', canaries, alias)
local held = redis.call('HGET', holds, alias)
local known = redis.call('ZSCORE', versions, version)
local retired = redis.call('HGET', record, 'retiredAt')
local place = redis.call('LPOS', trail, version)
local force = redis.call('HMGET', inForce, 'fingerprint', 'fixtureFingerprint', 'testedAs')
local verdict, testedBy = verdictInForce(verdicts, version, force)
local sequence = nextLine(epoch, ledger)

if not known then
  return { 'NO_VERSION' }
end
if retired then
  return { 'RETIRED', retired }
end
if held then
  return { 'HELD', held }
end
if (expected == 'none' and current) or (expected ~= '' and expected ~= 'none' and expected ~= current) then
  return { 'CONFLICT', current or '' }
end
local refusal = refusedByGate(gate, force, contract, fixtures, verdict)
if refusal then
  return refusal
end
if current == version then
  if canary then
    return { 'CANARY', string.sub(canary, 1, 64) }
  end
  return { 'SAME' }
end
if action == 'rollback' and not place then
  return { 'NOT_IN_TRAIL' }
end

local earlier = gate == 'verdict' and testedBy ~= contract and testedBy or ''
announce(channel, model, sequence)
local at = append(epoch, ledger, sequence, action, {
  'alias', alias,
  'version', version,
  'actor', actor,
  'previousVersion', current or '',
  'contractFingerprint', contract,
  'previousContractFingerprint', earlier,
  'fixtureFingerprint', fixtures,
  'reason', reason,
  'environment', environment,
})
if action == 'rollback' then
  -- What lies before the place is undone: the next rollback goes on from there.
  redis.call('LTRIM', trail, place + 1, -1)
elseif current then
  redis.call('LPUSH', trail, current)
end
redis.call('HSET', aliases, alias, version)
redis.call('HDEL', canaries, alias)
redis.call('HSETNX', record, 'promotedAt', at)
return { 'OK', sequence, at, current or '', earlier }
