-- Counts a failed attempt to redeem an authorization code. The last allowed one ends the code.
-- KEYS[1] the code, KEYS[2] its counter; ARGV[1] the number of failures that end it
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then
    return 0
end
local failures = redis.call('INCR', KEYS[2])
if failures >= tonumber(ARGV[1]) then
    redis.call('DEL', KEYS[1], KEYS[2])
else
    redis.call('PEXPIRE', KEYS[2], left)
end
return failures
