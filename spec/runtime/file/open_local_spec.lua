-- What opening and closing a file may do on the loop's thread, by its file
-- system.
local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat
local if_mounting = files.mounting(it, pending)

local O_RDWR, NFS = 2, 0x6969

local function scripted()
    return helper.loop({}, inject.ql_inject_new(nil))
end

local function open(loop, path, opts)
    local o = C.ql_open_create(loop, path,
        ffi.new("ql_open_opts_t", opts or {}))
    assert(o ~= nil, "ql_open_create failed")
    o.call.event.handler = inject.ql_probe
    assert.equal(C.NGX_OK, files.await(loop, o.call))
    local file = C.ql_open_take(o)
    C.ql_call_free(o.call)
    return file
end

local function close(loop, file)
    C.ql_file_close(file)
    helper.run_until(loop, function()
        return stat(loop, "pool_pending") == 0
    end)
end

describe("an open for writing", function()
    it("of a file at hand is a thread's", forked(function()
        local loop = scripted()
        local path = files.make("x")
        close(loop, open(loop, path, { flags = O_RDWR }))
        assert.same({ 0, 0, 1 }, { files.calls("openat2"),
            stat(loop, "open_cached"), stat(loop, "open_pool") })
        os.remove(path)
    end))

    if_mounting("copies an overlay's file up on a thread", forked(function()
        files.on_overlay("below", function(dir)
            local loop = scripted()
            local path = dir .. "/below"
            files.warm(path)
            close(loop, open(loop, path, { flags = O_RDWR }))
            assert.same({ 0, 1 }, { files.calls("openat2"),
                stat(loop, "open_pool") })
        end)
    end))
end)

-- What is counted from here on, in this order.
local function counter(...)
    local names, before = { ... }, {}
    for i, name in ipairs(names) do
        before[i] = files.calls(name)
    end
    return function()
        local list = {}
        for i, name in ipairs(names) do
            list[i] = files.calls(name) - before[i]
        end
        return list
    end
end

local function opens(loop)
    return { stat(loop, "open_cached"), stat(loop, "open_pool") }
end

describe("a device", function()
    it("is unknown until a thread has opened a file there", forked(function()
        local loop = scripted()
        local path = files.make("x")
        local made = counter("openat2", "statx", "open")
        close(loop, open(loop, path))
        assert.same({ 0, 1 }, opens(loop))
        assert.same({ 1, 1, 1 }, made()) -- O_PATH, then the thread's
        close(loop, open(loop, path))
        assert.same({ 1, 1 }, opens(loop))
        assert.same({ 3, 2, 1 }, made())
        os.remove(path)
    end))

    it("becomes known by a stat too", forked(function()
        local loop = scripted()
        local path = files.make("x")
        local call = C.ql_file_info(loop, path, nil)
        call.p.call.event.handler = inject.ql_probe
        assert.equal(C.NGX_OK, files.await(loop, call.p.call))
        C.ql_call_free(call.p.call)
        close(loop, open(loop, path))
        assert.same({ 1, 0 }, opens(loop))
        os.remove(path)
    end))

    if_mounting("that is none is asked for it each time", forked(function()
        files.on_tmpfs(function(dir)
            local loop = scripted()
            local path = files.make("x", dir)
            files.known(loop, path)
            local made = counter("fstatfs")
            close(loop, open(loop, path))
            assert.same({ 1, 0 }, opens(loop))
            assert.same({ 1 }, made())
        end)
    end))
end)

