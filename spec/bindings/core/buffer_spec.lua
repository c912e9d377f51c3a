local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

-- Resident bytes of this process.
local function resident()
    local f = assert(io.open("/proc/self/statm"))
    local _, pages = f:read("*n", "*n")
    f:close()
    return pages * 4096
end

describe("bindings/core/buffer", function()
    helper.gates()

    it("keeps bytes in order while it moves and grows",
        pair.with(function(client, server)
            local sizes = { 1, 16383, 16384, 16385, 5, 40000, 32768, 100, 7 }
            local expected = {}
            for i, size in ipairs(sizes) do
                expected[i] = string.char(96 + i):rep(size)
            end
            quoll.spawn(function()
                client:send(expected)
                client:close()
            end)
            for i, size in ipairs(sizes) do
                assert.is_true(server:receive(size) == expected[i])
            end
            assert.equal("", server:receive("*a"))
        end))

    it("holds a peeked window larger than a pooled buffer",
        pair.with(function(client, server)
            local data = ("0123456789"):rep(10000)
            quoll.spawn(function()
                client:send({ "x", data })
            end)
            assert.equal("x", server:receive(1))
            assert.is_true(server:peek(#data) == data)
            assert.equal("0123", server:receive(4))
            assert.is_true(server:peek(#data - 4) == data:sub(5))
            assert.is_true(server:receive(#data - 4) == data:sub(5))
        end))

    it("holds no memory for connections that wait", function()
        if helper.sanitized or helper.collecting or helper.injected then
            pending("memory is not what it is")
            return
        end
        local COUNT = 200
        quoll.run(function()
            local listener = quoll.listen("unix:@quoll-buffer-"
                .. helper.ffi.C.getpid())
            local conns = {}
            for i = 1, COUNT do
                conns[2 * i] = assert(quoll.connect(listener:address()))
                conns[2 * i - 1] = assert(listener:accept(pair.PATIENCE))
            end
            local data = ("x"):rep(16384)
            local before = resident()
            for i = 1, COUNT do
                conns[2 * i - 1]:send(data) -- dirties every page of a buffer
                assert.equal(#data, #conns[2 * i]:receive(#data))
                quoll.spawn(function()
                    conns[2 * i]:receive(1)
                end)
                quoll.yield()
            end
            local each = (resident() - before) / COUNT
            assert.is_true(each < 8192, each .. " bytes for each waiting read")
            for i = 1, COUNT do
                conns[2 * i - 1]:close()
            end
        end)
    end)
end)
