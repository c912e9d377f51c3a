--- Tasks: coroutines that the loop runs.
-- A task may wait anywhere in its call chain; others run meanwhile. A task
-- ends when its function has returned and its children have ended; handles
-- that it opened are closed then. A failed task for which nobody waits is
-- logged with its traceback; the others go on.
-- @module quoll.task

local core = require "quoll.core"
local finish = require("quoll.wait").finish

local tasks = {}

local Task = core.task

--- Waits until the task has ended.
-- @number[opt] s seconds; none: as long as it takes
-- @treturn[1] any ... the results of its function; its error is raised
-- unchanged
-- @treturn[2] nil
-- @treturn[2] string "cancelled", or "timeout" after s seconds
-- @treturn[2] string CODE: CANCELLED, TIMEOUT, FORCED
function Task:wait(s)
  return finish(core.task_wait(self, s))
end

--- Cancels the task and its children: an error is raised where each waits,
-- and at each further wait. What was cancelled has had no effect.
-- @tparam[opt] any why what quoll.iscancelled tells of it
-- @treturn boolean false when it had ended
-- @function Task:cancel
Task.cancel = core.task_cancel

--- The task's state.
-- @treturn string "starting", "running", "waiting", "ready", "closing" (its
-- children have not ended), "done", "failed" or "cancelled"
-- @function Task:status
Task.status = core.task_status

--- The task's name in the log; sets it when given.
-- @string[opt] name
-- @treturn ?string
-- @function Task:name
Task.name = core.task_name

--- The task's number, counted from 1 in the order of spawning.
-- @treturn number
-- @function Task:id
Task.id = core.task_id

--- Makes the task a child of the main chunk: it outlives the one that
-- spawned it.
-- @treturn Task itself
-- @function Task:detach
Task.detach = core.task_detach

--- Where the task is: the traceback of its coroutine, who it is and where it
-- and its parents were spawned. Of a failed one: its error, and where it was
-- raised.
-- @treturn string
-- @function Task:traceback
Task.traceback = core.task_traceback

--- What a task owns, and closes when it ends: connections, files, channels...
-- @table Handle

--- Closes it. Who waits on it gets "closed".
-- @function Handle:close
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "closed": it was
-- @treturn[2] string CODE

--- Makes the running task its owner.
-- @function Handle:own
-- @treturn self

--- Leaves it to the collector: no task's end closes it.
-- @function Handle:disown
-- @treturn self

--- Starts fn(...) in a task of its own, after spawn has returned.
-- @func fn
-- @tparam[opt] any ... its arguments
-- @treturn Task
-- @function spawn
tasks.spawn = core.spawn

--- The running task, also within a coroutine or a scope of it.
-- @treturn ?Task nil: the main chunk runs
-- @function current
tasks.current = core.current

--- Runs main(...) as a task and turns the loop until every task has ended.
-- The first SIGINT or SIGTERM cancels every task, and every further wait of the
-- main chunk raises; the second exits with 128 + its number.
-- @func[opt] main
-- @tparam[opt] any ... its arguments
-- @treturn[1] any ... main's results; its error is raised
-- @treturn[2] nil when a signal ended it
-- @treturn[2] string "cancelled"
-- @treturn[2] string "CANCELLED"
function tasks.run(main, ...)
  if not core.is_root() then
    core.raise "quoll.run inside a task: quoll.spawn starts another one"
  end
  core.check_wait()
  core.stop_over()
  local task
  if main ~= nil then
    if type(main) ~= "function" then
      core.bad_argument(main, "main", "run", "a function")
    end
    task = core.spawn(main, ...)
    core.task_quiet(task)
  end
  finish(core.task_room(1))
  if task then
    return finish(core.task_outcome(task))
  elseif core.signalled() then
    return nil, "cancelled", "CANCELLED"
  end
end

--- Waits at least s seconds; 0 lets every other ready task go first.
-- @number s seconds, rounded up to 16 us
function tasks.sleep(s)
  return finish(core.sleep(s))
end

--- Lets every other ready task go first.
function tasks.yield()
  return finish(core.yield())
end

--- Why a caught error is a cancellation.
-- @tparam any e an error value
-- @treturn any what was given to task:cancel, "SIGINT", ...; nil: no
-- cancellation
-- @function iscancelled
tasks.iscancelled = core.iscancelled

--- An error's text with every traceback that belongs to it: of the task that
-- failed and where it was spawned, of each task that raised the error again,
-- and of where this is called. A message handler: xpcall(quoll.run,
-- quoll.traceback, main).
-- @tparam any err an error value
-- @treturn any a string; a cancellation is returned as it is
-- @function traceback
tasks.traceback = core.traceback

--- Waits for a descriptor that something else owns.
-- @number fd
-- @string mode "r", "w" or "rw"
-- @number[opt] s seconds
-- @treturn[1] string what it is ready for: "r", "w" or "rw"
-- @treturn[2] nil
-- @treturn[2] string "timeout", ...
-- @treturn[2] string CODE: TIMEOUT, EBADF, ...
function tasks.waitfd(fd, mode, s)
  return finish(core.waitfd(fd, mode, s))
end

--- One turn of the loop, from the main chunk: for a script whose own loop
-- waits for `quoll.fd()`. Signals do what they do outside.
-- @number[opt] s seconds it waits for events at most; default 0
-- @treturn[1] number seconds until the next turn at the latest; math.huge: when
-- the descriptor is readable
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function tasks.step(s)
  return finish(core.step(s))
end

--- The loop's descriptor: readable when a turn has work.
-- @treturn[1] number
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
-- @function fd
tasks.fd = core.fd

return tasks
