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
local sequence = nextLine(epoch, ledger)
redis.call('HLEN', verdicts)
if not known then
  return { 'NO_VERSION' }
end

announce(channel, model, sequence)
append(epoch, ledger, sequence, action, {
  'version', version,
  'actor', actor,
  'contractFingerprint', contract,
  'fixtureFingerprint', fixtures,
  'evidenceJson', evidence,
  'reason', reason,
  'environment', environment,
})
redis.call('HSET', verdicts, field, verdict)
return { 'OK', sequence }
