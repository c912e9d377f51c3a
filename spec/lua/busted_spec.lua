local helper = require "spec.helper"

describe("quoll.busted", function()
    local folder

    before_each(function()
        folder = os.tmpname()
        os.remove(folder)
        assert.equal(0, os.execute("mkdir " .. folder))
    end)

    after_each(function()
        os.execute("rm -r " .. folder)
    end)

    -- What busted says of a file that installs the helper: its TAP output
    -- with SPEC for the file's path.
    local function output(body, settings)
        local path = folder .. "/sample_spec.lua"
        local file = assert(io.open(path, "w"))
        file:write(('require("quoll.busted").install { deadline = %s, '
            .. 'patience = %s }\nlocal quoll = require "quoll"\n'):format(
                settings and settings.deadline or helper.seconds(5),
                helper.seconds(0.1)))
        file:write(body)
        file:close()
        local result = helper.script("require 'busted.runner' "
            .. "{ standalone = false }", { "--ignore-lua", "--output=TAP",
            "--cpath=" .. helper.build .. "/lib/lua/5.1/?.so", path },
            { timeout = 30 })
        assert.is_nil(result.signal, result.err)
        return (result.out:gsub(path:gsub("%p", "%%%0"), "SPEC")), result.err
    end

    it("runs every test as a task", function()
        assert.equal("ok 1 - waits\nok 2 - runs\nok 3 - also\n1..3\n",
            output [[
                local core = require "quoll.core"
                it("waits", function()
                    local start = quoll.now()
                    quoll.sleep(0.01)
                    assert.is_false(core.is_root())
                    assert.is_true(quoll.now() - start >= 0.01)
                end)
                spec("runs", function() assert.is_false(core.is_root()) end)
                test("also", function() assert.is_false(core.is_root()) end)
            ]])
    end)

    it("keeps the words, line and difference of a failure", function()
        local text = output [[
            it("differs", function()
                quoll.sleep(0.001)
                assert.same({ 1, 2 }, { 1, 3 })
            end)
        ]]
        assert.matches("not ok 1 %- differs\n# SPEC @ 3\n# Failure message: "
            .. "SPEC:5: Expected objects to be the same", text)
        assert.matches("%*%[2%] = 3", text)
    end)

    it("keeps the words and line of an error, whatever it is", function()
        local text = output [[
            it("indexes", function()
                local t = nil
                quoll.yield()
                return t.x
            end)
            it("raises", function()
                error { code = 5 }
            end)
            it("has no place", function() error("text", 0) end)
            it("raises nil", function() error() end)
            it("raises an object", function()
                error(setmetatable({}, { __tostring = function()
                    return "object"
                end }))
            end)
        ]]
        assert.matches("SPEC:6: attempt to index local 't'", text)
        assert.matches("SPEC:9: {\n#   code = 5\n# }", text)
        assert.matches("SPEC:11: text", text)
        assert.matches("SPEC:12: Nil error", text)
        assert.matches("SPEC:14: object", text)
    end)

    it("fails a test that does not end, and says what lives", function()
        local text = output([[
            it("hangs", function()
                quoll.spawn(function()
                    quoll.sleep(1000)
                end):name "sleeper"
                quoll.yield()
            end)
            it("goes on", function() end)
        ]], { deadline = 0.05 })
        assert.matches("not ok 1 %- hangs\n# SPEC @ 3\n# Failure message: "
            .. "%S-:%d+: no end within 0.05 s; alive are:\n# task %d+ 'test'",
            text)
        assert.matches("\n# task %d+ 'sleeper': waiting, sleep, 999", text)
        assert.matches("SPEC:5: in function <SPEC:4>", text)
        assert.matches("\nok 2 %- goes on", text)
    end)

    it("has a deadline for each test", function()
        local text = output([[
            it("has time", { deadline = 20 }, function()
                quoll.sleep(0.03)
            end)
            it("has none", { deadline = 0.01 }, function()
                quoll.sleep(1000)
            end)
        ]], { deadline = 0.02 })
        assert.matches("^ok 1 %- has time\nnot ok 2 %- has none", text)
        assert.matches("no end within 0.01 s", text)
    end)

    it("fails a test of which a task fails that nobody waits for", function()
        local text, log = output [[
            it("has a child", function()
                quoll.spawn(function() error "in a child" end):name "c"
            end)
            it("has two", function()
                quoll.spawn(error, "one", 0)
                quoll.spawn(error, "two", 0)
            end)
            it("waits for it", function()
                local task = quoll.spawn(error, "x", 0)
                assert.same({ false, "x" }, { pcall(task.wait, task) })
                local late = quoll.spawn(error, "y", 0)
                quoll.sleep(0)
                assert.same({ false, "y" }, { pcall(late.wait, late) })
                quoll.spawn(pcall, error)
            end)
            it("fails itself", function()
                quoll.spawn(error, "logged", 0)
                quoll.yield()
                error("its own", 0)
            end)
        ]]
        local failed = "\n# Failure message: SPEC:%d+: task %d+ "
        assert.matches("^not ok 1 %- has a child\n# SPEC @ 3" .. failed
            .. "'c' failed: SPEC:4: in a child\n# stack traceback:", text)
        assert.matches("not ok 2 .-" .. failed
            .. "failed: one\n.-\n# task %d+ failed: two\n", text)
        assert.matches("\nok 3 %- waits for it\n", text)
        assert.matches("SPEC:21: its own", text)
        assert.matches("task %d+ failed: logged\n\tstack", log)
        assert.not_matches("in a child", log)
    end)

    it("fails a test of which one fails when it is cancelled", function()
        assert.matches("\n# Failure message: SPEC:%d+: has one that fails in "
            .. "the end: task %d+ failed: late\n", (output([[
            describe("with a fixture", function()
                before_each(function()
                    quoll.spawn(function()
                        pcall(quoll.sleep, 1000)
                        error("late", 0)
                    end)
                end)
                after_each(function() end)
                it("has one that fails in the end", function() end)
            end)
        ]])))
    end)

    it("fails a test that leaves something over", function()
        local text = output [[
            it("a task", function()
                quoll.spawn(quoll.sleep, 1000):detach():name "lost"
            end)
            it("a timer", function()
                quoll.timer.after(1000, print):detach()
            end)
            it("a handle", function()
                kept = quoll.listen("127.0.0.1:0"):disown()
            end)
            it("a descriptor", function() other = io.open(arg[0]) end)
            it("nothing", function()
                quoll.open(arg[0])
                quoll.listen "127.0.0.1:0"
                io.open(arg[0])
            end)
        ]]
        assert.matches("not ok 1 %- a task\n# SPEC @ 3\n# Failure message: "
            .. "SPEC:3: a task: left over: task %d+ 'lost' %(waiting: sleep",
            text)
        assert.matches("not ok 2 .-left over: task %d+ %(starting.-1 timer",
            text)
        assert.matches("not ok 3 .-left over: 1 connection, descriptor %d+: "
            .. "socket:", text)
        assert.matches("not ok 4 .-left over: descriptor %d+: /", text)
        assert.matches("ok 5 %- nothing", text)
    end)

    it("keeps what before_each made until after_each", function()
        local text = output [[
            local listener, order
            before_each(function()
                order = { "file" }
            end)
            after_each(function()
                quoll.yield()
                assert.same({ "file", "describe", "test", "last", "inner" },
                    order)
            end)
            describe("", function()
                before_each(function()
                    order[2] = "describe"
                    listener = quoll.listen "127.0.0.1:0"
                    quoll.spawn(quoll.serve, listener, function(conn)
                        conn:send "hello\n"
                    end)
                end)
                after_each(function()
                    assert.is_truthy(listener:address())
                    order[5] = "inner"
                end)
                local function greets()
                    finally(function()
                        quoll.yield()
                        order[4] = "last"
                    end)
                    local conn = quoll.connect(listener:address())
                    assert.equal("hello", conn:receive "*l")
                    order[3] = "test"
                end
                it("greets", greets)
                it("greets again", greets)
            end)
        ]]
        assert.equal("ok 1 -  greets\nok 2 -  greets again\n1..2\n", text)
    end)

    it("has a deadline for before_each, after_each and finally", function()
        local text, err = output([[
            describe("begin", function()
                before_each(function() quoll.sleep(1000) end)
                it("is not reached", function() error "reached" end)
            end)
            describe("end", function()
                after_each(function() quoll.sleep(1000) end)
                it("passes", function() end)
            end)
            describe("finally", function()
                it("is late", function()
                    finally(function() quoll.sleep(1000) end)
                end)
            end)
        ]], { deadline = 0.02 })
        local _, late = (text .. err):gsub("no end within 0.02 s", "")
        assert.is_true(late >= 1, text .. err)
        assert.is_nil(text:find "reached\n")
        assert.matches("not ok %d %- finally is late", text)
    end)

    it("leaves what is left over by after_each to the test's name", function()
        local text = output [[
            after_each(function() end)
            it("loses", function()
                quoll.spawn(quoll.sleep, 1000):detach()
            end)
        ]]
        assert.matches("SPEC:4: loses: left over: task", text)
    end)

    it("knows pending tests", function()
        local text = output [[
            it("comes later", function()
                quoll.yield()
                pending "not now"
            end)
            pending("never")
        ]]
        assert.is_nil(text:find "not ok")
        assert.matches("^ok 1 %- # SKIP SPEC:5: not now\nok 2", text)
    end)

    it("goes on after a test's own task has ended", function()
        local text = output [[
            it("yields to nobody", function()
                coroutine.yield()
            end)
            it("runs", function() quoll.yield() end)
        ]]
        assert.matches("not ok 1 .*coroutine.yield in a task", text)
        assert.matches("\nok 2 %- runs", text)
    end)

    it("refuses what it does not know", function()
        local text, err = output [[
            it("has options", { deadlin = 5 }, function() end)
        ]]
        assert.matches("no option 'deadlin'; there are: deadline", text .. err)
    end)
end)
