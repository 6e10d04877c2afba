-- One step of the rate limiter that replicas share: a call, or a refusal by Mixcloud.
-- internal/ratelimit is the same algorithm in Go, with explanations; a test compares
-- the two. Times are microseconds of the server's clock, so the clocks of the replicas
-- may differ.
--
-- KEYS[1]  the limiter's hash
-- ARGV[1]  'take' or 'refused'
-- ARGV[2]  configured rate, calls per second; 0 for none
-- ARGV[3]  configured burst
-- ARGV[4]  refused: wait of the Retry-After, microseconds; 0 for none
-- ARGV[5]  refused: time since the call was sent, microseconds
-- Returns  take: 0 if the call is granted, else microseconds until the next attempt
--          refused: microseconds during which calls are blocked

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local base, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local s = {rate = base, ceiling = 0, age = 0, tokens = burst, filled = now, blocked = 0, pause = 0,
  refusal = 0, pending = 0, refused = 0, start = now, granted = 0, quiet = 1}
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do s[stored[i]] = tonumber(stored[i + 1]) end
if s.ceiling == 0 then s.rate = base end -- the configuration may have changed
local sent = now - tonumber(ARGV[5])
now = math.max(now, s.filled) -- the clock must not go back

local function growth() return math.min(math.max(30 / s.ceiling * 1000000, 60000000), 300000000) end

local function depth()
  if s.ceiling > 0 then return math.min(math.max(1, s.rate * 0.1), burst) end
  return burst
end

local function correct()
  local accepted = math.max(0, s.granted - s.refused)
  local passed = math.max(s.refusal - s.start, 1000000) / 1000000
  local used = s.rate
  if used == 0 then used = (accepted + s.refused) / passed end
  local few = s.quiet == 1 and accepted + s.refused <= 3
  if not few or s.rate > 0 then
    s.ceiling = used
    if not few then
      s.ceiling = math.min(used, math.max(math.sqrt(used * (accepted + 1) / passed), used * 0.125))
    end
    s.ceiling = math.max(s.ceiling, 0.05 / 0.7)
    s.rate, s.age = s.ceiling * 0.7, 0
  end
  s.pending, s.quiet = 0, 0
  s.start, s.granted = s.refusal, 0
  s.tokens, s.filled = math.min(1, burst), s.blocked
end

local function advance()
  local passed = math.max(0, now - math.max(s.filled, s.blocked))
  if s.ceiling > 0 then
    s.age = s.age + math.min(passed, 60000000)
    local x = s.age / growth() - 1
    s.rate = s.ceiling * (1 + (1 - 0.7) * x * x * x)
    if s.rate >= (base > 0 and base or 1000) then s.rate, s.ceiling = base, 0 end
  end
  local window = 1000000
  if s.ceiling > 0 then window = growth() / 2 end
  local gained = s.rate * passed / 1000000
  if s.rate == 0 and passed > 1000000 or s.rate > 0 and s.tokens + gained >= depth() + 1 then
    s.start, s.granted, s.quiet = now, 0, 1 -- the rate did not limit the calls
  elseif now - s.start > window then
    s.start = s.start + (now - s.start) / 2
    s.granted = s.granted / 2
  end
  s.tokens = math.min(depth(), s.tokens + gained)
  s.filled = now
end

local result = 0
if ARGV[1] == 'refused' then
  local wait = math.min(tonumber(ARGV[4]), 3600000000)
  if s.pending == 0 and sent >= s.refusal then
    if wait <= 0 then
      if s.pause > 0 and sent - s.blocked < s.pause then
        s.pause = math.min(2 * s.pause, 60000000)
      else
        s.pause = 1000000
      end
      wait = s.pause
    end
    s.pending, s.refusal, s.refused = 1, now, 0
  end
  s.refused = s.refused + s.pending
  s.blocked = math.max(s.blocked, now + math.max(wait, 0))
  result = math.max(0, s.blocked - now)
elseif s.blocked > now then
  result = s.blocked - now
else
  if s.pending == 1 then correct() end
  advance()
  if s.rate > 0 and s.tokens < 1 - 1e-9 then
    result = math.ceil((1 - s.tokens) / s.rate * 1000000)
  else
    if s.rate > 0 then s.tokens = s.tokens - 1 end
    s.granted = s.granted + 1
  end
end

local fields = {}
for name, number in pairs(s) do
  fields[#fields + 1] = name
  fields[#fields + 1] = string.format('%.17g', number)
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(s.blocked - now, 0) / 1000) + 3600000)
return string.format('%.0f', result)
