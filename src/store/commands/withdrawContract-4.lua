-- Takes a proposal back. Its fixtures stay: others may have been judged by the same rows.
-- KEYS  proposals, proposal:<fingerprint>, epoch, ledger
-- ARGV  channel, model, contract fingerprint, actor, reason ('' = none), environment ('' = none)
-- Reply {'OK', sequence, microseconds, who had proposed it} | {'NO_PROPOSAL'}
-- Event <model> <sequence>
local proposals, proposal, epoch, ledger = unpack(KEYS)
local channel, model, fingerprint, actor, reason, environment = unpack(ARGV)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local proposedBy = redis.call('HGET', proposal, 'proposedBy')
local sequence = nextLine(epoch, ledger)
redis.call('ZCARD', proposals)
if not proposedBy then
  return { 'NO_PROPOSAL' }
end

announce(channel, model, sequence)
local at = append(epoch, ledger, sequence, 'withdraw', {
  'contractFingerprint', fingerprint,
  'actor', actor,
  'proposedBy', proposedBy,
  'reason', reason,
  'environment', environment,
})
redis.call('UNLINK', proposal)
redis.call('ZREM', proposals, fingerprint)
return { 'OK', sequence, at, proposedBy }
