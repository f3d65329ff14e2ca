-- Polls a device code. A poll that comes too soon makes the interval longer while the code is pending.
-- KEYS[1] the request, [2] the decision, [3] attempts, [4] a mark of the last poll, [5] the interval;
-- ARGV[1] the first interval and [2] its growth in ms
-- Returns {request, decision, attempts, whether it came too soon}
local request, decision, attempts = unpack(redis.call('MGET', KEYS[1], KEYS[2], KEYS[3]))
if not request then
    return {false, decision, attempts, 0}
end
local interval = tonumber(redis.call('GET', KEYS[5]) or ARGV[1])
if redis.call('SET', KEYS[4], '', 'NX', 'PX', interval) then
    return {request, decision, attempts, 0}
end
if not decision then
    interval = interval + ARGV[2]
    redis.call('SET', KEYS[5], interval, 'PX', redis.call('PTTL', KEYS[1]))
    redis.call('SET', KEYS[4], '', 'PX', interval)
end
return {request, decision, attempts, 1}
