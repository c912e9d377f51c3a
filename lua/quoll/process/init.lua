--- Processes: started, waited for, ended.
--
-- A process belongs to the task that started it: when that ends, it gets its
-- signal, after the grace SIGKILL, and is reaped. Its pipes are connections.
-- Failures are `nil, err, CODE`.
--
-- Source: bindings/process/, runtime/process/
-- @module quoll.process

local core = require "quoll.core"
local finish = require("quoll.wait").finish
local options = require "quoll.options"
local plan = require "quoll.process.plan"
local communicate = require "quoll.process.communicate"

local raw = core.process
local Process = core.methods.process

local process = {}

--- A program that runs, or has ended.
-- @table Process
-- @tfield ?Connection stdin of a pipe
-- @tfield ?Connection stdout of a pipe
-- @tfield ?Connection stderr of a pipe

--- Starts a program and waits until it runs, or has failed to.
-- @tparam {string,...}|string argv the program and its arguments; found in PATH
-- unless it has a slash. A string only with `shell`
-- @tparam[opt] table opts `shell`: argv is a command for /bin/sh; `stdin`,
-- `stdout`, `stderr`: "inherit" (default), "pipe", "null", "stdout" (stderr
-- only), a descriptor, a connection (given away), a file; `fds`: {[3] = ...};
-- `cwd`; `env`: {NAME = value}, the whole environment; `setenv`: changes to it,
-- false removes; `umask`; `pgroup`, `setsid`: boolean; `uid`, `gid`;
-- `timeout`: s until it is stopped; `signal`: that asks it to end, "SIGTERM";
-- `grace`: s until SIGKILL, 5
-- @treturn[1] Process with stdin, stdout, stderr: connections of its pipes
-- @treturn[2] nil
-- @treturn[2] string "ls2: no such file or directory"
-- @treturn[2] string CODE
function process.exec(argv, opts)
  return finish(raw.exec(plan.make(argv, opts, "exec")))
end

--- Runs a program to its end.
-- @tparam {string,...}|string argv as for `exec`
-- @tparam[opt] table opts those of `exec`, with stdout and stderr "pipe" by
-- default and stdin "null"; `input`: a string for stdin; `max_output`: bytes
-- of each output, 16 MiB
-- @treturn[1] string what it wrote to stdout, "" without a pipe
-- @treturn[1] string to stderr
-- @treturn[1] boolean did it exit with 0
-- @treturn[1] string "exit" or "signal"
-- @treturn[1] int exit code or number of the signal
-- @treturn[1] ?string "TIMEOUT" when its timeout has ended it
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function process.run(argv, opts)
  local exec_opts, own = plan.of_run(opts)
  local proc, err, code = finish(raw.exec(plan.make(argv, exec_opts, "run")))
  if not proc then
    return nil, err, code
  end
  return communicate.to_the_end(proc, own.input, own.max_output)
end

--- Waits for its end; several tasks may.
-- @tparam[opt] number s seconds
-- @treturn[1] boolean did it exit with 0
-- @treturn[1] string "exit" or "signal"
-- @treturn[1] int exit code or number of the signal
-- @treturn[1] ?string "TIMEOUT" when its timeout has ended it
-- @treturn[2] nil
-- @treturn[2] string "timeout", "closed"; "no child processes" when another
-- part of the program reaped it
-- @treturn[2] string CODE
function Process:wait(s)
  return finish(raw.wait(self, s))
end

--- Writes input to its stdin and reads its outputs, at once, until it ends.
-- What its children write after that is not waited for.
-- @tparam[opt] string input stdin is closed behind it
-- @tparam[opt=16777216] int max_output bytes of each output; more ends it
-- @treturn[1] string what it wrote to stdout, "" without a pipe
-- @treturn[1] string to stderr
-- @treturn[1] boolean did it exit with 0
-- @treturn[1] string "exit" or "signal"
-- @treturn[1] int exit code or number of the signal
-- @treturn[1] ?string "TIMEOUT" when its timeout has ended it
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Process:communicate(input, max_output)
  return communicate.run(self, input, max_output, "communicate")
end

local kill_options = { group = "boolean" }

--- Sends a signal; never to a process that got its number later.
-- @tparam[opt="SIGTERM"] string|int signal
-- @tparam[opt] table opts `group`: to the process group that it leads
-- (`pgroup`, `setsid`), also when it has ended itself
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "no such process" once it has ended
-- @treturn[2] string CODE
function Process:kill(signal, opts)
  return raw.kill(self, signal, options.check(opts, kill_options, "kill").group)
end

--- Sends its signal, and SIGKILL after its grace.
-- @function Process:stop
-- @treturn[1] boolean true
Process.stop = raw.stop

--- Its number.
-- @treturn int
-- @function Process:pid
Process.pid = raw.pid

local base_own, base_disown = Process.own, Process.disown

--- Makes it the running task's.
-- @treturn self
function Process:own()
  raw.leave(self, false)
  return base_own(self)
end

--- Detaches it: it runs on when its task, the handle and the script have ended.
-- @treturn self
function Process:disown()
  raw.leave(self, true)
  return base_disown(self)
end

return process
