--- The graceful stop.
-- Listeners close, what is idle ends, the other tasks have some time.
-- @module quoll.stop

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local stop = {}

local hooks = {}

--- Has fn() called when a stop begins, before idle tasks are told; it must not
-- wait. For what keeps connections of its own.
-- @func fn
function stop.hook(fn)
  hooks[#hooks + 1] = fn
end

local function begin(grace)
  if not core.stop_begin(grace) then
    return
  end
  for _, fn in ipairs(hooks) do
    local ok, err = pcall(fn)
    if not ok then
      core.log_lines("error", "stop: ", err)
    end
  end
  core.stop_tell()
end

--- Begins a graceful stop and returns. Listeners accept no more; what idles
-- (`conn:idle`, `quoll.stopping(s)`, `quoll.timer.every`, the connections in
-- pools) ends. When every task has ended, `quoll.run` and `quoll.serve` return
-- as usual. After `grace` seconds the tasks that are left, and then the main
-- chunk, are cancelled, as by a signal. Of several calls the earliest end
-- counts.
-- @number[opt] grace seconds; nil, math.huge: as long as it takes
function stop.stop(grace)
  begin(grace)
end

--- Whether a stop has begun. With s it waits for that.
-- @number[opt] s seconds at most
-- @treturn boolean
function stop.stopping(s)
  return finish(core.stopping(s))
end

core.on_signalled(begin)

return stop
