local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run
local locals = quoll.locals

describe("the locals of a task", function()
    helper.gates()

    it("are what its spawner had at the spawn", function()
        run(function()
            locals.a, locals.b = 1, 2
            local child = quoll.spawn(function()
                local first = locals()
                locals.a, locals.c = "child", 3
                quoll.yield()
                return first, locals()
            end)
            locals.b = "parent"
            quoll.yield()
            local first, last = child:wait()
            assert.same({ a = 1, b = 2 }, first)
            assert.same({ a = "child", b = 2, c = 3 }, last)
            assert.same({ a = 1, b = "parent" }, locals())
        end)
    end)

    it("are none where the spawner had none", function()
        run(function()
            assert.same({}, locals())
            assert.is_nil(locals.a)
            local child = quoll.spawn(function()
                quoll.yield()
                return locals.a, locals()
            end)
            locals.a = 1
            local a, all = child:wait()
            assert.is_nil(a)
            assert.same({}, all)
        end)
    end)

    it("go with nil, the last one too", function()
        run(function()
            locals.a, locals.b = 1, 2
            locals.a = nil
            assert.same({ b = 2 }, locals())
            locals.b = nil
            assert.same({}, locals())
            assert.same({}, (quoll.spawn(locals):wait()))
            locals.b = nil
            locals.a = false
            assert.same({ a = false }, locals())
        end)
    end)

    it("are in timers what they were when these were made", function()
        run(function()
            local got = {}
            locals.a = "made"
            local after = quoll.timer.after(0, function() return locals.a end)
            local bare = quoll.timer.after(0.001, locals)
            local every = quoll.timer.every(0.001, function()
                got[#got + 1] = locals.a
                locals.a = locals.a .. "+"
            end)
            locals.a = "later"
            assert.equal("made", after:wait())
            assert.same({ a = "made" }, (bare:wait()))
            while #got < 2 do
                quoll.sleep(0.001)
            end
            every:cancel()
            assert.same({ "made", "made+" }, { got[1], got[2] })
            assert.equal("later", locals.a)
        end)
    end)

    it("are the main chunk's own outside tasks", function()
        finally(function() locals.a = nil end)
        locals.a = "main"
        assert.equal("main", run(function() return locals.a end))
        run(function() locals.a = "task" end)
        assert.equal("main", locals.a)
    end)

    it("stay with their task over waits and collections", function()
        run(function()
            local list = {}
            for i = 1, 100 do
                locals.i = i
                list[i] = quoll.spawn(function()
                    for _ = 1, 3 do
                        quoll.yield()
                        if i % 30 == 0 then
                            collectgarbage()
                        end
                    end
                    return locals.i
                end)
            end
            for i = 1, 100 do
                assert.equal(i, list[i]:wait())
            end
        end)
    end)

    it("reach a handler that serve starts", function()
        local got
        run(function()
            locals.server = "one"
            local listener = assert(quoll.listen "127.0.0.1:0")
            local server = quoll.spawn(listener.serve, listener, function()
                got = locals.server
                listener:close()
            end)
            local conn = assert(quoll.connect(listener:address()))
            server:wait()
            conn:close()
        end)
        assert.equal("one", got)
    end)
end)

describe("quoll.locals", function()
    helper.gates()

    it("takes any key but nil and NaN", function()
        run(function()
            for _, key in ipairs { 1, 1.5, false, "x", {}, print, locals } do
                locals[key] = key
                assert.equal(key, locals[key])
            end
            for _, bad in ipairs { { "nil", nil }, { "nan", 0 / 0 } } do
                local ok, err = pcall(function() locals[bad[2]] = 1 end)
                assert.is_false(ok)
                assert.matches("locals_spec.lua:%d+: bad argument 'key' to "
                    .. "'locals' %(a key of a table expected, got %-?"
                    .. bad[1], err)
                assert.is_nil(locals[bad[2]])
            end
        end)
    end)

    it("gives a table that is the caller's own", function()
        run(function()
            locals.a = 1
            local all = locals()
            all.a = 2
            assert.equal(1, locals.a)
            assert.is_nil(next(locals))
            assert.equal("locals", getmetatable(locals))
        end)
    end)

    it("costs nothing where it is not used, a reference where it is",
        function()
            if helper.sanitized or helper.collecting then
                return
            end
            local function size(n)
                local list = {}
                for i = 1, n do
                    list[i] = quoll.timer.after(100, print)
                end
                collectgarbage()
                local used = collectgarbage "count"
                for i = 1, n do
                    list[i]:cancel()
                end
                return used, list
            end
            run(function()
                size(2000)
                collectgarbage()
                local without = size(2000)
                for i = 1, 100 do
                    locals[i] = ("x"):rep(100) .. i
                end
                local with = size(2000)
                assert.is_true((with - without) * 1024 / 2000 < 24,
                    with - without)
            end, 20)
        end)
end)

describe("lack of Lua memory at any point of a write", function()
    it("is an error, and the values are as before", function()
        local result = helper.script([[
            local quoll = require "quoll"
            local locals = quoll.locals
            jit.off()
            local failures, n = 0, 0
            local function write() locals.b = 2 end
            local function check(left)
                locals.a, locals.b = 1, nil
                fail_allocation(n)
                local ok = pcall(write)
                left = fail_allocation(0)
                local b = quoll.spawn(function() return locals.b end):wait()
                assert(locals.a == 1 and b == (ok and 2 or nil))
                locals.b = nil
                failures = failures + (ok and 0 or 1)
                return left
            end
            quoll.run(function()
                repeat
                    n = n + 1
                until check(0) > 0
            end)
            print(failures > 1)
        ]], {}, { lua = helper.build .. "/bin/quoll-host" })
        assert.equal("true\n", result.out, result.err)
        assert.equal(0, result.code)
    end)
end)
