-- Tells the notes that were saved after a revision and are not over, the oldest first.
-- KEYS: texts (hash), revisions (sorted set), ends (sorted set), the last revision.
-- ARGV: the revision, how many at the most.
-- Returns the revision of the last one told, or the latest if there is none; and {subject, text, end}
-- for each, the end in ms or empty.
local texts, revisions, ends, revision = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local since, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local latest = tonumber(redis.call('GET', revision) or '0')
if since > latest then since = 0 end

local notes = {}
while #notes == 0 do
  local after = '(' .. string.format('%.0f', since)
  local found = redis.call('ZRANGEBYSCORE', revisions, after, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
  if #found == 0 then
    since = latest
    break
  end
  for place = 1, #found, 2 do
    local subject = found[place]
    since = tonumber(found[place + 1])
    local over = redis.call('ZSCORE', ends, subject)
    local text = redis.call('HGET', texts, subject)
    if text and (not over or tonumber(over) > now) then
      notes[#notes + 1] = { subject, text, over and string.format('%.0f', tonumber(over)) or '' }
    end
  end
end
return { since, notes }
