-- Gives a bucket of replay marks an epoch, unless it has one.
-- KEYS[1] the bucket's epoch; ARGV[1] seconds
-- Returns the server's replication id
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
