-- SUBMIT: a new job begins to wait. Its payload is there already, as an upload.
-- ARGV 1 the record's fields as JSON texts, 2 the first state, 3 upload or ''
-- Returns 'ok', or 'gone' when the upload's time was over.
local at = clock()
local job = cjson.decode(ARGV[1])
if redis.call('EXISTS', K.job(job.id)) == 1 then return 'ok' end  -- the reply to the first call was lost
if ARGV[3] ~= '' then
  local stored = end_upload(ARGV[3], 'taken')
  if not stored then return 'gone' end
  redis.call('PERSIST', K.payload(job.id, job.payload_name))
  job.stored_bytes = stored
end
job.round = next_round(job.lane, at)
to_the_end_of_its_lane(job)
job.created_at, job.queued_at = int(at), int(at)
move(job, ARGV[2])
admit(C.at_once)
return 'ok'
