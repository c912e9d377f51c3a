--- Talking with a process: its input and both outputs at once, to its end.
-- @module quoll.process.communicate

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local scope = require("quoll.task.scope").scope

local raw = core.process

local communicate = {}

local MAX_OUTPUT = 16 * 1024 * 1024
local PIECE = 65536

-- What a pipe has given so far.
local function collector(pipe, max, overflow)
  local output = { pipe = pipe, size = 0 }
  -- false: the pipe has ended, or nothing came in time, or too much has
  function output.read()
    local piece = pipe:receiveany(PIECE)
    if not piece then
      return false
    end
    output.size = output.size + #piece
    output[#output + 1] = piece
    if output.size > max then
      overflow()
      return false
    end
    return true
  end
  return output
end

local function collect(output)
  while output.read() do end -- luacheck: ignore
end

local function feed(pipe, input)
  if input then
    pipe:send(input) -- one that reads no more of it is not at fault
  end
  pipe:close()
end

-- The process has ended, so what it wrote is all there; a child of its own that
-- holds the pipe is not waited for.
local function text_of(output)
  if not output then
    return ""
  end
  output.pipe:settimeout(0)
  collect(output)
  output.pipe:close()
  return table.concat(output)
end

local function outputs_of(proc, max)
  local state = {}
  local function overflow()
    state.overflow = true
    raw.kill(proc, "SIGKILL")
  end
  for _, name in ipairs { "stdout", "stderr" } do
    state[name] = proc[name] and collector(proc[name], max, overflow)
  end
  return state
end

local function check_max(max, method)
  if max ~= nil and (type(max) ~= "number" or max < 0 or max ~= max) then
    core.bad_argument(max, "max_output", method, "a number of bytes")
  end
  return max or MAX_OUTPUT
end

--- As Process:communicate.
function communicate.run(proc, input, max, method)
  local state = outputs_of(proc, check_max(max, method))
  if input ~= nil and not proc.stdin then
    core.raise(("bad argument 'input' to '%s' (stdin is no pipe)")
      :format(method))
  end
  local ok, reason, status, timeout = scope(function(s)
    if proc.stdin then
      s:background(feed, proc.stdin, input)
    end
    for _, name in ipairs { "stdout", "stderr" } do
      if state[name] then
        s:background(collect, state[name])
      end
    end
    return finish(raw.wait(proc))
  end)
  if state.overflow then
    return nil, "too much output", "EMSGSIZE"
  elseif ok == nil then
    return nil, reason, status
  end
  local out, err = text_of(state.stdout), text_of(state.stderr)
  if state.overflow then
    return nil, "too much output", "EMSGSIZE"
  end
  return out, err, ok, reason, status, timeout
end

local function done(proc, ok, ...)
  proc:close()
  if not ok then
    error((...), 0)
  end
  return ...
end

--- The same for a process that nobody else has; closes it.
function communicate.to_the_end(proc, input, max)
  return done(proc, pcall(communicate.run, proc, input, max, "run"))
end

return communicate
