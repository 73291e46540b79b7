-- Stores a contract beside the one in force, for somebody else to agree to.
-- KEYS  staging, fixtures, contract, proposals, proposal:<fingerprint>, epoch, ledger
-- ARGV  channel, model, contract fingerprint, fixtures fingerprint ('' = none), number of staged parts, fingerprint in
--       force that it was compared with ('none' = none), most proposals, actor, reason ('' = none), environment
--       ('' = none), evidence (JSON; '' = none), then the contract's fields and values
-- Reply {'OK', sequence} | {'SAME'} (the actor has proposed just that) | {'IN_FORCE'} (is in force already)
--       | {'PROPOSED', name} (somebody else has proposed it) | {'CONFLICT', fingerprint ('' = none)} (is in force)
--       | {'FULL', proposals} | {'NO_FIXTURES', parts found}
-- Event <model> <sequence>
local staging, fixtures, inForce, proposals, proposal, epoch, ledger = unpack(KEYS)
local channel, model, fingerprint, fixtureFingerprint, parts, previous, most, actor, reason, environment, evidence =
  unpack(ARGV, 1, 11)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local before = redis.call('HMGET', inForce, 'fingerprint', 'fixtureFingerprint')
local proposed = redis.call('HMGET', proposal, 'proposedBy', 'fixtureFingerprint', 'previousContractFingerprint', 'reason')
local count = redis.call('ZCARD', proposals)
local whole = redis.call('HLEN', fixtures) > 0
local staged = redis.call('HLEN', staging)
local sequence = nextLine(epoch, ledger)

if before[1] == fingerprint and (before[2] or '') == fixtureFingerprint then
  return { 'IN_FORCE' }
end
if previous ~= (before[1] or 'none') then
  return { 'CONFLICT', before[1] or '' }
end
if proposed[1] and (proposed[2] or '') == fixtureFingerprint and (proposed[3] or 'none') == previous then
  if proposed[1] ~= actor then
    return { 'PROPOSED', proposed[1] }
  end
  if (proposed[4] or '') == reason then
    return { 'SAME' }
  end
end
if not proposed[1] and count >= tonumber(most) then
  return { 'FULL', count }
end
if fixtureFingerprint ~= '' and not whole and (staged == 0 or staged ~= tonumber(parts)) then
  return { 'NO_FIXTURES', staged }
end

announce(channel, model, sequence)
if fixtureFingerprint ~= '' and not whole then
  redis.call('RENAME', staging, fixtures)
  redis.call('PERSIST', fixtures)
else
  redis.call('UNLINK', staging)
end
local at = append(epoch, ledger, sequence, 'propose', {
  'contractFingerprint', fingerprint,
  'previousContractFingerprint', before[1] or '',
  'actor', actor,
  'fixtureFingerprint', fixtureFingerprint,
  'reason', reason,
  'environment', environment,
  'evidenceJson', evidence,
})
redis.call('DEL', proposal)
redis.call('HSET', proposal, 'proposedBy', actor, 'proposedAt', at, unpack(ARGV, 12))
if before[1] then
  redis.call('HSET', proposal, 'previousContractFingerprint', before[1])
end
if reason ~= '' then
  redis.call('HSET', proposal, 'reason', reason)
end
redis.call('ZADD', proposals, sequence, fingerprint)
return { 'OK', sequence }
