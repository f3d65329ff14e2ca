-- Adds a code to a set of pending codes. Codes leave the set when they expire.
-- KEYS[1] the set; ARGV[1] the code, ARGV[2] its lifetime in ms, ARGV[3] the maximum number of codes, 0: none
-- Returns whether the code was added
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local most = tonumber(ARGV[3])
if most > 0 and redis.call('ZCARD', KEYS[1]) >= most then
    return 0
end
redis.call('ZADD', KEYS[1], string.format('%d', now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
