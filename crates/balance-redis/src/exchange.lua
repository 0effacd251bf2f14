-- Exchanges slices of quotas: what Ledger::exchange in balance-core does, for several ledgers at once.
-- KEYS: a hash for each ledger: node -> "held wanted used until counts_until".
-- ARGV: now in ms (0: by the server's clock), the term in ms, how many silent holders are told apart;
-- then for each ledger: limit, node, used, wanted, counts_until.
-- Returns {held, holders} for each. All numbers are whole and less than 2^53, and so exact.
local now, term, most_gone = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if now == 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function holder_of(text)
  local held, wanted, used, ends, counts = text:match('(%d+) (%d+) (%d+) (%d+) (%d+)')
  return { held = tonumber(held), wanted = tonumber(wanted), used = tonumber(used),
           ends = tonumber(ends), counts = tonumber(counts) }
end

local function text_of(holder)
  return string.format('%.0f %.0f %.0f %.0f %.0f', holder.held, holder.wanted, holder.used,
                       holder.ends, holder.counts)
end

local function less(one, other)
  return math.max(one - other, 0)
end

local slices = {}
for index, ledger in ipairs(KEYS) do
  local at = 3 + (index - 1) * 5
  local limit, node = tonumber(ARGV[at + 1]), ARGV[at + 2]
  local used, wanted = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local counts = tonumber(ARGV[at + 5])

  -- Who says anything still.
  local live, gone, over = {}, {}, {}
  local fields = redis.call('HGETALL', ledger)
  for place = 1, #fields, 2 do
    local name, holder = fields[place], holder_of(fields[place + 1])
    holder.name = name
    if name == node then
      -- It speaks for itself.
    elseif holder.ends > now then
      live[#live + 1] = holder
    elseif holder.counts > now and holder.used > 0 then
      gone[#gone + 1] = holder
    else
      over[#over + 1] = name
    end
  end

  if #gone > most_gone then
    local nobody = { name = '0', held = 0, wanted = 0, used = 0, ends = 0, counts = 0 }
    for _, holder in ipairs(gone) do
      nobody.used = nobody.used + holder.used
      nobody.counts = math.max(nobody.counts, holder.counts)
      redis.call('HDEL', ledger, holder.name)
    end
    redis.call('HSET', ledger, '0', text_of(nobody))
    gone = { nobody }
  end

  local left = limit
  for _, holder in ipairs(gone) do left = less(left, holder.used) end
  local free = left
  for _, holder in ipairs(live) do free = less(free, holder.held) end
  local parts = #live + 1
  local rest = math.fmod(left, parts)
  local even = (left - rest) / parts
  if rest > 0 then even = even + 1 end
  local part = left
  for _, holder in ipairs(live) do part = less(part, math.min(holder.wanted, even)) end
  part = math.max(part, even)
  local held = math.max(math.min(wanted, part, free), used)

  for _, name in ipairs(over) do redis.call('HDEL', ledger, name) end
  local holder = { held = held, wanted = wanted, used = used, ends = now + term, counts = counts }
  redis.call('HSET', ledger, node, text_of(holder))
  local lasts = math.max(holder.ends, counts)
  for _, other in ipairs(live) do lasts = math.max(lasts, other.ends, other.counts) end
  for _, other in ipairs(gone) do lasts = math.max(lasts, other.counts) end
  redis.call('PEXPIRE', ledger, string.format('%.0f', lasts - now))
  slices[index] = { held, parts }
end
return slices
