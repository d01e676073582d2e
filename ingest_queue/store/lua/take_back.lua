-- TAKE BACK: a slot that no worker claimed in time goes back, whatever became of the job's id in RQ.
-- ARGV 1 id
redis.call('DEL', K.job(''))
local at = clock()
local until_ms = redis.call('ZSCORE', K.slots, ARGV[1])
local job = load(ARGV[1])
if not until_ms or tonumber(until_ms) >= at or (job and job.token ~= '') then return 0 end
if job then
  free_slot(job)
  move(job, job.state)
else  -- the record was taken out of Redis by somebody else: its lane must go on
  local holders = redis.call('HGETALL', K.holders)
  for i = 1, #holders, 2 do
    if holders[i + 1] == ARGV[1] then
      free_slot({id = ARGV[1], lane = holders[i]})
      refresh_lane(holders[i], at)
    end
  end
end
admit(100)
return 1
