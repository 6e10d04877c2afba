-- One call's turn under the pace that replicas share, or the news that Mixcloud
-- has refused one. bucket.go is the same in Go; a test holds them against each
-- other. Times are microseconds of the server's clock, so replicas need not
-- agree on theirs.
--
-- KEYS[1]  the pace's hash
-- ARGV[1]  'take' or 'refused'
-- ARGV[2]  configured rate, calls a second; 0 for none
-- ARGV[3]  configured burst
-- ARGV[4]  refused: for how long, microseconds
-- Returns  take: 0, or microseconds until it is worth asking again
--          refused: microseconds until calls are taken again

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local base, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local s = {rate = base, limited = 0, tokens = burst, filled = now, silent = 0, grown = 0, second = 0, count = 0, before = 0}
local kept = redis.call('HGETALL', KEYS[1])
for i = 1, #kept, 2 do s[kept[i]] = tonumber(kept[i + 1]) end
now = math.max(now, s.filled) -- a clock that was set back stands still

local function fill()
  local depth = burst
  if s.limited > 0 then
    s.rate = s.rate + math.max(0.05, 0.02 * s.limited) * math.max(now - s.grown, 0) / 1000000
    s.grown = math.max(now, s.grown)
    if base > 0 and s.rate >= base then
      s.rate, s.limited = base, 0
    else
      depth = math.min(math.max(1, s.rate / 10), burst)
    end
  end
  s.tokens = math.min(depth, s.tokens + s.rate * math.max(now - math.max(s.filled, s.silent), 0) / 1000000)
  s.filled = now
end

local function window()
  local gone = now - s.second
  if gone >= 2000000 then
    s.second, s.count, s.before = now, 0, 0
  elseif gone >= 1000000 then
    s.second, s.before, s.count = s.second + 1000000, s.count, 0
  end
end

local answer = 0
if ARGV[1] == 'refused' then
  if s.silent <= now then -- others may bring the news of the same refusal
    window()
    local seen = s.count + s.before * (1 - (now - s.second) / 1000000)
    local was = s.rate
    if seen > 3 and (was == 0 or seen < was) then was = seen end -- so few were not refused for their rate
    if was > 0 then
      s.limited = math.max(was, 0.2)
      s.rate = math.max(was * 0.7, 0.2)
    end
  end
  s.silent = math.max(s.silent, now + tonumber(ARGV[4]))
  s.tokens, s.filled, s.grown = math.min(1, burst), now, s.silent
  answer = s.silent - now
elseif s.silent > now then
  answer = s.silent - now
else
  if s.rate > 0 then
    fill()
    if s.tokens >= 1 - 1e-9 then
      s.tokens = s.tokens - 1
    else
      answer = math.ceil((1 - s.tokens) / s.rate * 1000000)
    end
  end
  if answer == 0 then
    window()
    s.count = s.count + 1
  end
end

local fields = {}
for name, number in pairs(s) do
  fields[#fields + 1] = name
  fields[#fields + 1] = string.format('%.17g', number)
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(s.silent - now, 0) / 1000) + 3600000)
return string.format('%.0f', answer)
