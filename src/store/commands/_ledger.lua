-- What stands before every script.

-- The number of the line that a change will add. Reads both keys, so that one of another type stops the script.
local function nextLine(epoch, ledger)
  redis.call('XLEN', ledger)
  return tonumber(redis.call('GET', epoch) or '0') + 1
end

-- Tells servers of the change. Before the first write: a user who may not publish, or not on this channel, stops the
-- script before it has written.
local function announce(channel, model, sequence)
  redis.call('PUBLISH', channel, model .. ' ' .. sequence)
end

-- Adds a line to the ledger. Fields are names and values by turns; those whose value is '' are left out.
-- Returns microseconds since the epoch.
local function append(epoch, ledger, sequence, action, fields)
  local time = redis.call('TIME')
  local at = time[1] .. string.format('%06d', time[2])
  local line = { 'action', action, 'at', at }
  for i = 1, #fields, 2 do
    if fields[i + 1] ~= '' then
      line[#line + 1] = fields[i]
      line[#line + 1] = fields[i + 1]
    end
  end
  redis.call('XADD', ledger, sequence .. '-0', unpack(line))
  redis.call('SET', epoch, sequence)
  return at
end

-- Contracts before `fingerprint` whose verdicts count for it, newest first, each once, with spaces between.
-- names: those that may be among them
local MOST_EARLIER = 32
local function earlierThan(fingerprint, names)
  local seen, kept = { [fingerprint] = true }, {}
  for name in string.gmatch(names, '%S+') do
    if not seen[name] and #kept < MOST_EARLIER then
      seen[name] = true
      kept[#kept + 1] = name
    end
  end
  return table.concat(kept, ' ')
end

-- The verdict that counts for what is in force, and the contract that it was given under: the one in force, or else the
-- latest before it that differs from it in nothing that was tested. Nothing where there is none.
-- inForce: fingerprint, fixtures' fingerprint and earlier contracts
local function verdictInForce(verdicts, version, inForce)
  for contract in string.gmatch((inForce[1] or '') .. ' ' .. (inForce[3] or ''), '%S+') do
    local verdict = redis.call('HGET', verdicts, version .. ':' .. contract .. ':' .. (inForce[2] or ''))
    if verdict then
      return verdict, contract
    end
  end
end

-- Why an alias may not lead to a version, as a reply; nothing where it may.
-- gate: 'verdict'; '' for no gate, 'none' for only while no contract is in force
local function refusedByGate(gate, inForce, contract, fixtures, verdict)
  if gate == '' then
    return nil
  end
  if gate == 'none' then
    return inForce[1] and { 'NOT_IN_FORCE', inForce[1], inForce[2] or '' } or nil
  end
  if inForce[1] ~= contract or inForce[2] ~= fixtures then
    return { 'NOT_IN_FORCE', inForce[1] or '', inForce[2] or '' }
  end
  if not verdict then
    return { 'NOT_ACCEPTED', 'unjudged' }
  end
  return cmsgpack.unpack(verdict).accepted ~= true and { 'NOT_ACCEPTED', 'rejected' } or nil
end

-- Which member of an ensemble is not a version in reach, as a reply; nothing where all are.
-- members: digests with spaces between; '' for none. record: the key of the ensemble's own: a member's is the same but
-- for the digest, and so has the same hash tag
local function missingMember(members, versions, record)
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

