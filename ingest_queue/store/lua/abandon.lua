-- ABANDON: an upload that will not become a payload gives its bytes back at once. One that a job has taken over is
-- that job's payload, also when whoever sent it never learned so: nothing happens.
-- ARGV 1 upload (id:name)
redis.call('DEL', K.job(''))
local stored = end_upload(ARGV[1], 'abandoned')
if not stored then return 0 end
give_back_bytes(stored)
return redis.call('UNLINK', K.payload(ARGV[1]:match('^(.*):(.*)$')))
