--- What a process is started with: the options of a script, checked.
-- @module quoll.process.plan

local core = require "quoll.core"
local options = require "quoll.options"

local bad, raise = core.bad_argument, core.raise

local plan = {}

local EXEC = {
  shell = "boolean", stdin = true, stdout = true, stderr = true, fds = "table",
  cwd = "string", env = "table", setenv = "table", umask = "number",
  pgroup = "boolean", setsid = "boolean", uid = "number", gid = "number",
  timeout = "number", signal = true, grace = "number",
}
local GRACE = 5 -- s

local PIPE, NULL, STDOUT = -2, -3, -4 -- QL_SPAWN_*
local MAX_FD = 1023

local function text(value, name, method)
  local t = type(value)
  if (t ~= "string" and t ~= "number") or tostring(value):find("%z") then
    bad(value, name, method, "a string without a zero byte")
  end
  return tostring(value)
end

local function arguments(argv, shell, method)
  if shell then
    return { "/bin/sh", "-c", text(argv, "command", method) }
  elseif type(argv) == "string" then
    raise(("bad argument 'argv' to '%s' (expected an array; a string only with"
      .. " shell = true)"):format(method))
  elseif type(argv) ~= "table" or #argv == 0 then
    bad(argv, "argv", method, "an array with a program")
  end
  local list = {}
  for i = 1, #argv do
    list[i] = text(argv[i], "argv", method)
  end
  return list
end

local function set_variables(env, changes, method)
  for name, value in pairs(changes) do
    if type(name) ~= "string" or name == "" or name:find("[=%z]") then
      bad(name, "env", method, "names without '='")
    end
    env[name] = value and text(value, "env", method) or nil
  end
end

-- {"NAME=value", ...}; nil: ours as it is.
local function environment(opts, method)
  if not opts.env and not opts.setenv then
    return nil
  end
  local env, list = {}, {}
  if opts.env then
    set_variables(env, opts.env, method)
  else
    for _, entry in ipairs(core.process.environment()) do
      local name, value = entry:match "^([^=]+)=(.*)$"
      env[name or entry] = value
    end
  end
  set_variables(env, opts.setenv or {}, method)
  for name, value in pairs(env) do
    list[#list + 1] = name .. "=" .. value
  end
  table.sort(list)
  return list
end

local words = { pipe = PIPE, null = NULL, stdout = STDOUT }

local function source(value, target, name, method)
  if value == "inherit" then
    return target
  elseif type(value) == "string" then
    local word = words[value]
    if not word or (word == PIPE and target > 2)
      or (word == STDOUT and target ~= 2) then
      bad(value, name, method, target == 2
        and "'inherit', 'pipe', 'null', 'stdout', a descriptor, a connection"
          .. " or a file"
        or "'inherit', 'pipe', 'null', a descriptor, a connection or a file")
    end
    return word
  elseif type(value) == "number" then
    if value < 0 or value % 1 ~= 0 then
      bad(value, name, method, "a descriptor")
    end
    return value
  elseif type(value) ~= "userdata" then
    bad(value, name, method, "a descriptor, a connection or a file")
  end
  return value
end

-- {target, source, ...}
local function descriptors(opts, method)
  local list = {}
  for target, name in ipairs { "stdout", "stderr" } do
    list[#list + 1] = target
    list[#list + 1] = source(opts[name] or "inherit", target, name, method)
  end
  list[#list + 1] = 0
  list[#list + 1] = source(opts.stdin or "inherit", 0, "stdin", method)
  for target, value in pairs(opts.fds or {}) do
    if type(target) ~= "number" or target < 3 or target > MAX_FD
      or target % 1 ~= 0 then
      bad(target, "fds", method, "descriptors from 3 to " .. MAX_FD)
    end
    list[#list + 1] = target
    list[#list + 1] = source(value, target, "fds", method)
  end
  return list
end

local function nanoseconds(s, name, method)
  if s < 0 or s ~= s then
    bad(s, name, method, "seconds, 0 or more")
  end
  return s < 1e9 and math.ceil(s * 1e9) or 1e18
end

local function whole(value, name, max, method)
  if value and (value < 0 or value > max or value % 1 ~= 0) then
    bad(value, name, method, "a whole number from 0 to " .. max)
  end
  return value
end

--- The plan for core.process.exec; raises at the caller's line.
function plan.make(argv, given, method)
  local opts = options.check(given, EXEC, method)
  local signal = opts.signal or "TERM"
  return {
    argv = arguments(argv, opts.shell, method),
    env = environment(opts, method),
    cwd = opts.cwd and text(opts.cwd, "cwd", method),
    fds = descriptors(opts, method),
    umask = whole(opts.umask, "umask", 511, method),
    uid = whole(opts.uid, "uid", 2 ^ 32 - 2, method),
    gid = whole(opts.gid, "gid", 2 ^ 32 - 2, method),
    pgroup = opts.pgroup, setsid = opts.setsid,
    timeout = opts.timeout and nanoseconds(opts.timeout, "timeout", method),
    grace = nanoseconds(opts.grace or GRACE, "grace", method),
    signal = type(signal) == "number" and whole(signal, "signal", 64, method)
      or type(signal) == "string" and core.process.signal_number(signal)
      or bad(signal, "signal", method, "a signal"),
  }
end

--- Options of run: those of exec with its own taken out, {input, max_output}.
function plan.of_run(given)
  if given ~= nil and type(given) ~= "table" then
    bad(given, "options", "run", "a table")
  end
  local opts, own = {}, {}
  for name, value in pairs(given or {}) do
    if name == "input" or name == "max_output" then
      own[name] = value
    else
      opts[name] = value
    end
  end
  opts.stdin = opts.stdin or (own.input and "pipe" or "null")
  opts.stdout = opts.stdout or "pipe"
  opts.stderr = opts.stderr or "pipe"
  return opts, own
end

return plan
