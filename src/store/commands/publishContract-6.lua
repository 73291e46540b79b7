-- Puts a contract and its fixtures in force.
-- KEYS  staging, fixtures, contract:<fingerprint>, contract, epoch, ledger
-- ARGV  channel, model, contract fingerprint, fixtures fingerprint ('' = none), number of staged parts, actor,
--       reason ('' = none), environment ('' = none), then the contract's fields and values
-- Reply {'OK', sequence} | {'SAME'} (both are in force already) | {'NO_FIXTURES', parts found}
-- Event <model> <sequence>
local staging, fixtures, contract, inForce, epoch, ledger = unpack(KEYS)
local channel, model, fingerprint, fixtureFingerprint, parts, actor, reason, environment = unpack(ARGV, 1, 8)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local before = redis.call('HMGET', inForce, 'fingerprint', 'fixtureFingerprint')
local whole = redis.call('HLEN', fixtures) > 0
local staged = redis.call('HLEN', staging)
local sequence = nextLine(epoch, ledger)
redis.call('HLEN', contract)

if fixtureFingerprint ~= '' and not whole and (staged == 0 or staged ~= tonumber(parts)) then
  return { 'NO_FIXTURES', staged }
end
local same = before[1] == fingerprint and (before[2] or '') == fixtureFingerprint
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
redis.call('HSET', contract, unpack(ARGV, 9))
if same then
  return { 'SAME' }
end

append(epoch, ledger, sequence, 'contract', {
  'contractFingerprint', fingerprint,
  'actor', actor,
  'fixtureFingerprint', fixtureFingerprint,
  'reason', reason,
  'environment', environment,
})
redis.call('DEL', inForce)
redis.call('HSET', inForce, 'fingerprint', fingerprint)
if fixtureFingerprint ~= '' then
  redis.call('HSET', inForce, 'fixtureFingerprint', fixtureFingerprint)
end
return { 'OK', sequence }
