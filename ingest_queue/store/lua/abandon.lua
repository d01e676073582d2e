-- ABANDON: an upload that will not become a payload gives its bytes back at once.
-- ARGV 1 upload (id:version)
redis.call('DEL', K.job(''))
give_back_bytes(redis.call('HGET', K.uploads, ARGV[1]))
redis.call('HDEL', K.uploads, ARGV[1])
redis.call('ZREM', K.expires, 'upload:' .. ARGV[1])
return redis.call('UNLINK', K.payload(ARGV[1]:match('^(.*):(.*)$')))
