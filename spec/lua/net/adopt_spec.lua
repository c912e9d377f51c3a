local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local ffi = helper.ffi

describe("quoll.adopt", function()
    helper.gates()

    it("takes a duplicate on request", function()
        quoll.run(function()
            local fds = ffi.new("int[2]")
            assert(ffi.C.pipe2(fds, 0x80000) == 0)
            local conn = assert(quoll.adopt(fds[0], { dup = true }))
            assert.not_equal(fds[0], conn:getfd())
            ffi.C.close(fds[1])
            assert.equal("", conn:receive "*a")
            conn:close()
            assert.equal(0, ffi.C.close(fds[0]))
        end)
    end)

    it("refuses a regular file in words", function()
        local file = assert(io.open "README.md")
        ffi.cdef "int fileno(void *file);"
        assert.same({ nil, "a regular file is no connection", "EPERM" },
            { quoll.adopt(ffi.C.fileno(file)) })
        file:close()
    end)

    it("refuses options that it does not know", function()
        pair.raises(function() quoll.adopt(0, { copy = true }) end,
            "no option 'copy'; there are: dup")
    end)
end)
