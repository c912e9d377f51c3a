local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local function opened(settings)
    local loop = helper.loop(settings, inject.ql_inject_new(nil))
    local path = files.make("0123456789")
    local aio = ffi.new("ql_event_aio_t")
    aio.handler = inject.ql_probe
    return loop, files.writable(loop, path), path, aio
end

local close = files.close

local function wait(loop, aio)
    helper.run_until(loop, function() return aio.event.active == 0 end)
end

describe("ql_file_aio_sync", function()
    for data = 0, 1 do
        it("is called again when it is complete: " .. data,
            forked(function()
                local loop, file, path, aio = opened()
                assert.equal(C.NGX_AGAIN, C.ql_file_aio_sync(file, aio, data))
                assert.equal(C.NGX_AGAIN, C.ql_file_aio_sync(file, aio, data))
                assert.same({ 2, 1 }, { file.refs, stat(loop, "sync_aio") })
                wait(loop, aio)
                assert.equal(C.NGX_OK, C.ql_file_aio_sync(file, aio, data))
                assert.equal(1, file.refs)
                close(file, path)
            end))
    end

    it("goes out with the reads of its turn", forked(function()
        local loop, file, path, aio = opened()
        C.ql_aio_init(loop)
        loop.aio.blocked = true
        local read = files.aio(file, 4096, 0)
        C.ql_file_aio_sync(file, aio, 0)
        loop.aio.blocked = false
        C.ql_process_events_and_timers(loop, 0)
        assert.equal(1, files.calls("io_submit"))
        assert.equal("0123456789", files.result(loop, read))
        wait(loop, aio)
        assert.equal(C.NGX_OK, C.ql_file_aio_sync(file, aio, 0))
        close(file, path)
    end))

    it("fails as the kernel says", forked(function()
        local loop, file, path, aio = opened()
        inject.ql_inject_aio_res(1, -errno.EIO)
        C.ql_file_aio_sync(file, aio, 0)
        wait(loop, aio)
        assert.equal(C.NGX_ERROR, C.ql_file_aio_sync(file, aio, 0))
        assert.equal(errno.EIO, aio.err)
        close(file, path)
    end))

    it("is DECLINED without AIO; BUSY, or patient, behind a full queue",
        forked(function()
            local loop, file, path, aio = opened { aio_queue = 1 }
            C.ql_aio_init(loop)
            loop.aio.blocked = true
            local read = files.aio(file, 4096, 0)
            assert.equal(C.NGX_BUSY, C.ql_file_aio_sync(file, aio, 0))
            aio.patient = 1
            assert.equal(C.NGX_AGAIN, C.ql_file_aio_sync(file, aio, 0))
            loop.aio.blocked = false
            wait(loop, aio)
            assert.equal(C.NGX_OK, C.ql_file_aio_sync(file, aio, 0))
            assert.equal("0123456789", files.result(loop, read))
            close(file, path)
            local _
            _, file, path, aio = opened()
            inject.ql_inject_fail("io_setup", -1, 1, 1, errno.EAGAIN)
            assert.equal(C.NGX_DECLINED, C.ql_file_aio_sync(file, aio, 0))
            close(file, path)
        end))
end)
