local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject = helper.ffi, helper.C, helper.inject
local forked = helper.forked

local function address(block)
    return tonumber(ffi.cast("uintptr_t", block))
end

local function counted()
    return helper.loop({}, inject.ql_inject_new(nil))
end

describe("blocks", function()
    it("lie at a multiple of the alignment asked for", forked(function()
        local loop = counted()
        for _, ask in ipairs { { 512, 512 }, { 4096, 4096 }, { 8192, 4096 },
            { 12288, 4096 }, { 65536, 16384 } } do
            local block = C.ql__block_take(loop, ask[1], ask[2])
            assert.equal(0, address(block) % ask[2])
            ffi.fill(block, ask[1], 1)
            C.ql__block_give(loop, block, ask[1], ask[2])
        end
    end))

    it("of 0 bytes are memory too", forked(function()
        local loop = counted()
        local block = C.ql__block_take(loop, 0, 1)
        assert.is_true(block ~= nil)
        C.ql__block_give(loop, block, 0, 1)
    end))

    it("that are small are used again, the last one first", forked(function()
        local loop = counted()
        local a, b = C.ql__block_take(loop, 1, 1),
            C.ql__block_take(loop, 8192, 4096)
        C.ql__block_give(loop, a, 1, 1)
        C.ql__block_give(loop, b, 8192, 4096)
        if loop.blocks.kept == 0 then
            return -- AddressSanitizer is to see each use after the end
        end
        local made = files.calls("memalign")
        assert.is_true(C.ql__block_take(loop, 4096, 4096) == b)
        assert.is_true(C.ql__block_take(loop, 100, 1) == a)
        assert.equal(made, files.calls("memalign"))
        C.ql__block_give(loop, a, 100, 1)
        C.ql__block_give(loop, b, 4096, 4096)
    end))

    it("that are large are given back to the system", forked(function()
        local loop = counted()
        for _, ask in ipairs { { 8193, 1 }, { 12288, 4096 }, { 8192, 8192 } } do
            C.ql__block_give(loop, C.ql__block_take(loop, ask[1], ask[2]),
                ask[1], ask[2])
            assert.equal(0, loop.blocks.kept)
        end
        assert.equal(3, files.calls("free"))
    end))

    it("are kept up to a limit", forked(function()
        local loop, list = counted(), {}
        for i = 1, 100 do
            list[i] = C.ql__block_take(loop, 4096, 4096)
        end
        for i = 1, 100 do
            C.ql__block_give(loop, list[i], 4096, 4096)
        end
        assert.equal(100, loop.blocks.kept + files.calls("free"))
        assert.is_true(loop.blocks.kept <= 64)
    end))

    it("without memory are NULL", forked(function()
        local loop = counted()
        inject.ql_inject_fail("memalign", -1, 1, 1, helper.errno.ENOMEM)
        assert.is_true(C.ql__block_take(loop, 4096, 4096) == nil)
        inject.ql_inject_fail("malloc", -1, 1, 1, helper.errno.ENOMEM)
        assert.is_true(C.ql__block_take(loop, 65536, 1) == nil)
    end))
end)
