-- Counts a wrong guess of a user code, as many times as codes are pending.
-- KEYS[1] the set of pending codes, KEYS[2] the counter; ARGV[1] its period in ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local met = redis.call('ZCOUNT', KEYS[1], string.format('%d', now), '+inf')
local spent = redis.call('INCRBY', KEYS[2], math.max(met, 1))
if redis.call('PTTL', KEYS[2]) < 0 then
    redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
return spent
