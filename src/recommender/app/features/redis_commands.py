"""The Lua scripts by which Redis does several things as one, in one round trip.

They build the names of keys from the version that is current, so they need one Redis (with any replicas), not
a Redis Cluster.
"""

# KEYS: the pointer to a version. ARGV: prefix, user id, movie ids.
# Returns version, profile, state of the user, states of the movies; nothing where there is no version.
READ = """
local version = redis.call('GET', KEYS[1])
if not version then return nil end
local base = ARGV[1] .. ':v' .. version .. ':'
local user = redis.call('HMGET', base .. 'user:' .. ARGV[2], 'profile', 'state')
local found = {version, user[1], user[2]}
for i = 3, #ARGV do
  found[i + 1] = redis.call('HGET', base .. 'movie:' .. ARGV[i], 'state')
end
return found
"""

# KEYS: the pointer to a version. ARGV: prefix, 'user' or 'movie', id. Returns version and log.
LOG = """
local version = redis.call('GET', KEYS[1])
if not version then return nil end
return {version, redis.call('GET', ARGV[1] .. ':v' .. version .. ':' .. ARGV[2] .. '-log:' .. ARGV[3])}
"""

# KEYS: the pointer to a version. ARGV: version, number of checks, (key, field, '' or '=' .. value) of each,
# then commands as number of words, words. Returns 1, or 0 where something is not as it was read.
COMMIT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local place = 3
for _ = 1, tonumber(ARGV[2]) do
  local value = redis.call('HGET', ARGV[place], ARGV[place + 1])
  if (value and '=' .. value or '') ~= ARGV[place + 2] then return 0 end
  place = place + 3
end
while place <= #ARGV do
  local words = tonumber(ARGV[place])
  redis.call(unpack(ARGV, place + 1, place + words))
  place = place + words + 1
end
return 1
"""

# KEYS: filling, last, old. ARGV: prefix, catalogue. Returns the new version.
BEGIN = """
local unfinished = redis.call('GET', KEYS[1])
if unfinished then redis.call('SADD', KEYS[3], unfinished) end
local version = redis.call('INCR', KEYS[2])
redis.call('SET', ARGV[1] .. ':v' .. version .. ':catalogue', ARGV[2])
redis.call('SET', KEYS[1], version)
return version
"""

# KEYS: filling, current, old, events. ARGV: version, number of events seen, events to keep.
# Returns 1; 0 where there are more events; -1 where the version was ended.
SWITCH = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('LLEN', KEYS[4]) ~= tonumber(ARGV[2]) then return 0 end
redis.call('DEL', KEYS[4])
for i = 3, #ARGV do redis.call('RPUSH', KEYS[4], ARGV[i]) end
local before = redis.call('GET', KEYS[2])
if before then redis.call('SADD', KEYS[3], before) end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
return 1
"""
