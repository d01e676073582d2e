-- RESERVE: an upload takes room before it writes a chunk.
-- ARGV 1 upload (id:name), 2 room as JSON, see take_room, 3 the upload's time to live in ms
-- Returns a word of take_room.
local word = take_room(ARGV[1], cjson.decode(ARGV[2]))
if word == 'ok' then redis.call('ZADD', K.expires, int(clock() + tonumber(ARGV[3])), 'upload:' .. ARGV[1]) end
return word
