local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat
local mounted = files.mounting(it, pending)

local SIZE = 1024 * 1024 + 123
local CASES = 300

-- Cold and warm reads of any place and length agree with the data.
local function compare(loop, path, data, direct, seed)
    math.randomseed(seed)
    local file = files.open(loop, path, direct)
    for i = 1, CASES do
        local offset = math.random(0, #data + 5000)
        local size = math.random(0, math.random() < 0.1 and #data or 20000)
        if i % 10 == 0 then
            files.evict(path)
        end
        local text, err = files.read(loop, file, size, offset)
        assert(text == data:sub(offset + 1, offset + size),
            ("case %d: %d at %d: %s"):format(i, size, offset,
                tostring(err or #text)))
    end
    C.ql_file_close(file)
end

local function counted()
    return helper.loop({}, inject.ql_inject_new(nil))
end

describe("reads of any place and length", function()
    for name, direct in pairs { cached = false, direct = true } do
        it("are right: " .. name, forked(function()
            local loop = counted()
            local data = files.bytes(SIZE)
            local path = files.make(data)
            compare(loop, path, data, direct, 42)
            if direct then
                assert.is_true(stat(loop, "read_direct") >= CASES * 0.9)
                assert.equal(0, stat(loop, "read_pool"))
            else
                assert.is_true(stat(loop, "read_hits") > 0)
                assert.is_true(stat(loop, "read_pool") > 0)
                assert.equal(0, stat(loop, "read_direct"))
            end
            assert.equal(0, stat(loop, "reads_live"))
            os.remove(path)
        end, 30))

        mounted("are right on tmpfs: " .. name, forked(function()
            files.on_tmpfs(function(dir)
                local data = files.bytes(SIZE)
                compare(counted(), files.make(data, dir), data, direct, 43)
            end)
        end, 30))

        mounted("are right on overlayfs: " .. name, forked(function()
            local data = files.bytes(SIZE)
            files.on_overlay(data, function(dir)
                local loop = counted()
                compare(loop, dir .. "/below", data, direct, 44)
                assert.equal(0, stat(loop, "reads_live"))
            end)
        end, 30))
    end
end)

describe("a read", function()
    for name, direct in pairs { cached = false, direct = true } do
        it("at and past the end is short and empty: " .. name,
            forked(function()
                local loop = counted()
                local path = files.make("0123456789")
                local file = files.open(loop, path, direct)
                assert.equal("89", files.read(loop, file, 10, 8))
                for _, offset in ipairs { 10, 11, 4096, 2 ^ 40, 2 ^ 62 } do
                    assert.equal("", files.read(loop, file, 10, offset))
                end
                assert.equal("", files.read(loop, file, 0, 3))
                C.ql_file_close(file)
                os.remove(path)
            end))

        it("of an empty file is empty: " .. name, forked(function()
            local loop = counted()
            local path = files.make("")
            local file = files.open(loop, path, direct)
            assert.equal("", files.read(loop, file, 4096, 0))
            C.ql_file_close(file)
            os.remove(path)
        end))

        it("beyond 4 GiB and in holes is right: " .. name,
            forked(function()
                local loop = counted()
                local path = files.make("front")
                local far = 5 * 2 ^ 30 + 77
                files.write(path, "far away", far)
                files.evict(path)
                local file = files.open(loop, path, direct)
                assert.equal("far away", files.read(loop, file, 100, far))
                assert.equal(("\0"):rep(50) .. "far",
                    files.read(loop, file, 53, far - 50))
                assert.equal("front" .. ("\0"):rep(5000),
                    files.read(loop, file, 5005, 0))
                C.ql_file_close(file)
                os.remove(path)
            end))

        it("sees a file that grew and one that shrank: " .. name,
            forked(function()
                local loop = counted()
                local path = files.make(("a"):rep(5000))
                local file = files.open(loop, path, direct)
                assert.equal(5000, #files.read(loop, file, 9000))
                files.write(path, ("b"):rep(3000), 5000)
                assert.equal(("a"):rep(5000) .. ("b"):rep(3000),
                    files.read(loop, file, 9000))
                files.truncate(path, 7)
                assert.equal("aaaaaaa", files.read(loop, file, 9000))
                C.ql_file_close(file)
                os.remove(path)
            end))
    end

    it("of a file that shrinks meanwhile has no stale tail",
        forked(function()
            local loop = counted()
            local data = files.bytes(3 * 1024 * 1024)
            for _, direct in ipairs { false, true } do
                for _, left in ipairs { 0, 1000, 1500000 } do
                    local path = files.make(data)
                    local file = files.open(loop, path, direct)
                    local r = C.ql_read_create(file, #data, 0)
                    C.ql_read_attempt(r)
                    files.truncate(path, left)
                    local text = files.finish(loop, r)
                    assert.is_true(#text >= left)
                    assert.is_true(text == data:sub(1, #text))
                    C.ql_file_close(file)
                    os.remove(path)
                end
            end
        end))

    it("of a file that grows meanwhile is right", forked(function()
        local loop = counted()
        local data = files.bytes(3 * 1024 * 1024)
        for _, direct in ipairs { false, true } do
            local path = files.make(data:sub(1, 1500000))
            local file = files.open(loop, path, direct)
            local r = C.ql_read_create(file, #data, 0)
            C.ql_read_attempt(r)
            files.write(path, data:sub(1500001), 1500000)
            local text = files.finish(loop, r)
            assert.is_true(#text >= 1500000)
            assert.is_true(text == data:sub(1, #text))
            C.ql_file_close(file)
            os.remove(path)
        end
    end))

    it("tells its lane", forked(function()
        local loop = counted()
        local path = files.make("x")
        local file = files.open(loop, path)
        local r = C.ql_read_create(file, 1, 0)
        assert.equal("cached", ffi.string(C.ql_read_lane(r)))
        r.event.handler = helper.handler(function() end)
        helper.run_until(loop, function()
            return C.ql_read_attempt(r) ~= C.NGX_AGAIN
        end)
        assert.equal("done", ffi.string(C.ql_read_lane(r)))
        C.ql_read_free(r)
        C.ql_file_close(file)
        os.remove(path)
    end))

    it("refuses sizes and offsets that make no sense", forked(function()
        local loop = counted()
        local path = files.make("x")
        local file = files.open(loop, path)
        for _, case in ipairs { { 2 ^ 30 + 1, 0 }, { 1, -1 },
            { 1, 2 ^ 62 + 2 ^ 20 } } do
            assert.is_true(C.ql_read_create(file, case[1], case[2]) == nil)
            assert.equal(errno.EINVAL, ffi.errno())
        end
        assert.equal(0, stat(loop, "reads_live"))
        C.ql_file_close(file)
        os.remove(path)
    end))

    for call, direct in pairs { malloc = false, memalign = true } do
        it("without memory is ENOMEM: " .. call, forked(function()
            local loop = counted()
            local path = files.make("x")
            local file = files.open(loop, path, direct)
            inject.ql_inject_fail(call, -1, 1, 1, errno.ENOMEM)
            assert.is_true(C.ql_read_create(file, 1, 0) == nil)
            assert.equal(errno.ENOMEM, ffi.errno())
            assert.same({ 0, 1 }, { stat(loop, "reads_live"), file.refs })
            C.ql_file_close(file)
            os.remove(path)
        end))
    end

    it("calls its handler when there is progress", forked(function()
        local loop = counted()
        local data = files.bytes(3 * 1024 * 1024)
        local path = files.make(data)
        for _, direct in ipairs { false, true } do
            local file = files.open(loop, path, direct)
            local r = C.ql_read_create(file, #data, 0)
            local rc
            r.event.handler = helper.handler(function()
                rc = C.ql_read_attempt(r)
            end)
            rc = C.ql_read_attempt(r)
            helper.run_until(loop, function() return rc ~= C.NGX_AGAIN end)
            assert.equal(C.NGX_OK, rc)
            assert.is_true(data == ffi.string(r.data, r.nbytes))
            assert.equal(C.NGX_OK, C.ql_read_attempt(r)) -- still
            C.ql_read_free(r)
            C.ql_file_close(file)
            files.evict(path)
        end
        os.remove(path)
    end))
end)
