local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat
local mounted = files.mounting(it, pending)

local function opened(settings, dir)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    local path = files.make("0123456789", dir)
    return loop, files.writable(loop, path), path
end

local close = files.close

local function sync(loop, file, data)
    local call = C.ql_sync_create(file, data and 1 or 0)
    assert(call ~= nil)
    local rc = files.await(loop, call)
    local err = call.err
    C.ql_call_free(call)
    return rc, err
end

describe("sync", function()
    it("is the AIO's, and takes no thread", forked(function()
        local loop, file, path = opened()
        files.write(path, "abc", 3)
        assert.equal(C.NGX_OK, (sync(loop, file)))
        assert.equal(C.NGX_OK, (sync(loop, file, true)))
        assert.same({ 2, 2, 0, 0 }, { stat(loop, "sync_aio"),
            stat(loop, "aio_reaped"), stat(loop, "pool_jobs"),
            files.calls("fsync") + files.calls("fdatasync") })
        assert.same({}, files.fallbacks(loop))
        close(file, path)
    end))

    for _, err in ipairs { "EINVAL", "EOPNOTSUPP" } do
        it("takes a thread where the submit says " .. err, forked(function()
            local loop, file, path = opened()
            inject.ql_inject_fail("io_submit", -1, 1, 2, errno[err])
            assert.equal(C.NGX_OK, (sync(loop, file)))
            assert.equal(C.NGX_OK, (sync(loop, file, true)))
            assert.same({ 2, 1, 1 }, { stat(loop, "pool_jobs"),
                files.calls("fsync"), files.calls("fdatasync") })
            assert.same({ ["sync refused"] = 2 }, files.fallbacks(loop))
            close(file, path)
        end))
    end

    it("takes a thread where there is no AIO, or its queue is full",
        forked(function()
            local loop, file, path = opened()
            inject.ql_inject_fail("io_setup", -1, 1, 0, errno.EAGAIN)
            inject.ql_inject_fail("fsync", -1, 1, 1, errno.EINTR)
            assert.equal(C.NGX_OK, (sync(loop, file)))
            assert.equal(2, files.calls("fsync"))
            assert.same({ ["sync refused"] = 1 }, files.fallbacks(loop))
            close(file, path)
            loop, file, path = opened { aio_queue = 1 }
            C.ql_aio_init(loop)
            loop.aio.queued = 1
            local call = C.ql_sync_create(file, 0)
            C.ql_call_attempt(call)
            loop.aio.queued = 0
            assert.equal(C.NGX_OK, files.await(loop, call))
            C.ql_call_free(call)
            assert.equal(1, files.calls("fsync"))
            assert.same({ ["sync queue full"] = 1 }, files.fallbacks(loop))
            close(file, path)
        end))

    it("tells EIO, whoever met it, and asks no other", forked(function()
        local loop, file, path = opened()
        inject.ql_inject_aio_res(1, -errno.EIO)
        assert.same({ C.NGX_ERROR, errno.EIO }, { sync(loop, file) })
        assert.equal(0, files.calls("fsync"))
        inject.ql_inject_fail("io_submit", -1, 1, 1, errno.EINVAL)
        inject.ql_inject_fail("fsync", -1, 1, 1, errno.EIO)
        assert.same({ C.NGX_ERROR, errno.EIO }, { sync(loop, file) })
        assert.equal(1, files.calls("fsync"))
        close(file, path)
    end))

    it("of nobody holds the file until it is done", forked(function()
        local loop, file, path = opened()
        local call = C.ql_sync_create(file, 0)
        assert.equal(C.NGX_AGAIN, C.ql_call_attempt(call))
        assert.equal(C.NGX_DECLINED, C.ql_call_withdraw(call))
        C.ql_call_free(call)
        C.ql_file_close(file)
        assert.equal(1, stat(loop, "orphans"))
        helper.run_until(loop, function()
            return stat(loop, "files_live") == 0
        end)
        assert.same({ 0, 0 }, { stat(loop, "orphans"),
            stat(loop, "calls_live") })
        os.remove(path)
    end))

    it("of nobody ends with the loop", forked(function()
        local loop, file, path = opened()
        C.ql_aio_init(loop)
        loop.aio.blocked = true
        local calls = {}
        for i = 1, 2 do
            calls[i] = C.ql_sync_create(file, 0)
            C.ql_call_attempt(calls[i])
            C.ql_call_free(calls[i])
        end
        loop.aio.blocked = false
        C.ql_file_close(file)
        os.remove(path)
        helper.finish(loop)
    end))

    mounted("has nothing to wait for in memory", forked(function()
        files.on_tmpfs(function(dir)
            local loop, file, path = opened(nil, dir)
            local call = C.ql_sync_create(file, 0)
            assert.equal(C.NGX_OK, C.ql_call_attempt(call))
            C.ql_call_free(call)
            inject.ql_inject_fail("fdatasync", -1, 1, 1, errno.EIO)
            assert.same({ C.NGX_ERROR, errno.EIO },
                { sync(loop, file, true) })
            close(file, path)
        end)
    end))

    it("needs memory", forked(function()
        local _, file, path = opened()
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(C.ql_sync_create(file, 0) == nil)
        assert.equal(errno.ENOMEM, ffi.errno())
        close(file, path)
    end))
end)
