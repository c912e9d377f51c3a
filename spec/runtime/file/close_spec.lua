local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat
local grandchild = require "spec.support.grandchild"

local O_RDWR = 2

local function scripted(settings)
    return helper.loop(settings, inject.ql_inject_new(nil))
end

local function open_writable(loop, path)
    local o = C.ql_open_create(loop, path,
        ffi.new("ql_open_opts_t", { flags = O_RDWR }))
    helper.run_until(loop, function()
        return C.ql_call_attempt(o.call) == C.NGX_OK
    end)
    local file = C.ql_open_take(o)
    C.ql_call_free(o.call)
    return file
end

local function closes(loop)
    return { stat(loop, "close_pool"), stat(loop, "close_inline"),
        files.calls("close") }
end

local function until_closed(loop)
    helper.run_until(loop, function()
        return stat(loop, "pool_pending") == 0
    end)
end

-- A file of 64 KiB that has lost its name.
local function unlinked(loop)
    local path = files.make(files.bytes(65536))
    local file = files.open(loop, path)
    os.remove(path)
    return file
end

describe("the end of a file", function()
    it("comes with the last of its holders", forked(function()
        local loop = scripted()
        local path = files.make("x")
        local file = files.open(loop, path)
        C.ql_file_hold(file)
        C.ql_file_close(file)
        assert.same({ 0, 0, 0 }, closes(loop))
        assert.equal(1, tonumber(C.ql_file_size(file)))
        C.ql_file_close(file)
        assert.same({ 0, 0, 1 }, closes(loop))
    end))

    it("that was read and has its name comes at once", forked(function()
        local loop = scripted()
        local path = files.make("x")
        C.ql_file_close(files.open(loop, path))
        assert.same({ 0, 0, 1 }, closes(loop))
        assert.equal(-1, C.ql_loop_fd(loop))
        os.remove(path)
    end))

    it("that was unlinked is a thread's", forked(function()
        local loop = scripted()
        C.ql_file_close(unlinked(loop))
        assert.equal(0, stat(loop, "files_live"))
        until_closed(loop)
        assert.same({ 1, 0, 1 }, closes(loop))
    end))

    it("that was written is a thread's, both descriptors", forked(function()
        local loop = scripted()
        local path = files.make("x")
        local file = open_writable(loop, path)
        file.direct_fd = ffi.C.open("/dev/null", 0)
        local memory = file.memory == 1
        C.ql_file_close(file)
        until_closed(loop)
        assert.same(memory and { 0, 0, 2 } or { 1, 0, 2 }, closes(loop))
        os.remove(path)
    end))

    it("is a thread's where fstat fails", forked(function()
        local loop = scripted()
        local path = files.make("x")
        local file = files.open(loop, path)
        inject.ql_inject_fail("fstat", -1, 1, 1, errno.EIO)
        C.ql_file_close(file)
        until_closed(loop)
        assert.same({ 1, 0, 1 }, closes(loop))
        os.remove(path)
    end))

    for call, err in pairs { thread_create = "EAGAIN", malloc = "ENOMEM" } do
        it("comes on the loop when " .. call .. " fails, and counts",
            forked(function()
                local loop = scripted()
                assert(C.ql_loop_init(loop) == C.NGX_OK)
                local file = unlinked(loop)
                inject.ql_inject_fail(call, -1, 1, 1, errno[err])
                C.ql_file_close(file)
                assert.same({ 0, 1, 1 }, closes(loop))
                assert.equal(0, stat(loop, "pool_pending"))
            end))
    end

    it("is waited for at the loop's end", forked(function()
        local sys = inject.ql_inject_new(nil)
        local loop = C.ql_loop_create(nil, sys)
        inject.ql_inject_delay("close", -1, 1, 0, 1000)
        for _ = 1, 20 do
            C.ql_file_close(unlinked(loop))
        end
        C.ql_loop_destroy(loop)
    end))

    it("that a fork takes from its thread is the child's", forked(function()
        local loop = scripted { threads = 1 }
        local first, second = unlinked(loop), unlinked(loop)
        local fd = second.fd
        inject.ql_inject_delay("close", -1, 1, 1, 50000)
        C.ql_file_close(first)
        C.ql_file_close(second)
        grandchild(function()
            assert.is_true(ffi.C.fcntl(fd, 1) >= 0)
            helper.run_until(loop, function()
                return stat(loop, "pool_pending") == 0
            end)
            assert.equal(-1, ffi.C.fcntl(fd, 1))
        end)
        until_closed(loop)
    end))

    it("that fails is logged", forked(function()
        local loop = scripted()
        local file = unlinked(loop)
        inject.ql_inject_fail("close", -1, 1, 1, errno.EIO)
        C.ql_file_close(file)
        until_closed(loop)
        helper.run_until(loop, function()
            for _, line in ipairs(helper.log()) do
                if line.text:find("close() of a file failed", 1, true) then
                    return true
                end
            end
        end)
    end))
end)

