-- Child processes of the benchmarks: their output comes through a pipe, every
-- wait is bounded, each is ended by its id and never outlives us.
local ffi = require "ffi"
local usage = require "bench.lib.usage"

ffi.cdef [[
struct bench_pollfd { int fd; short events; short revents; };
int fork(void);
int execvp(const char *file, const char *const argv[]);
void _exit(int status);
int pipe2(int fds[2], int flags);
int dup2(int from, int to);
int close(int fd);
long read(int fd, void *buf, size_t size);
int poll(struct bench_pollfd *fds, unsigned long n, int timeout);
int kill(int pid, int signo);
int waitpid(int pid, int *status, int options);
int prctl(int option, unsigned long a, unsigned long b, unsigned long c,
          unsigned long d);
]]

local C = ffi.C
local O_CLOEXEC, POLLIN, SIGKILL, PR_SET_PDEATHSIG = 0x80000, 1, 9, 1

local proc = {}
local Process = {}
Process.__index = Process

local running = {}

local function pipe()
    local fds = ffi.new("int[2]")
    assert(C.pipe2(fds, O_CLOEXEC) == 0, "pipe2")
    return fds[0], fds[1]
end

local function exec(args, stdin, stdout)
    local words = {} -- keeps the strings alive
    local argv = ffi.new("const char *[?]", #args + 1)
    for i, arg in ipairs(args) do
        words[i] = tostring(arg)
        argv[i - 1] = words[i]
    end
    C.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    C.dup2(stdin, 0)
    C.dup2(stdout, 1)
    C.execvp(argv[0], argv)
    io.stderr:write("cannot run ", args[1], "\n")
    C._exit(127)
end

-- Starts args[1] with its arguments, pinned to args.core when that is given;
-- messages call it args.name.
function proc.start(args)
    local argv = args.core and { "taskset", "-c", args.core } or {}
    for _, arg in ipairs(args) do
        table.insert(argv, arg)
    end
    local child_in, our_in = pipe()
    local our_out, child_out = pipe()
    local pid = C.fork()
    assert(pid >= 0, "fork")
    if pid == 0 then
        exec(argv, child_in, child_out)
    end
    C.close(child_in)
    C.close(child_out)
    local self = setmetatable({
        pid = pid,
        input = our_in,
        output = our_out,
        text = "",
        name = args.name or table.concat(args, " "),
    }, Process)
    running[pid] = self
    return self
end

function Process:fail(why)
    self:stop()
    error(self.name .. ": " .. why, 0)
end

-- More output; false at its end.
function Process:fill(deadline)
    local fds = ffi.new("struct bench_pollfd[1]")
    local buf = ffi.new("char[?]", 4096)
    fds[0].fd, fds[0].events = self.output, POLLIN
    local left = math.max(0, deadline - usage.now())
    local n = C.poll(fds, 1, math.ceil(left * 1000))
    if n <= 0 then
        self:fail(n == 0 and "no output in time" or "interrupted")
    end
    n = tonumber(C.read(self.output, buf, 4096))
    self.text = self.text .. ffi.string(buf, math.max(n, 0))
    return n > 0
end

-- The next line, within `seconds`.
function Process:line(seconds)
    local deadline = usage.now() + seconds
    while not self.text:find("\n", 1, true) do
        if not self:fill(deadline) then
            self:fail("ended early")
        end
    end
    local line, rest = self.text:match("^(.-)\n(.*)$")
    self.text = rest
    return line
end

-- Ends its input and lets it end by itself, within `seconds`; the rest of
-- what it printed.
function Process:finish(seconds)
    local deadline = usage.now() + seconds
    self:end_input()
    while self:fill(deadline) do end
    if self:reap() ~= 0 then
        error(self.name .. ": failed", 0)
    end
    return self.text
end

function Process:end_input()
    if self.input then
        C.close(self.input)
        self.input = nil
    end
end

function Process:reap()
    local status = ffi.new("int[1]")
    C.waitpid(self.pid, status, 0)
    self:end_input()
    C.close(self.output)
    running[self.pid] = nil
    self.pid = nil
    return status[0]
end

-- Ends it now; harmless when it has ended.
function Process:stop()
    if self.pid then
        C.kill(self.pid, SIGKILL)
        self:reap()
    end
end

-- CPU seconds used so far.
function Process:cpu()
    return usage.cpu(self.pid)
end

-- Resident bytes.
function Process:rss()
    return usage.rss(self.pid)
end

-- Runs to its end, within args.timeout seconds (60); what it printed.
function proc.run(args)
    return proc.start(args):finish(args.timeout or 60)
end

-- Ends what is still running.
function proc.stop_all()
    local pid, process = next(running)
    while pid do
        process:stop()
        pid, process = next(running)
    end
end

return proc
