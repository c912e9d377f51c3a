--- For specs under busted: every test is a task with a deadline, and what it
-- leaves behind fails it.
--
--     require("quoll.busted").install { deadline = 5 }
--
-- before_each, the test, its `finally` and after_each run one after the other
-- in one task: what one of them opens or spawns is there for the next. After
-- the last one the task is cancelled.
-- @module quoll.busted

local options = require "quoll.options"
local leaks = require "quoll.busted.leaks"
local job = require "quoll.busted.job"

local DEADLINE = 5
local PATIENCE = 1 -- seconds for what ends by itself after a test

local helper = {}

local function check_test(settings, default)
  return options.check(settings, { deadline = "number" }, "it").deadline
    or default
end

-- The test that runs now; it begins with its first before_each.
local function begin(state)
  if not state.test then
    state.test = job.test(leaks.measure())
  end
  return state.test
end

-- A function that busted calls in the main chunk for fn, in fn's environment.
local function in_task(state, fn)
  return setfenv(function()
    begin(state):run(fn, state.deadline)
  end, getfenv(fn))
end

-- Calls every function, whatever others raise; raises the first error.
local function each(list, ...)
  local failed, err = false, nil
  for _, fn in ipairs(list) do
    local ok, why = pcall(fn, ...)
    if not ok and not failed then
      failed, err = true, why
    end
  end
  if failed then
    error(err, 0)
  end
end

-- Ends the test's task, and looks at what is left.
local function finish(state)
  local ending = begin(state)
  state.test = nil
  ending:close(state.deadline)
  ending:check(ending.name)
  local left = leaks.left(ending.before, state.patience)
  if left then
    state.busted.fail(("%s: %sleft over: %s"):format(ending.place,
      ending.name and ending.name .. ": " or "", left), 0)
  end
end

-- What busted calls as the test: fn, what it gave to busted's `finally`, and,
-- when no after_each will come, the end.
local function body(state, name, fn, deadline)
  local this, finally = begin(state), nil
  local env, place = getfenv(fn), debug.getinfo(fn, "S")
  this.name = name
  this.place = place.short_src .. ":" .. place.linedefined
  if env ~= _G and env.finally then
    function env.finally(last)
      finally = last
    end
  end
  each({
    function() this:run(fn, deadline, { ends = true }) end,
    function() return finally and this:run(finally, deadline) end,
    function() return not state.fixtures and finish(state) end,
  }, state)
end

local function test(state, name, settings, fn)
  if fn == nil then
    settings, fn = nil, settings
  end
  if type(fn) ~= "function" then
    return state.busted.it(name, fn)
  end
  local deadline = check_test(settings, state.deadline)
  return state.busted.it(name, setfenv(function()
    body(state, name, fn, deadline)
  end, getfenv(fn)))
end

-- busted calls what stands beside install in the order in which it stands
-- there; the end of the test comes behind all of it.
local function after_each(state, fn)
  state.fixtures = true
  if debug.getinfo(3, "f").func == state.caller then
    state.last[#state.last + 1] = in_task(state, fn)
  else
    return state.busted.after_each(in_task(state, fn))
  end
end

--- Makes every `it` (`spec`, `test`), `before_each` and `after_each` from here
-- to the end of the file, or of the `describe` that calls this, run in a task.
-- @tparam[opt] table settings `deadline`: seconds for each of them (5);
-- `it(name, { deadline = s }, fn)` has its own; `patience`: seconds that what
-- ends by itself has after a test before it counts as left over (1)
function helper.install(settings)
  local busted = require "busted"
  local env = getfenv(2)
  local given = options.check(settings,
    { deadline = "number", patience = "number" }, "install")
  local state = {
    busted = busted,
    caller = debug.getinfo(2, "f").func,
    deadline = given.deadline or DEADLINE,
    patience = given.patience or PATIENCE,
    last = {},
  }
  job.init(busted)
  local function it(name, ...)
    return test(state, name, ...)
  end
  env.it, env.spec, env.test = it, it, it
  function env.before_each(fn)
    busted.before_each(in_task(state, fn))
  end
  function env.after_each(fn)
    after_each(state, fn)
  end
  return busted.after_each(function()
    if state.test or state.last[1] then
      state.last[#state.last + 1] = finish
      each(state.last, state)
      state.last[#state.last] = nil
    end
  end)
end

return helper
