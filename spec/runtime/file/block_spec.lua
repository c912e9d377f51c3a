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

    for _, class in ipairs { { 0, "small", 1, 8192 },
        { 1, "large", 65537, 256 * 1024 + 8192 } } do
        local index, name, least, most = unpack(class)

        it("that are " .. name .. " are used again, the last one first",
            forked(function()
                local loop = counted()
                local a, b = C.ql__block_take(loop, least, 1),
                    C.ql__block_take(loop, most, 4096)
                ffi.fill(a, most)
                C.ql__block_give(loop, a, least, 1)
                C.ql__block_give(loop, b, most, 4096)
                if loop.blocks[index].kept == 0 then
                    return -- AddressSanitizer is to see a use after the end
                end
                local made = files.calls("memalign")
                assert.is_true(C.ql__block_take(loop, most, 4096) == b)
                assert.is_true(C.ql__block_take(loop, least, 1) == a)
                assert.equal(made, files.calls("memalign"))
                C.ql__block_give(loop, a, least, 1)
                C.ql__block_give(loop, b, most, 4096)
            end))

        it("that are " .. name .. " are kept up to a limit",
            forked(function()
                local loop, list = counted(), {}
                for i = 1, 100 do
                    list[i] = C.ql__block_take(loop, most, 4096)
                end
                for i = 1, 100 do
                    C.ql__block_give(loop, list[i], most, 4096)
                end
                local kept = loop.blocks[index].kept
                assert.equal(100, kept + files.calls("free"))
                assert.is_true(kept * most <= 4 * files.MIB)
            end))
    end

    it("of other sizes are given back to the system", forked(function()
        local loop = counted()
        for _, ask in ipairs { { 8193, 1 }, { 12288, 4096 }, { 8192, 8192 },
            { 65536, 1 }, { 128 * 1024, 8192 }, { files.MIB, 4096 } } do
            C.ql__block_give(loop, C.ql__block_take(loop, ask[1], ask[2]),
                ask[1], ask[2])
        end
        assert.same({ 0, 0 }, { loop.blocks[0].kept, loop.blocks[1].kept })
        assert.equal(6, files.calls("free"))
    end))

    it("without memory are NULL", forked(function()
        local loop = counted()
        for _, size in ipairs { 4096, 65536, 128 * 1024, files.MIB } do
            inject.ql_inject_fail("memalign", -1, 1, 1, helper.errno.ENOMEM)
            inject.ql_inject_fail("malloc", -1, 1, 1, helper.errno.ENOMEM)
            assert.is_true(C.ql__block_take(loop, size, 4096) == nil)
            inject.ql_inject_clear()
        end
    end))
end)
