-- Marks a jti as seen. A jti issued before the bucket's epoch may have been seen and forgotten. A server that has
-- lost its data sets the epoch to its own time.
-- KEYS[1] the mark, KEYS[2] the bucket's epoch; ARGV[1] iat and ARGV[2] margin in seconds, ARGV[3] lifetime in ms
-- Returns {'new' | 'seen' | 'unknown', whether the epoch was missing, the server's replication id}
local epoch = tonumber(redis.call('GET', KEYS[2]) or '')
local was_missing = not epoch
if was_missing then
    epoch = tonumber(redis.call('TIME')[1])
    redis.call('SET', KEYS[2], epoch)
end
local memory = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if tonumber(ARGV[1]) < epoch + tonumber(ARGV[2]) then
    local verdict = redis.call('EXISTS', KEYS[1]) == 1 and 'seen' or 'unknown'
    return {verdict, was_missing and 1 or 0, memory}
end
local added = redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[3])
return {added and 'new' or 'seen', was_missing and 1 or 0, memory}
