local helper = require "spec.helper"

local function run(source, opts)
    local result = helper.script("local quoll = require 'quoll'\n" .. source,
        nil, opts)
    assert.equal(0, result.code, result.err)
    return result.out, result.err
end

local RUNAWAYS = [[
    local function stopped(n)
        local times = 0
        quoll.run(function()
            for i = 1, n do
                local task = quoll.spawn(function() while true do end end)
                local ok, e = pcall(task.wait, task)
                if not ok and e.code == "SLICE" then times = times + 1 end
            end
        end)
        return times
    end
]]

describe("the watchdog", function()
    it("is off at first, and again when told", function()
        local out, log = run [[
            local function show(s) print(s.slice_warn, s.slice_max) end
            local function work()
                local t = os.clock()
                while os.clock() - t < 0.1 do end
            end
            show(quoll.configure())
            quoll.run(work)
            show(quoll.configure { slice_warn = 0.02 })
            show(quoll.configure { slice_max = 0.5 })
            show(quoll.configure { slice_warn = 0, slice_max = false })
            quoll.run(work)
        ]]
        assert.equal("0\t0\n0.02\t0\n0.02\t0.5\n0\t0\n", out)
        assert.equal("", log)
    end)

    it("stops fifty in a row, on and off again", function()
        local out = run(RUNAWAYS .. [[
            for _ = 1, 5 do
                quoll.configure { slice_max = 0.005 }
                io.write(stopped(10), " ")
                quoll.configure { slice_max = 0 }
            end
        ]])
        assert.equal("10 10 10 10 10 ", out)
    end)

    it("leaves the compiler on, and compiled code compiled", function()
        if helper.collecting then return end -- with the compiler off
        local out = run(RUNAWAYS .. [[
            quoll.configure { slice_max = 0.02 }
            local traces, flushes = 0, 0
            jit.attach(function(what)
                if what == "stop" then traces = traces + 1 end
                if what == "flush" then flushes = flushes + 1 end
            end, "trace")
            local function f(n)
                local x = 0
                for i = 1, n do x = x + i % 7 end
                return x
            end
            f(1e5)
            local before = traces
            quoll.run(function()
                local task = quoll.spawn(f, 1e18)
                print(pcall(task.wait, task))
            end)
            f(1e5)
            print(before > 0, traces, flushes, (jit.status()))
        ]])
        assert.matches("^false\t[^\n]+: time slice exceeded [^\n]+\n"
            .. "true\t%d+\t0\ttrue\n$", out)
    end)

    it("puts the script's hook back", function()
        local out = run(RUNAWAYS .. [[
            local function hook() end
            debug.sethook(hook, "c", 1000)
            quoll.configure { slice_max = 0.02 }
            print(stopped(2))
            local fn, mask, count = debug.gethook()
            print(fn == hook, mask, count)
        ]])
        assert.equal("2\ntrue\tc\t1000\n", out)
    end)

    it("goes on in a forked child", function()
        local out = run(RUNAWAYS .. [[
            local ffi = require "ffi"
            ffi.cdef "int fork(void); int waitpid(int, int *, int);"
            quoll.configure { slice_max = 0.02 }
            print(stopped(1))
            io.stdout:flush()
            local pid = ffi.C.fork()
            if pid == 0 then
                print("child", stopped(2))
                os.exit(0)
            end
            ffi.C.waitpid(pid, nil, 0)
            print(stopped(1))
        ]])
        assert.equal("1\nchild\t2\n1\n", out)
    end)

    it("is not inherited by other programs", function()
        local out = run(RUNAWAYS .. [[
            quoll.configure { slice_max = 0.02 }
            print(os.execute "sleep 0.2; kill -PROF $$ 2>&1 || true; echo no")
            print(os.execute "sleep 0.2")
            print(stopped(1))
        ]], { timeout = 10 })
        assert.matches("\n0\n1\n$", out)
        assert.is_nil(out:find("no\n", 1, true))
    end)

    it("sees no long slice in a process that was stopped", function()
        local child = helper.start [[
            local ffi = require "ffi"
            local quoll = require "quoll"
            ffi.cdef "int kill(int pid, int signo); int getpid(void);"
            quoll.configure { slice_warn = 0.2 }
            quoll.run(function()
                io.write("stops\n") io.flush()
                ffi.C.kill(ffi.C.getpid(), 19)
                local t = os.clock()
                while os.clock() - t < 0.002 do end -- not long, if others run
            end)
        ]]
        assert.equal("stops", child:line(10))
        os.execute "sleep 0.5"
        child:kill(18)
        local result = helper.finish_script(child)
        assert.equal(0, result.code, result.err)
        assert.equal("", result.err)
    end)

    it("works after a wait that ran the loop inside require", function()
        local out = run(RUNAWAYS .. [[
            quoll.configure { slice_max = 0.02 }
            package.preload.waits = function() quoll.sleep(0.05) return true end
            quoll.run(function()
                local task = quoll.spawn(function()
                    require "waits"
                    while true do end
                end)
                print(select(2, pcall(task.wait, task)).code)
            end)
        ]])
        assert.equal("SLICE\n", out)
    end)
end)

