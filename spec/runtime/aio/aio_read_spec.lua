local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local BLOCK = 4096

local function opened(n)
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local data = files.bytes(n * BLOCK)
    local path = files.make(data)
    return loop, files.open(loop, path, true), path, data
end

local close = files.close

-- A read that stays gathered until the next turn.
local function gathered(loop, file, offset)
    C.ql_aio_init(loop)
    loop.aio.blocked = true
    local read = files.aio(file, BLOCK, offset)
    loop.aio.blocked = false
    assert.equal(1, read.aio.gathered)
    return read
end

local function wait_child(pid)
    local status = ffi.new("int[1]")
    assert(ffi.C.waitpid(pid, status, 0) == pid)
    return status[0]
end

describe("ql_file_aio_read", function()
    it("is called again for its result", forked(function()
        local loop, file, path, data = opened(3)
        local read = files.aio(file, 2 * BLOCK, BLOCK)
        assert.equal(C.NGX_AGAIN, read.rc)
        assert.equal(C.NGX_AGAIN, files.again(read)) -- under way
        assert.equal(1, stat(loop, "read_direct"))
        assert.is_true(files.result(loop, read) == data:sub(BLOCK + 1))
        assert.same({ file.direct_fd, 2 * BLOCK },
            { read.aio.fd, tonumber(read.aio.nbytes) })
        assert.equal(C.NGX_AGAIN, files.again(read)) -- a new one
        assert.equal(2, stat(loop, "read_direct"))
        assert.is_true(files.result(loop, read) == data:sub(BLOCK + 1))
        close(file, path)
    end))

    it("calls aio->handler with its event, once", forked(function()
        local loop, file, path = opened(1)
        local called = 0
        local read
        read = files.aio(file, BLOCK, 0, helper.handler(function(ev)
            called = called + 1
            assert(ev == read.aio.event)
            assert(ev.data == ffi.cast("void *", read.aio))
        end))
        helper.run_until(loop, function() return called == 1 end)
        C.ql_process_events_and_timers(loop, 0)
        assert.equal(1, called)
        assert.equal(BLOCK, files.again(read))
        close(file, path)
    end))

    it("is short at the end and 0 past it", forked(function()
        local loop, file, path, data = opened(1)
        files.write(path, "tail", BLOCK)
        files.evict(path) -- a direct read of dirty pages is EAGAIN
        local read = files.aio(file, 4 * BLOCK, 0)
        assert.equal(data .. "tail", files.result(loop, read))
        for _, offset in ipairs { 2 * BLOCK, 2 ^ 34 } do
            read = files.aio(file, BLOCK, offset)
            assert.equal("", files.result(loop, read))
        end
        close(file, path)
    end))

    it("gives EINVAL for what is not aligned", forked(function()
        local loop, file, path = opened(2)
        local read = files.aio(file, BLOCK, 1)
        assert.same({ nil, errno.EINVAL }, { files.result(loop, read) })
        assert.equal(0, #helper.log()) -- another lane may do it
        close(file, path)
    end))

    it("declines where there is no direct descriptor", forked(function()
        local loop, file, path = opened(1)
        file.no_direct = 1
        local aio = ffi.new("ql_event_aio_t")
        assert.equal(C.NGX_DECLINED, tonumber(C.ql_file_aio_read(file, aio,
            nil, BLOCK, 0)))
        assert.equal(0, files.calls("io_setup"))
        assert.equal(0, stat(loop, "read_direct"))
        close(file, path)
    end))
end)

describe("the close of a file with a read under way", function()
    it("waits for a gathered one: never another file's bytes",
        forked(function()
            local loop, file, path, data = opened(1)
            local read = gathered(loop, file, 0)
            local fd, direct_fd = file.fd, file.direct_fd
            C.ql_file_close(file)
            assert.equal(0, files.calls("close"))
            -- Whoever opens next must not get the number.
            local other = files.make(("!"):rep(BLOCK))
            local thief = files.open(loop, other, true)
            C.ql__file_direct(thief)
            assert.is_true(thief.fd ~= fd and thief.fd ~= direct_fd
                and thief.direct_fd ~= direct_fd)
            C.ql_file_close(thief)
            helper.run_until(loop, function()
                return read.aio.event.complete == 1
            end)
            assert.is_true(ffi.string(read.buf, BLOCK) == data)
            assert.equal(-1, ffi.C.fcntl(fd, 1))
            os.remove(path)
            os.remove(other)
        end))

    it("waits for one that the kernel has", forked(function()
        local loop, file, path, data = opened(1)
        local read = files.aio(file, BLOCK, 0)
        assert.equal(1, stat(loop, "aio_in_flight"))
        C.ql_file_close(file)
        assert.same({ 0, 1 }, { files.calls("close"),
            stat(loop, "files_live") })
        helper.run_until(loop, function()
            return read.aio.event.complete == 1
        end)
        assert.is_true(ffi.string(read.buf, BLOCK) == data)
        assert.same({ 2, 0 }, { files.calls("close"),
            stat(loop, "files_live") })
        os.remove(path)
    end))
end)

describe("a forked child", function()
    -- The child's body with asserts; its end is 0.
    local function in_child(fn)
        local pid = ffi.C.fork()
        if pid == 0 then
            local ok, err = pcall(fn)
            if not ok then
                io.stderr:write(tostring(err), "\n")
            end
            ffi.C._exit(ok and 0 or 1)
        end
        assert.equal(0, wait_child(pid))
    end

    it("makes a context of its own; the parent keeps its", forked(function()
        local loop, file, path, data = opened(4)
        local read = files.aio(file, BLOCK, 0)
        assert.is_true(files.result(loop, read) == data:sub(1, BLOCK))
        in_child(function()
            assert(files.read(loop, file, 4 * BLOCK) == data)
            assert(files.calls("io_setup") == 2)
            assert(stat(loop, "aio_in_flight") == 0)
        end)
        assert.is_true(files.read(loop, file, 4 * BLOCK) == data)
        assert.equal(1, files.calls("io_setup"))
        close(file, path)
    end))

    it("reads by another lane what was in flight", forked(function()
        local loop, file, path, data = opened(4)
        inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
        local r = C.ql_read_create(file, 4 * BLOCK, 0)
        assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
        C.ql_process_events_and_timers(loop, 0)
        assert.equal(1, stat(loop, "aio_in_flight"))
        in_child(function()
            inject.ql_inject_clear()
            assert(files.finish(loop, r) == data)
            assert(stat(loop, "aio_submitted") == stat(loop, "aio_reaped"))
        end)
        inject.ql_inject_clear()
        ffi.C.write(loop.aio.eventfd, ffi.new("uint64_t[1]", 1), 8)
        assert.is_true(files.finish(loop, r) == data)
        close(file, path)
    end))

    local function eventpolls()
        local pipe = assert(io.popen("ls -l /proc/" .. ffi.C.getpid()
            .. "/fd"))
        local _, count = pipe:read("*a"):gsub("%[eventpoll%]", "")
        pipe:close()
        return count
    end

    it("closes what only a read in flight held, while it drops the pool",
        forked(function()
            local loop, file, path = opened(4)
            os.remove(path) -- its close would be a thread's
            inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
            local r = C.ql_read_create(file, 4 * BLOCK, 0)
            assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
            C.ql_file_close(file)
            C.ql_read_free(r)
            local sets = eventpolls()
            in_child(function()
                inject.ql_inject_clear()
                assert(C.ql_loop_init(loop) == C.NGX_OK)
                assert(eventpolls() == sets, "a set of its own, and one more")
                assert(stat(loop, "pool_pending") == 0)
                assert(stat(loop, "files_live") == 0)
            end)
            inject.ql_inject_clear()
            ffi.C.write(loop.aio.eventfd, ffi.new("uint64_t[1]", 1), 8)
            helper.run_until(loop, function()
                return stat(loop, "files_live") == 0
            end)
        end))
end)

describe("the end of a loop with reads in flight", function()
    local function doomed(settings)
        local loop = C.ql_loop_create(helper.conf(settings),
            inject.ql_inject_new(nil))
        C.ql_log_set_writer(loop, inject.ql_probe_writer, nil)
        local path = files.make(files.bytes(BLOCK))
        local file = files.open(loop, path, true)
        local r = C.ql_read_create(file, BLOCK, 0)
        assert.equal(C.NGX_AGAIN, C.ql_read_attempt(r))
        C.ql_file_close(file)
        return loop, r, path
    end

    it("drains them", forked(function()
        local loop, r, path = doomed({})
        C.ql_aio_submit(loop)
        C.ql_read_free(r)
        assert.equal(1, stat(loop, "reads_live"))
        C.ql_loop_destroy(loop)
        assert.same({ 1, {} }, { files.calls("io_destroy"), helper.log() })
        os.remove(path)
    end))

    it("gives up after `drain` and says so", forked(function()
        local loop, r, path = doomed({ drain = 50 })
        C.ql_aio_submit(loop)
        C.ql_read_free(r)
        inject.ql_inject_result("io_getevents", -1, 1, 0, 0)
        inject.ql_inject_delay("io_getevents", -1, 1, 0, 5000)
        local start = helper.now()
        C.ql_loop_destroy(loop)
        local took = helper.now() - start
        assert.is_true(took >= 0.04 and took < 2)
        local lines = helper.log()
        assert.same({ 1, C.QL_LOG_WARN }, { #lines, lines[1].level })
        assert.equal(0, files.calls("io_destroy"))
        os.remove(path)
        -- By design what the kernel can touch stays with the process.
        ffi.C._exit(0)
    end))
end)
