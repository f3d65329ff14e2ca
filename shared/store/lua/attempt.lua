-- Counts an attempt before it is made, unless the wait of the last one is not over.
-- KEYS[1] the counter; ARGV[1] free attempts, waits in ms: [2] the first, [3] the longest, [4] forgotten after;
-- [5] attempts and [6] end of the wait as the caller remembers them, in case this server has lost its data
-- Returns {ms to wait or 0, attempts, end of the wait}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counter = redis.call('HMGET', KEYS[1], 'tries', 'opens_at')
local tries = tonumber(counter[1] or '') or tonumber(ARGV[5])
local opens_at = tonumber(counter[2] or '') or tonumber(ARGV[6])
if now < opens_at then
    return {opens_at - now, tries, opens_at}
end
tries = tries + 1
opens_at = 0
if tries >= tonumber(ARGV[1]) then
    local doubled = math.min(tries - ARGV[1], 30)
    opens_at = now + math.min(ARGV[2] * 2 ^ doubled, tonumber(ARGV[3]))
end
redis.call('HSET', KEYS[1], 'tries', tries, 'opens_at', string.format('%d', opens_at))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {0, tries, opens_at}
