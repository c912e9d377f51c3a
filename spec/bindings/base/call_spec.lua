local helper = require "spec.helper"
local calls = require "spec.support.calls"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

-- A script with one thread whose system calls are scripted; what it prints.
local function printed(source)
    local result = helper.script([[
        local ffi = require "ffi"
        local native = require "spec.support.native"
        local quoll = require "quoll"
        quoll.configure { threads = 1, thread_queue = 2 }
        local inject = require "spec.support.scripted"

        -- Until n calls of unlink were begun.
        local function begun(n)
            while tonumber(inject.ql_inject_calls "unlinkat") < n do
                quoll.sleep(0.001)
            end
        end

        -- Until no call is left; how long that took at most.
        local function settle()
            local deadline = quoll.now() + 5
            while quoll.stats().pool.calls > 0 and quoll.now() < deadline do
                quoll.sleep(0.001)
            end
            return quoll.stats().pool.calls
        end
    ]] .. source)
    assert.equal(0, result.code, result.err)
    return result.out
end

describe("a blocking call as an operation", function()
    helper.gates()

    it("lets other tasks run meanwhile", function()
        tasks.run(function()
            local order = {}
            local call = quoll.spawn(function()
                quoll.fs.unlink "/no/such"
                order[#order + 1] = "call"
            end)
            quoll.yield()
            order[#order + 1] = "other"
            call:wait()
            assert.same({ "other", "call" }, order)
        end)
    end)

    it("runs the loop in the main chunk", function()
        local ticks = 0
        local timer = quoll.timer.every(0.001, function()
            ticks = ticks + 1
        end)
        while ticks < 2 do
            assert.is_nil((quoll.fs.unlink "/no/such"))
        end
        timer:cancel()
    end)
end)

describe("a call that is cancelled", function()
    it("before a thread has begun it is not made", function()
        assert.equal("cancelled\t1\t0\n", printed [[
            inject.ql_inject_delay("unlinkat", -1, 1, 1, 50000)
            quoll.run(function()
                local first = quoll.spawn(quoll.fs.unlink, "/no/such/1")
                begun(1)
                local second = quoll.spawn(quoll.fs.unlink, "/no/such/2")
                quoll.yield()
                second:cancel()
                local _, err = second:wait()
                first:wait()
                print(err, tonumber(inject.ql_inject_calls "unlinkat"),
                    settle())
            end)
        ]])
    end)

    it("under way ends at once, and is an orphan until it returns",
        function()
            assert.equal("cancelled\ttrue\t1\t1\n0\t0\n", printed [[
                inject.ql_inject_delay("unlinkat", -1, 1, 1, 300000)
                quoll.run(function()
                    local task = quoll.spawn(quoll.fs.unlink, "/no/such")
                    begun(1)
                    local before = quoll.now()
                    task:cancel()
                    local _, err = task:wait()
                    local stats = quoll.stats()
                    print(err, quoll.now() - before < 0.2, stats.pool.calls,
                        stats.files.orphans)
                    print(settle(), quoll.stats().files.orphans)
                end)
            ]])
        end)

    it("has released what it brought when it returns", function()
        assert.equal("true\t0\n", printed [[
            inject.ql_inject_delay("fstatfs", -1, 1, 1, 100000)
            local before = native.descriptors()
            quoll.run(function()
                local task = quoll.spawn(quoll.fs.tempfile)
                while tonumber(inject.ql_inject_calls "fstatfs") < 1 do
                    quoll.sleep(0.001)
                end
                task:cancel()
                task:wait()
                local left = settle()
                local changed = native.descriptors_changed(before,
                    native.descriptors(function(text)
                        return text:find "^anon_inode:"
                    end))
                print(not changed or changed, left)
            end)
        ]])
    end)

    it("in 1,000 tasks at once leaves none", function()
        assert.equal("1000\t0\t0\n", printed [[
            quoll.run(function()
                local list, cancelled = {}, 0
                inject.ql_inject_delay("unlinkat", -1, 1, 3, 10000)
                for i = 1, 1000 do
                    list[i] = quoll.spawn(function()
                        local _, _, code = quoll.fs.unlink "/no/such"
                        return code
                    end)
                end
                quoll.yield()
                for i = 1, 1000 do
                    list[i]:cancel()
                    local code = list[i]:wait()
                    if code == nil or code == "EBUSY" or code == "ENOENT" then
                        cancelled = cancelled + 1
                    end
                end
                print(cancelled, settle(), quoll.stats().files.orphans)
            end)
        ]])
    end)
end)

describe("a call", function()
    local full = [[
        inject.ql_inject_delay("unlinkat", -1, 1, 1, 50000)
        quoll.run(function()
            quoll.spawn(quoll.fs.unlink, "/no/1")
            begun(1)
            quoll.spawn(quoll.fs.unlink, "/no/2")
            local third = quoll.spawn(quoll.fs.unlink, "/no/3")
            quoll.yield()
            local given_up = quoll.spawn(quoll.fs.unlink, "/no/4")
            quoll.yield()
            given_up:cancel()
            print(quoll.fs.unlink "/no/5")
            print(third:status(), tonumber(inject.ql_inject_calls "unlinkat"))
        end)
    ]]

    it("waits its turn when thread_queue calls wait", function()
        assert.equal("nil\t/no/5: no such file or directory\tENOENT\n"
            .. "done\t4\n", printed(full))
    end)

    it("fails with EBUSY there if that is asked for", function()
        assert.equal("nil\t/no/5: device or resource busy\tEBUSY\n"
            .. "waiting\t1\n", printed(
                "quoll.configure { overflow_error = 1 }\n" .. full))
    end)

    it("fails where the runtime has no memory", function()
        assert.equal("nil\tcannot allocate memory\tENOMEM\t0\n", printed [[
            quoll.run(function()
                quoll.fs.unlink "/no"
                inject.ql_inject_fail("malloc", -1, 1, 1, 12)
                local ok, err, code = quoll.fs.unlink "/no"
                print(ok, err, code, settle())
            end)
        ]])
    end)

    it("may be in flight when the script ends", function()
        assert.equal("end\n", printed [[
            inject.ql_inject_delay("unlinkat", -1, 1, 0, 20000)
            quoll.run(function()
                for _ = 1, 2 do
                    quoll.spawn(quoll.fs.unlink, "/no/such"):detach()
                end
                begun(1)
                print "end"
                os.exit(0, true)
            end)
        ]])
    end)
end)

-- In a plain coroutine inside a task, which cannot wait.
local function refused(fn)
    local ok, err = pcall(coroutine.wrap(fn))
    assert.is_false(ok)
    assert.matches("call_spec.lua:%d+: cannot wait in a plain coroutine", err)
end

describe("a call that cannot wait", function()
    helper.gates()

    it("is not made: nothing is left to the collector", function()
        local fs, path = quoll.fs, tasks.file "text"
        finally(function() os.remove(path) end)
        tasks.run(function()
            local file = assert(quoll.open(path, "r+"))
            collectgarbage "stop"
            finally(function() collectgarbage "restart" end)
            for _, fn in ipairs {
                function() quoll.open(path, "w") end,
                function() fs.open(path, "w") end,
                function() fs.stat(path) end,
                function() fs.unlink(path) end,
                function() fs.writefile(path, "new") end,
                function() fs.append(path, "new") end,
                function() fs.tempfile() end,
                function() fs.readfile(path) end,
                function() fs.readdir "/" end,
                function() fs.watch "/" end,
                function() file:pread(1, 0) end,
                function() file:write "new" end,
                function() file:pwrite("new", 0) end,
                function() file:truncate(0) end,
                function() file:sync() end,
                function() file:stat() end,
                function() file:close() end,
            } do
                refused(fn)
            end
            assert.equal(0, quoll.stats().pool.calls)
            assert.equal("text", file:read "*a")
            assert.equal(4, fs.stat(path).size)
        end)
    end)

    it("inside a C function is not made", function()
        local path = tasks.file "text"
        finally(function() os.remove(path) end)
        tasks.run(function()
            local ok, err = pcall(string.gsub, "x", "x", function()
                quoll.fs.unlink(path)
            end)
            assert.is_false(ok)
            assert.truthy(err:find("cannot wait inside ", 1, true), err)
            assert.equal(0, quoll.stats().pool.calls)
            assert.equal("file", quoll.fs.stat(path).type)
        end)
    end)
end)

-- Every allocation of Lua memory in each operation fails once.
local memory_script = [[
    local quoll = require "quoll"
    local fs, dir = quoll.fs, arg[1]
    local operations = {
        stat = function() return fs.stat(dir).type end,
        mkdir = function()
            return fs.mkdir(dir .. "/sub", { parents = true })
        end,
        realpath = function() return fs.realpath "/" end,
        writefile = function()
            return fs.writefile(dir .. "/file", { "a", 1 },
                { sync = false })
        end,
        readfile = function()
            return #fs.readfile(dir .. "/long")
        end,
        readdir = function()
            local n = 0
            for _ in fs.readdir(dir) do n = n + 1 end
            return n
        end,
        tempfile = function()
            local file = fs.tempfile { dir = dir,
                unlinked = true }
            return file:close()
        end,
    }

    local function settled()
        local deadline = quoll.now() + 5
        repeat
            collectgarbage()
            quoll.sleep(0.0005)
            local s = quoll.stats()
            local left = s.pool.calls + s.files.live
        until left == 0 or quoll.now() > deadline
        return quoll.stats().pool.calls == 0
    end

    local function attempt(name, operation, n, expected)
        collectgarbage()
        fail_allocation(n)
        local ok, result = pcall(quoll.run, operation)
        local left = fail_allocation(0)
        if ok and result ~= expected then
            print(name, n, "wrong value", result)
        elseif not ok and not tostring(result)
            :find "not enough memory" then
            print(name, n, result)
        end
        quoll.run()
        if not settled() then
            print(name, n, "left over")
        end
        return left > 0
    end

    jit.off()
    assert(fs.writefile(dir .. "/long", ("x"):rep(100000)))
    for _, operation in pairs(operations) do
        quoll.run(operation)
    end
    local points = 0
    for name, operation in pairs(operations) do
        local expected, n = quoll.run(operation), 0
        repeat
            n = n + 1
        until attempt(name, operation, n, expected) or n > 500
        points = points + n
    end
    print(points > 50, quoll.stats().files.live)
]]

describe("lack of Lua memory at any point of a call", function()
    it("is an error, and nothing is left over", function()
        calls.in_directory(function(dir)
            local result = helper.script(memory_script, { dir }, {
                lua = helper.build .. "/bin/quoll-host", timeout = 60,
            })
            assert.is_nil(result.signal, result.err)
            assert.equal("true\t0\n", result.out, result.err)
            assert.equal(0, result.code)
            assert.equal("file long sub", calls.names(dir))
        end)
    end)
end)
