-- Undoes the last counted attempt. KEYS[1] the counter
if tonumber(redis.call('HGET', KEYS[1], 'tries') or 0) > 0 then
    redis.call('HINCRBY', KEYS[1], 'tries', -1)
    redis.call('HSET', KEYS[1], 'opens_at', 0)
end