describe("a file that is not local", function()
    local function remote()
        local loop, path = scripted(), files.make("far away")
        files.known(loop, path, NFS)
        return loop, path
    end

    it("is looked up on the loop, opened and closed by threads",
        forked(function()
            local loop, path = remote()
            local made = counter("openat2", "statx", "open", "fstat", "close")
            local file = open(loop, path)
            assert.same({ 0, 1 }, opens(loop))
            -- O_PATH's look-up, look and end; the thread's open and look.
            assert.same({ 1, 1, 1, 1, 1 }, made())
            file["local"] = 0
            close(loop, file)
            assert.same({ 1, 1, 1, 1, 2 }, made())
            assert.equal(1, stat(loop, "close_pool"))
            os.remove(path)
        end))

    it("is opened by a thread below a root", forked(function()
        local loop, path = remote()
        close(loop, open(loop, path:match "[^/]+$", { root = "/tmp" }))
        assert.same({ 0, 1 }, opens(loop))
        os.remove(path)
    end))

    it("tells a thread alone what it is", forked(function()
        local loop, path = remote()
        local made = counter("openat2", "statx", "close")
        local call = C.ql_file_info(loop, path, nil)
        call.p.call.event.handler = inject.ql_probe
        assert.equal(C.NGX_OK, files.await(loop, call.p.call))
        assert.equal(8, tonumber(call.info.size))
        C.ql_call_free(call.p.call)
        assert.equal(1, stat(loop, "pool_jobs"))
        assert.same({ 1, 2, 1 }, made())
        os.remove(path)
    end))

    it("that nobody knows is closed by a thread", forked(function()
        local loop = scripted()
        local path = files.make("x")
        inject.ql_inject_fail("fstatfs", -1, 1, 1, errno.EIO)
        local file = open(loop, path)
        assert.equal(0, file["local"])
        close(loop, file)
        assert.equal(1, stat(loop, "close_pool"))
        os.remove(path)
    end))
end)

describe("direct reads of a file that is not local", function()
    local function remote(data)
        local loop, path = scripted(), files.make(data)
        inject.ql_inject_fail("fstatfs", -1, 1, 1, errno.EIO)
        return loop, path
    end

    for name, opts in pairs { asked = { direct = 1 },
        ["from a size on"] = { directio = 4096 },
        ["of misses"] = { miss_direct = 1 } } do
        it("have a descriptor that the opening thread made: " .. name,
            forked(function()
                local data = files.bytes(8192)
                local loop, path = remote(data)
                local file = open(loop, path, opts)
                assert.equal(0, file["local"])
                assert.is_true(file.direct_fd >= 0)
                assert.is_true(file.off_align >= 512)
                inject.ql_inject_fail("preadv2", -1, 1, 0, errno.EAGAIN)
                assert.equal(data, files.read(loop, file, 8192))
                assert.equal(1, stat(loop, "read_direct"))
                assert.same({ 2, 0 }, { files.calls("open"),
                    files.own_calls("open") })
                -- O_PATH's look
                assert.equal(1, files.own_calls("statx"))
                close(loop, file)
                os.remove(path)
            end))
    end

    for name, tried in pairs { EMFILE = -1, EINVAL = -2 } do
        it("are a thread's when that failed: " .. name, forked(function()
            local loop, path = remote("slowly")
            inject.ql_inject_fail("open", -1, 2, 2, errno[name])
            local file = open(loop, path, { direct = 1 })
            assert.equal(tried, file.direct_fd)
            assert.equal("slowly", files.read(loop, file, 10))
            assert.same({ 2, 0, 0 }, { files.calls("open"),
                files.own_calls("open"), stat(loop, "read_direct") })
            assert.equal(name == "EINVAL" and 1 or 0,
                stat(loop, "read_direct_unsupported"))
            close(loop, file)
            os.remove(path)
        end))
    end

    it("take no second descriptor where the device has none",
        forked(function()
            local loop, path = remote("slowly")
            files.known(loop, path, NFS)
            loop.devices[0].no_direct = true
            local file = open(loop, path, { direct = 1 })
            assert.same({ 1, -1 }, { files.calls("open"), file.direct_fd })
            assert.equal("slowly", files.read(loop, file, 10))
            close(loop, file)
            os.remove(path)
        end))

    it("that nobody asked for take no second descriptor", forked(function()
        local loop, path = remote("small")
        local file = open(loop, path, { directio = 4096 })
        assert.same({ 1, -1 }, { files.calls("open"), file.direct_fd })
        assert.equal(-1, C.ql__file_direct(file))
        close(loop, file)
        os.remove(path)
    end))
end)
