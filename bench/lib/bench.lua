-- What each benchmark is given: the programs, the scripts, files to read, the
-- order of the rounds and the report.
local proc = require "bench.lib.proc"
local report = require "bench.lib.report"

local Bench = {}
Bench.__index = Bench

local MIB = 1048576

-- opts: build, runs, quick, dir, check: only what the committed ratios need
function Bench.new(opts)
    local cores = tonumber(proc.run { "nproc" })
    return setmetatable({
        build = opts.build,
        runs = opts.runs,
        quick = opts.quick,
        short = opts.check,
        dir = opts.dir,
        server_core = 0,
        load_core = cores > 1 and 1 or 0,
        report = report.new(),
    }, Bench)
end

-- A program of the build.
function Bench:path(name)
    return self.build .. "/bench/" .. name
end

-- Runs one; what it printed.
function Bench:program(name, args)
    return proc.run { self:path(name), core = args.core, unpack(args) }
end

-- The command of a Lua script on the server's core, with this build's quoll.
function Bench:command(...)
    local setup = string.format("package.path = 'lua/?.lua;lua/?/init.lua;'"
        .. " .. package.path package.cpath = '%s/lib/lua/5.1/?.so;'"
        .. " .. package.cpath", self.build)
    return {
        core = self.server_core,
        name = table.concat({ ... }, " "),
        "luajit", "-e", setup, ...
    }
end

-- Runs a Lua script; what it printed.
function Bench:script(...)
    return proc.run(self:command(...))
end

-- Calls round(i), runs times.
function Bench:rounds(round)
    for i = 1, self.runs do
        round(i)
    end
end

-- Iterates over the list from another start in each round, so that none is
-- always the one that comes after the same other.
function Bench.rotate(_, list, round)
    local n = 0
    return function()
        n = n + 1
        if n <= #list then
            return n, list[(n + round - 2) % #list + 1]
        end
    end
end

-- "N cores of MODEL, Linux VERSION"
function Bench.machine()
    local cpu = assert(io.open("/proc/cpuinfo"))
    local model = cpu:read("*a"):match("model name%s*: ([^\n]+)") or "?"
    cpu:close()
    return string.format("%d cores of %s, Linux %s",
        tonumber(proc.run { "nproc" }), model,
        proc.run({ "uname", "-r" }):match("%S+"))
end

-- What is measured, as git calls it; nil where there is no git.
function Bench.commit()
    local ok, name = pcall(proc.run, {
        "sh", "-c", "git describe --always --dirty 2>/dev/null",
    })
    return ok and name:match("%S+") or nil
end

-- The temporary folder of this run.
function Bench:folder()
    if not self.temporary then
        local line = proc.run {
            "mktemp", "-d", self.dir .. "/quoll-bench.XXXXXX",
        }
        self.temporary = line:match("^(.-)\n")
    end
    return self.temporary
end

-- A file of so many MiB of noise, written back; removed by clean().
function Bench:file(name, mib)
    local path = self:folder() .. "/" .. name
    local out = assert(io.open(path, "wb"))
    local noise = assert(io.open("/dev/urandom", "rb"))
    local block = noise:read(MIB)
    noise:close()
    for _ = 1, mib do
        assert(out:write(block))
    end
    assert(out:close())
    self:program("evict", { path })
    return path
end

-- Ends every process and removes every file of this run.
function Bench:clean()
    proc.stop_all()
    if self.temporary then
        proc.run { "rm", "-r", self.temporary }
        self.temporary = nil
    end
end

return Bench
