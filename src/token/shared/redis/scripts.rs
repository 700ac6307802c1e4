//! What must happen in one step, as Lua that runs in Redis.

/// Deletes `KEYS[1]` if its value is `ARGV[1]`. Answers 1 when it did.
pub(super) const REMOVE: &str = "\
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then return 0 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";

/// Sets `KEYS[1]` to `ARGV[1]` for `ARGV[2]` milliseconds unless another value is
/// there. Answers 1 when it is set. What is there without an end, or longer than a
/// lease may last, is no lease and is replaced.
pub(super) const LEASE: &str = "\
if redis.call('TYPE', KEYS[1]).ok == 'string' then
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 and left <= 60000 then
    if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1";
