-- SUBMIT: a new job begins to wait. Its payload is there already, as an upload.
-- ARGV 1 the record's fields as JSON texts, 2 the first state, 3 upload or '',
--   4 JSON: digests by which the request is known when it comes again (key, body)
-- Returns the job's id; of a request that came again the first one's, and nothing is made; '' when the upload's time was over.
local at = clock()
local job = cjson.decode(ARGV[1])
if redis.call('EXISTS', K.job(job.id)) == 1 then return job.id end  -- the reply to the first call was lost

local BODY_S, SAME_MS = 604800, 30000
local once = cjson.decode(ARGV[4])
local function first_job(digest)
  local id = digest and redis.call('GET', K.once(job.account, digest))
  local first = id and load(id)
  return first and first.deleted ~= '1' and (first.deleted_at or '') == '' and first or nil
end
local first = first_job(once.key)
if first then return first.id end
first = first_job(once.body)
if first and (not S[first.state].rests or at - tonumber(first.created_at) < SAME_MS) then return first.id end

if ARGV[3] ~= '' then
  local stored = end_upload(ARGV[3], 'taken')
  if not stored then return '' end
  redis.call('PERSIST', K.payload(job.id, job.payload_name))
  job.stored_bytes = stored
end
if once.key then redis.call('SET', K.once(job.account, once.key), job.id, 'EX', C.once_s) end
if once.body then redis.call('SET', K.once(job.account, once.body), job.id, 'EX', BODY_S) end
job.round = next_round(job.lane, at)
to_the_end_of_its_lane(job)
job.created_at, job.queued_at = int(at), int(at)
move(job, ARGV[2])
admit(C.at_once)
return job.id
