-- Every wait is cut by a deadline, and what was cut has had no effect.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local CUT = { nil, "timeout", "DEADLINE" }

local function cut(fn, ...)
    assert.same(CUT, { quoll.deadline(0.002, fn, ...) })
end

local WAITS = {
    ["sleep"] = function()
        cut(quoll.sleep, 10)
    end,
    ["task:wait"] = function()
        local task = quoll.spawn(function()
            quoll.sleep(0.02)
            return "unharmed"
        end)
        cut(task.wait, task)
        assert.equal("unharmed", task:wait())
    end,
    ["accept"] = function()
        local lst = assert(quoll.listen("127.0.0.1:0"))
        cut(lst.accept, lst)
        local conn = assert(quoll.connect(lst:address()))
        assert.is_userdata(lst:accept(5))
        conn:close()
    end,
    ["serve"] = function()
        local lst = assert(quoll.listen("127.0.0.1:0"))
        cut(lst.serve, lst, function() end)
        assert.is_string(lst:address())
        local address
        cut(function()
            quoll.spawn(function() address = true end)
            quoll.serve("127.0.0.1:0", function() end)
        end)
        assert.is_true(address)
    end,
    ["receive"] = function()
        local a, b = pair.connect()
        assert(b:send("half a l"))
        cut(a.receive, a, "*l")
        assert(b:send("ine\nrest"))
        assert.equal("half a line", a:receive("*l"))
        cut(a.receive, a, 10)
        assert.equal("rest", a:receiveany(100))
        cut(a.receiveany, a, 100)
        cut(a.peek, a, 1)
        cut(a.receiveuntil(a, "--"))
        b:close()
    end,
    ["waitfd"] = function()
        local a, b = pair.connect()
        cut(quoll.waitfd, a:getfd(), "r")
        b:send("x")
        assert.equal("r", quoll.waitfd(a:getfd(), "r", 5))
    end,
    ["send"] = function()
        local a, b = pair.connect()
        a:settimeout(nil)
        cut(a.send, a, ("x"):rep(32 * 1024 * 1024))
        assert.is_string(b:receiveany(10)) -- a part of it has gone
        assert.equal("closed", (select(2, a:send("more"))))
    end,
    ["every"] = function()
        local n = 0
        cut(function()
            quoll.timer.every(0.0005, function() n = n + 1 end)
        end)
        local before = n
        quoll.sleep(0.003)
        assert.equal(before, n)
    end,
    ["after"] = function()
        local called = false
        cut(function()
            quoll.timer.after(0.01, function() called = true end)
        end)
        quoll.sleep(0.02)
        assert.is_false(called)
    end,
}

describe("a deadline cuts", function()
    helper.gates()

    for name, wait in pairs(WAITS) do
        it(name, function() run(wait, 10) end)
    end

    -- A read that the cache has is there at once; either way the file serves
    -- the next one.
    it("reads of files, which go on serving", function()
        local path = tasks.file(("0123456789"):rep(100000))
        finally(function() os.remove(path) end)
        run(function()
            local file = assert(quoll.open(path, "rd"))
            for i = 1, 20 do
                local got, err, code = quoll.deadline(0, file.pread, file,
                    4096, i * 4096)
                assert.is_true(got ~= nil and #got == 4096
                    or err == "timeout" and code == "DEADLINE")
            end
            assert.equal("0123456789", file:pread(10, 0))
            assert.same(CUT, { quoll.deadline(0, function()
                for i = 0, 1e6 do
                    file:pread(10, i % 100 * 10)
                    quoll.yield()
                end
            end) })
            assert.equal("0123456789", file:pread(10, 10))
        end)
    end)
end)
