-- Puts a contract and its fixtures in force, if what is in force is still what the caller compared it with: published
-- plainly, or by agreeing to somebody else's proposal. A proposal of what comes into force has served its purpose.
-- KEYS  staging, fixtures, contract:<fingerprint>, contract, proposals, proposal:<fingerprint>, epoch, ledger
-- ARGV  channel, model, contract fingerprint, fixtures fingerprint ('' = none), number of staged parts, 'publish' or
--       'agree', expected fingerprint ('' = any, 'none' = none is in force), '1' where verdicts under what is in force
--       count for this one ('' = they do not), actor, reason ('' = none), environment ('' = none), evidence (JSON;
--       '' = none), then the contract's fields and values
-- Reply {'OK', sequence} | {'SAME'} (both are in force already) | {'NO_FIXTURES', parts found}
--       | {'CONFLICT', fingerprint ('' = none)} (is in force) | {'NO_PROPOSAL'} | {'OWN'} (the actor proposed it)
-- Event <model> <sequence>
local staging, fixtures, contract, inForce, proposals, proposal, epoch, ledger = unpack(KEYS)
local channel, model, fingerprint, fixtureFingerprint, parts, how, expected, stands, actor, reason, environment, evidence =
  unpack(ARGV, 1, 12)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local before = redis.call('HMGET', inForce, 'fingerprint', 'fixtureFingerprint', 'testedAs')
local proposed = redis.call('HMGET', proposal, 'proposedBy', 'fixtureFingerprint')
local whole = redis.call('HLEN', fixtures) > 0
local staged = redis.call('HLEN', staging)
local sequence = nextLine(epoch, ledger)
redis.call('HLEN', contract)
redis.call('ZCARD', proposals)

local same = before[1] == fingerprint and (before[2] or '') == fixtureFingerprint
if not same then
  if how == 'agree' then
    if not proposed[1] or (proposed[2] or '') ~= fixtureFingerprint then
      return { 'NO_PROPOSAL' }
    end
    if proposed[1] == actor then
      return { 'OWN' }
    end
  end
  if expected ~= '' and expected ~= (before[1] or 'none') then
    return { 'CONFLICT', before[1] or '' }
  end
end
if fixtureFingerprint ~= '' and not whole and (staged == 0 or staged ~= tonumber(parts)) then
  return { 'NO_FIXTURES', staged }
end
if not same then
  announce(channel, model, sequence)
end
if fixtureFingerprint ~= '' and not whole then
  redis.call('RENAME', staging, fixtures)
  redis.call('PERSIST', fixtures)
else
  redis.call('UNLINK', staging)
end

-- The text may differ in comments and spacing although the fingerprint is the same: the newest is kept.
redis.call('DEL', contract)
redis.call('HSET', contract, unpack(ARGV, 13))
if same then
  return { 'SAME' }
end

local changed = before[1] and before[1] ~= fingerprint
append(epoch, ledger, sequence, 'contract', {
  'contractFingerprint', fingerprint,
  'previousContractFingerprint', changed and before[1] or '',
  'actor', actor,
  'proposedBy', how == 'agree' and proposed[1] or '',
  'fixtureFingerprint', fixtureFingerprint,
  'reason', reason,
  'environment', environment,
  'evidenceJson', evidence,
})
redis.call('UNLINK', proposal)
redis.call('ZREM', proposals, fingerprint)
local testedAs = before[3] or ''
if changed then
  testedAs = stands == '1' and earlierThan(fingerprint, before[1] .. ' ' .. testedAs) or ''
end
redis.call('DEL', inForce)
redis.call('HSET', inForce, 'fingerprint', fingerprint)
if fixtureFingerprint ~= '' then
  redis.call('HSET', inForce, 'fixtureFingerprint', fixtureFingerprint)
end
if testedAs ~= '' then
  redis.call('HSET', inForce, 'testedAs', testedAs)
end
return { 'OK', sequence }
