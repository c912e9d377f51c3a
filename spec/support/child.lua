-- child.lua: child processes with pipes, ended by their pid, a timeout on
-- every wait.
local ffi = require "ffi"
local native = require "spec.support.native"

local C = ffi.C
local O_CLOEXEC = 0x80000
local POLLIN = 1
local PIDFD_OPEN = 434
local SIGKILL = 9
local PR_SET_PDEATHSIG = 1

local child = {}
child.__index = child

local function pipe()
    local fds = ffi.new("int[2]")
    assert(C.pipe2(fds, O_CLOEXEC) == 0, native.errno())
    return fds[0], fds[1]
end

-- Puts the child's ends of its pipes where they belong.
local function settle(theirs, pipes, ours)
    C.prctl(PR_SET_PDEATHSIG, ffi.cast("long", SIGKILL))
    for name, fd in pairs(theirs) do
        if pipes[name] >= 0 then
            C.dup2(fd, pipes[name])
            C.close(fd)
        end
    end
    for _, fd in pairs(ours) do
        C.close(fd)
    end
end

-- Forks; `body(ends)` runs in the child, which it must end. pipes: name ->
-- descriptor (0 to 2) that is a pipe to us, -1: whichever ends[name] says.
function child.fork(pipes, body)
    local ours, theirs = {}, {}
    for name, fd in pairs(pipes) do
        local r, w = pipe()
        ours[name] = fd == 0 and w or r
        theirs[name] = fd == 0 and r or w
    end
    io.stdout:flush()
    local pid = C.fork()
    assert(pid ~= -1, native.errno())
    if pid == 0 then
        settle(theirs, pipes, ours)
        body(theirs)
        C._exit(125)
    end
    for _, fd in pairs(theirs) do
        C.close(fd)
    end
    local pidfd = tonumber(C.syscall(PIDFD_OPEN, ffi.cast("long", pid),
        ffi.cast("long", 0)))
    assert(pidfd ~= -1, native.errno())
    return setmetatable({
        pid = pid, pidfd = pidfd, ends = ours, text = {},
    }, child)
end

-- Runs a program. env: variables to set.
function child.spawn(argv, env)
    local args = ffi.new("const char *[?]", #argv + 1)
    for i, arg in ipairs(argv) do
        args[i - 1] = arg
    end
    return child.fork({ input = 0, out = 1, err = 2 }, function()
        for name, value in pairs(env or {}) do
            C.setenv(name, value, 1)
        end
        C.execvp(args[0], args)
        C._exit(127)
    end)
end

-- What there is to read now from one of our ends; at the end closes it.
function child:take(name)
    local buf = ffi.new("char[65536]")
    local n = tonumber(C.read(self.ends[name], buf, 65536))
    if n > 0 then
        self.text[name] = (self.text[name] or "") .. ffi.string(buf, n)
    else
        C.close(self.ends[name])
        self.ends[name] = nil
    end
end

-- Waits for output or the end; false when `deadline` has come. With `ended`,
-- looks only at what is there.
function child:poll(deadline, ended)
    local names = {}
    local fds = ffi.new("struct pollfd[4]")
    for name, fd in pairs(self.ends) do
        if name ~= "input" then
            fds[#names] = { fd = fd, events = POLLIN }
            names[#names + 1] = name
        end
    end
    fds[#names] = { fd = self.pidfd, events = POLLIN }
    local ms = ended and 0
        or math.max(0, math.ceil((deadline - native.now()) * 1000))
    local n = C.poll(fds, #names + (ended and 0 or 1), ms)
    for i, name in ipairs(names) do
        if fds[i - 1].revents ~= 0 then
            self:take(name)
        end
    end
    self.ended = self.ended or fds[#names].revents ~= 0
    return n > 0
end

-- The next line of its standard output; nil at its end or after `seconds`.
function child:line(seconds)
    local deadline = native.now() + (seconds or 10)
    while true do
        local line, rest = (self.text.out or ""):match("^([^\n]*)\n(.*)$")
        if line then
            self.text.out = rest
            return line
        end
        if not self.ends.out or not self:poll(deadline) then
            return nil
        end
    end
end

function child:write(data)
    return C.write(self.ends.input, data, #data) == #data
end

function child:close_input()
    if self.ends.input then
        C.close(self.ends.input)
        self.ends.input = nil
    end
end

function child:kill(signo)
    if not self.reaped then
        C.kill(self.pid, signo)
    end
end

-- Takes its exit status and closes what belongs to it.
function child:reap()
    local status = ffi.new("int[1]")
    C.waitpid(self.pid, status, 0)
    self.reaped = true
    while self:poll(0, true) do end
    for name, fd in pairs(self.ends) do
        C.close(fd)
        self.ends[name] = nil
    end
    C.close(self.pidfd)
    local low = status[0] % 128
    self.signal = low ~= 0 and low or nil
    self.code = low == 0 and math.floor(status[0] / 256) or nil
end

-- Waits for its end, at most `seconds`, then kills it. Returns { code |
-- signal, out, err, timeout }.
function child:wait(seconds)
    local deadline = native.now() + (seconds or 10)
    local timeout = false
    self:close_input()
    while not self.ended and not timeout do
        timeout = not self:poll(deadline) and native.now() >= deadline
    end
    if timeout then
        self:kill(SIGKILL)
    end
    if not self.reaped then
        self:reap()
    end
    return {
        code = self.code, signal = self.signal, timeout = timeout,
        out = self.text.out or "", err = self.text.err or "",
        report = self.text.report or "",
    }
end

return child
