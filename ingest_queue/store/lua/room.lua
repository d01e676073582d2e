-- Whether an index is missing that must exist for an upload of which nothing is stored yet; `room`: see take_room.
local function misses_index(upload, room)
  return room.index and redis.call('HEXISTS', K.uploads, upload) == 0
    and redis.call('HEXISTS', K.indexes(room.account), room.index) == 0
end

-- An upload takes room in the budget of payload bytes before a chunk is written.
-- `room`: stored, its bytes with this chunk; chunk, this chunk's; budget; ceiling, the share of maxmemory that may be in
--   use; and account and index, when that index must exist. The total is absolute: a repeated call changes nothing.
-- Returns 'ok', 'full' (the budget), 'gone' (its time was over, its first chunks are not there any more), or for a first
-- chunk 'no_index', or 'near' (Redis is near its limit).
local function take_room(upload, room)
  local before = redis.call('HGET', K.uploads, upload)
  if not before then
    if room.stored ~= room.chunk then return 'gone' end
    if misses_index(upload, room) then return 'no_index' end
    local memory = redis.call('INFO', 'memory')
    local limit = tonumber(memory:match('\nmaxmemory:(%d+)'))
    if limit > 0 and tonumber(memory:match('\nused_memory:(%d+)')) > room.ceiling * limit then return 'near' end
  end
  local wanted = room.stored - tonumber(before or 0)
  if tonumber(redis.call('GET', K.bytes) or 0) + wanted > room.budget then return 'full' end
  redis.call('HSET', K.uploads, upload, int(room.stored))
  redis.call('INCRBY', K.bytes, int(wanted))
  return 'ok'
end
