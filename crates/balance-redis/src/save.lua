-- Keeps notes under new revisions, each in place of what was kept of its subject.
-- KEYS: texts (hash), revisions (sorted set), ends (sorted set), the last revision.
-- ARGV: subject, text, and when it is over in ms (empty: never), for each note.
local texts, revisions, ends, revision = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

for _, subject in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('HDEL', texts, subject)
  redis.call('ZREM', revisions, subject)
  redis.call('ZREM', ends, subject)
end

for at = 1, #ARGV, 3 do
  local subject, text, over = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  redis.call('HSET', texts, subject, text)
  redis.call('ZADD', revisions, redis.call('INCR', revision), subject)
  if over == '' then
    redis.call('ZREM', ends, subject)
  else
    redis.call('ZADD', ends, over, subject)
  end
end
