local helper = require "spec.helper"
local pair = require "spec.support.pair"
local buffer = require "string.buffer"
local quoll = require "quoll"

local ffi = helper.ffi
ffi.cdef "typedef struct { char name[4]; int n; } block_spec_t;"

local function array_of(text)
    local array = ffi.new("char[?]", #text)
    ffi.copy(array, text, #text)
    return array
end

describe("quoll.block", function()
    helper.gates()

    it("sends arrays, structs and pointers", pair.with(function(client, server)
        local array = ffi.new("char[5]", "hello")
        assert.equal(5, client:send(array))
        assert.equal(2, client:send(array, 2))
        assert.equal(3, client:send(ffi.cast("const char *", array) + 1, 3))
        assert.equal(0, client:send(ffi.new("char[?]", 0)))
        assert.equal("hellohe" .. "ell", server:receive(10))
        local record = ffi.new("block_spec_t", { "abcd", 0x41424344 })
        assert.equal(8, client:send(record))
        assert.equal(4, client:send(record.name))
        assert.equal("abcdDCBAabcd", server:receive(12))
        local words = ffi.new("uint32_t[?]", 2, 0x64636261, 0x68676665)
        assert.equal(8, client:send(words))
        assert.equal("abcdefgh", server:receive(8))
    end))

    it("sends a string.buffer, which keeps its bytes",
        pair.with(function(client, server)
            local text = buffer.new():put("abc", 1)
            assert.equal(4, client:send(text))
            assert.equal("abc1", server:receive(4))
            assert.equal("abc1", text:get())
            assert.equal(0, client:send(text))
        end))

    it("sends them inside tables, too", pair.with(function(client, server)
        local array = ffi.new("char[3]", "cde")
        local text = buffer.new():put("fg")
        assert.equal(9, client:send { "ab", { array, text }, 1, "h" })
        assert.equal("abcdefg1h", server:receive(9))
    end))

    it("sends large ones from where they are, and keeps them alive",
        pair.with(function(client, server)
            local SIZE = 4 * pair.MIB
            for _, make in ipairs {
                array_of,
                function(s) return buffer.new():put(s) end,
                function(s) return { array_of(s) } end,
                function(s) return { buffer.new():put(s), "" } end,
            } do
                local expected = ("0123456789abcdef"):rep(SIZE / 16)
                local writer = quoll.spawn(function()
                    return client:send(make(expected))
                end)
                quoll.yield()
                quoll.yield()
                collectgarbage()
                collectgarbage()
                assert.is_true(server:receive(SIZE) == expected)
                assert.equal(SIZE, writer:wait(pair.PATIENCE))
            end
        end))

    it("sends what a buffer held at the call",
        pair.with(function(client, server)
        local text = buffer.new():put(("a"):rep(8 * pair.MIB))
        local writer = quoll.spawn(function()
            return client:send(text)
        end)
        quoll.yield()
        quoll.yield()
        text:reset():put(("b"):rep(16 * pair.MIB))
        local got = server:receive(8 * pair.MIB)
        assert.is_nil(got:find("[^a]"))
        assert.equal(8 * pair.MIB, writer:wait(pair.PATIENCE))
    end))

    it("checks sizes at the caller's line", pair.with(function(client)
        local array = ffi.new("char[5]")
        for _, bad in ipairs { -1, 6, 1.5, "x" } do
            pair.raises(function()
                client:send(array, bad)
            end, "block_spec.lua:%d+: bad argument 'n' to 'send' "
                .. "%(a number of bytes up to 5")
        end
        local pointer = ffi.cast("char *", array)
        pair.raises(function()
            client:send(pointer)
        end, "block_spec.lua:%d+: bad argument 'n' to 'send'")
        pair.raises(function()
            client:send { pointer }
        end, "block_spec.lua:%d+: bad argument 'n' to 'send'")
        pair.raises(function()
            client:send(buffer.new(), 3)
        end, "bad argument #2 to 'send'")
    end))

    it("refuses bytes at NULL", pair.with(function(client, server)
        local null = ffi.cast("char *", 0)
        for _, bad in ipairs { null, ffi.new("const char *") } do
            pair.raises(function()
                client:send(bad, 3)
            end, "block_spec.lua:%d+: bad argument 'data' to 'send' "
                .. "%(3 bytes expected, got NULL%)")
        end
        assert.equal(0, client:send(null, 0))
        assert.equal(1, client:send "x")
        assert.equal("x", server:receive(1))
    end))

    it("refuses what has no bytes", pair.with(function(client)
        for _, bad in ipairs { 5LL, ffi.typeof("int"), ffi.new("int", 5),
            ffi.C.getpid, io.stdout, newproxy(true) } do
            pair.raises(function()
                client:send(bad)
            end, "block_spec.lua:%d+: bad argument 'data' to 'send'")
            pair.raises(function()
                client:send { bad }
            end, "block_spec.lua:%d+: bad argument 'data' to 'send'")
        end
    end))
end)