describe("a close that is waited for", function()
    local function result(loop, call)
        local rc
        call.event.handler = inject.ql_probe
        helper.run_until(loop, function()
            rc = C.ql_call_attempt(call)
            return rc ~= C.NGX_AGAIN
        end)
        local err = call.err
        C.ql_call_free(call)
        assert.equal(0, stat(loop, "files_live"))
        return rc, err
    end

    for name, err in pairs { EIO = 5, ENOSPC = 28, EDQUOT = 122 } do
        it("tells " .. name, forked(function()
            local loop = scripted()
            local path = files.make("x")
            local file = open_writable(loop, path)
            inject.ql_inject_fail("close", file.fd, 1, 1, err)
            assert.same({ C.NGX_ERROR, err },
                { result(loop, C.ql_close_create(file)) })
            os.remove(path)
        end))
    end

    it("is over at once for a file that was read", forked(function()
        local loop = scripted()
        local path = files.make("x")
        local call = C.ql_close_create(files.open(loop, path))
        assert.equal(C.NGX_OK, (result(loop, call)))
        assert.same({ 0, 0, 1 }, closes(loop))
        os.remove(path)
    end))

    it("waits its turn where the queue is full", forked(function()
        local loop = scripted { threads = 1, thread_queue = 1,
            overflow_error = 1 }
        local calls = {}
        inject.ql_inject_delay("close", -1, 1, 1, 20000)
        for i = 1, 4 do
            calls[i] = C.ql_close_create(unlinked(loop))
            assert.equal(C.NGX_AGAIN, C.ql_call_attempt(calls[i]))
        end
        for _, call in ipairs(calls) do
            assert.equal(C.NGX_OK, files.await(loop, call))
            C.ql_call_free(call)
        end
        assert.same({ 4, 0, 4 }, closes(loop))
    end))

    it("leaves it to a read that holds the file", forked(function()
        local loop = scripted()
        local path = files.make("held")
        local file = open_writable(loop, path)
        local r = C.ql_read_create(file, 4, 0)
        local call = C.ql_close_create(file)
        assert.equal(C.NGX_OK, C.ql_call_attempt(call))
        C.ql_call_free(call)
        assert.same({ 1, 0 }, { stat(loop, "files_live"),
            files.calls("close") })
        assert.equal("held", files.finish(loop, r))
        until_closed(loop)
        assert.same({ 0, 1 }, { stat(loop, "files_live"),
            files.calls("close") })
        os.remove(path)
    end))

    it("comes on the loop without a thread, and tells", forked(function()
        local loop = scripted()
        assert(C.ql_loop_init(loop) == C.NGX_OK)
        local file = unlinked(loop)
        inject.ql_inject_fail("thread_create", -1, 1, 0, errno.EAGAIN)
        inject.ql_inject_fail("close", file.fd, 1, 1, errno.EIO)
        assert.same({ C.NGX_ERROR, errno.EIO },
            { result(loop, C.ql_close_create(file)) })
        assert.same({ 0, 1, 1 }, closes(loop))
    end))

    for _, when in ipairs { "before", "after" } do
        it("closes when its waiter lets go " .. when .. " it began",
            forked(function()
                local loop = scripted()
                local call = C.ql_close_create(unlinked(loop))
                if when == "after" then
                    assert.equal(C.NGX_AGAIN, C.ql_call_attempt(call))
                end
                C.ql_call_free(call)
                helper.run_until(loop, function()
                    return stat(loop, "pool_pending") == 0
                        and stat(loop, "orphans") == 0
                end)
                assert.same({ 0, 0, 1 }, { stat(loop, "files_live"),
                    stat(loop, "calls_live"), files.calls("close") })
            end))
    end

    it("without memory has not happened", forked(function()
        local loop = scripted()
        local path = files.make("x")
        local file = files.open(loop, path)
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(C.ql_close_create(file) == nil)
        assert.equal(1, stat(loop, "files_live"))
        C.ql_file_close(file)
        os.remove(path)
    end))
end)