describe("configure{slice_warn, slice_max}", function()
    it("refuses what is no time", function()
        local out = run [[
            for _, name in ipairs { "slice_warn", "slice_max" } do
                for _, bad in ipairs { -1, 0.0009, 3601, 0/0, math.huge, "1",
                    true, {} } do
                    local ok, err = pcall(quoll.configure, { [name] = bad })
                    assert(not ok and err:find(name .. " must be 0 or from "
                        .. "0.001 to 3600 seconds, got "), err)
                end
            end
            print(pcall(quoll.configure, { slice_warn = 2, slice_max = 1 }))
            print(quoll.configure().slice_warn)
        ]]
        assert.matches("slice_max must be more than slice_warn %(2 s%), got 1"
            .. "\n0\n$", out)
    end)

    it("refuses while another profiler has the signal", function()
        local out = run(RUNAWAYS .. [[
            local profile = require "jit.profile"
            profile.start("fi1000", function() end)
            print(pcall(quoll.configure, { slice_max = 0.02,
                open_file_cache = 3 }))
            profile.stop()
            local now = quoll.configure()
            print(now.slice_max, now.open_file_cache)
            quoll.configure { slice_max = 0.02 }
            print(stopped(1))
        ]])
        assert.matches("^false\t[^\n]+: slice_warn and slice_max need SIGPROF, "
            .. "which a profiler has taken\n0\t0\n1\n$", out)
    end)

    it("is refused to a second state of the process", function()
        local out = run(RUNAWAYS .. [[
            local ffi = require "ffi"
            ffi.cdef [=[
                void *luaL_newstate(void);
                void luaL_openlibs(void *L);
                int luaL_loadstring(void *L, const char *s);
                int lua_pcall(void *L, int n, int r, int e);
                const char *lua_tolstring(void *L, int i, size_t *len);
                void lua_close(void *L);
            ]=]
            quoll.configure { slice_max = 0.02 }
            local L = ffi.C.luaL_newstate()
            ffi.C.luaL_openlibs(L)
            assert(ffi.C.luaL_loadstring(L,
                "require('quoll').configure { slice_max = 1 }") == 0)
            print(ffi.C.lua_pcall(L, 0, 0, 0),
                ffi.string(ffi.C.lua_tolstring(L, -1, nil)))
            ffi.C.lua_close(L)
            print(stopped(2))
        ]])
        assert.matches("^2\t[^\n]+ need SIGPROF, which a profiler has taken"
            .. "\n2\n$", out)
    end)

    it("survives a profiler that starts and stops meanwhile", function()
        local out = run(RUNAWAYS .. [[
            local profile = require "jit.profile"
            quoll.configure { slice_max = 0.02 }
            profile.start("fi1000", function() end)
            profile.stop()
            quoll.run(function()
                local task = quoll.spawn(function()
                    for _ = 1, 20 do os.execute "sleep 0.01" end
                end)
                print(pcall(task.wait, task))
            end)
            quoll.configure { slice_max = 0 }
            quoll.configure { slice_max = 0.02 }
            print(stopped(1))
        ]])
        assert.matches("^false\t[^\n]+time slice exceeded[^\n]+\n1\n$", out)
    end)

    it("is refused by a LuaJIT whose profiler works otherwise", function()
        if helper.sanitized then
            pending "the sanitizer wants to be the first library preloaded"
            return
        end
        local dir = os.tmpname()
        os.remove(dir)
        local lib = dir .. ".so"
        local cc = io.popen("cc -shared -fPIC -xc -o " .. lib .. " -", "w")
        cc:write [[
            void luaJIT_profile_start(void *L, const char *m, void *f, void *d);
            void luaJIT_profile_stop(void *L);
            void luaJIT_profile_start(void *L, const char *m, void *f, void *d)
            { (void) L; (void) m; (void) f; (void) d; }
            void luaJIT_profile_stop(void *L) { (void) L; }
        ]]
        cc:close()
        local result = helper.script([[
            local quoll = require "quoll"
            print(pcall(quoll.configure, { slice_max = 0.02 }))
            quoll.run(quoll.sleep, 0.05)
            print(quoll.stats().tasks.live)
        ]], {}, { lua = helper.build .. "/bin/quoll-host",
            env = { LD_PRELOAD = lib } })
        os.remove(lib)
        assert.matches("^false\t[^\n]+: the profiler of this LuaJIT is not "
            .. "driven by SIGPROF\n0\n$", result.out, 1)
        assert.equal(0, result.code, result.err)
    end)

    it("relies on a handler of SIGPROF that is there while it is on", function()
        local out = run [[
            local quoll = require "quoll"
            local function caught()
                for line in io.lines "/proc/self/status" do
                    local mask = line:match "^SigCgt:%s*%x*(%x%x%x%x%x%x%x%x)$"
                    if mask then
                        -- SIGPROF is 27
                        return tonumber(mask:sub(2, 2), 16) % 8 >= 4
                    end
                end
            end
            print(caught())
            quoll.configure { slice_max = 0.02 }
            print(caught())
            quoll.configure { slice_max = 0 }
            print(caught())
        ]]
        assert.equal("false\ntrue\nfalse\n", out)
    end)
end)
