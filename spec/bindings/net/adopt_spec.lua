local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local ffi = helper.ffi

local function pipe()
    local fds = ffi.new("int[2]")
    assert(ffi.C.pipe2(fds, 0x80000) == 0)
    return fds[0], fds[1]
end

local function in_task(fn)
    return function() quoll.run(fn) end
end

describe("bindings/net/adopt", function()
    helper.gates()

    it("reads and writes a pipe", in_task(function()
        local r, w = pipe()
        local from, to = assert(quoll.adopt(r)), assert(quoll.adopt(w))
        from:settimeout(pair.PATIENCE)
        quoll.spawn(function()
            to:send { "one\n", "two\n" }
            to:close()
        end)
        assert.equal("one", from:receive "*l")
        assert.equal("two\n", from:receive "*a")
        assert.same({ nil, "closed", "", "CLOSED" }, { from:receive "*l" })
    end))

    it("moves more than a pipe holds", in_task(function()
        local r, w = pipe()
        local from, to = assert(quoll.adopt(r)), assert(quoll.adopt(w))
        local data = ("0123456789abcdef"):rep(pair.MIB / 4)
        quoll.spawn(function()
            assert(to:send(data))
            to:close()
        end)
        assert.equal(data, from:receive "*a")
    end))

    it("tells the writer that nobody reads", in_task(function()
        local r, w = pipe()
        local to = assert(quoll.adopt(w))
        ffi.C.close(r)
        assert.same({ nil, "broken pipe", 0, "EPIPE" }, { to:send "x" })
    end))

    it("says what it waits for", in_task(function()
        local r, w = pipe()
        local from = assert(quoll.adopt(r))
        local reader = quoll.spawn(function() return from:receive(1) end)
        quoll.yield()
        local waits
        for _, task in ipairs(quoll.tasks()) do
            waits = task.id == reader:id() and task.waits or waits
        end
        assert.equal(("receive from descriptor (fd %d)"):format(r), waits)
        ffi.C.write(w, "x", 1)
        assert.equal("x", reader:wait(pair.PATIENCE))
        ffi.C.close(w)
    end))

    it("has no names, options or halves where there is no socket",
        in_task(function()
            local r, w = pipe()
            local from = assert(quoll.adopt(r))
            assert.equal("ENOTSOCK", (select(3, from:getpeername())))
            assert.equal("ENOTSOCK", (select(3, from:getoption "rcvbuf")))
            assert.equal("ENOTSOCK", (select(3, from:shutdown "both")))
            ffi.C.close(w)
        end))

    it("is open when it comes, also beside a limit", in_task(function()
        assert.same({ nil, "bad file descriptor", "EBADF" },
            { quoll.adopt(123456) })
        pair.raises(function() quoll.adopt(-1) end,
            "adopt_spec.lua:%d+: bad argument 'fd' to 'adopt'")
    end))
end)
