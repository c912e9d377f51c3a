local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local grandchild = require "spec.support.grandchild"
local forked, stat = helper.forked, files.stat

local IN_CREATE, IN_DELETE, IN_IGNORED = 0x100, 0x200, 0x8000
local ALL = 0xfff

local function injected(settings)
    return helper.loop(settings, inject.ql_inject_new(nil))
end

-- A call to its end: its result, or nil and the errno.
local function made(loop, call)
    local rc
    helper.run_until(loop, function()
        rc = C.ql_call_attempt(call)
        return rc ~= C.NGX_AGAIN
    end)
    local res, err = tonumber(call.res), call.err
    C.ql_call_free(call)
    if rc == C.NGX_OK then
        return res
    end
    return nil, err
end

local function folder()
    local path = os.tmpname()
    os.remove(path)
    assert(os.execute("mkdir " .. path) == 0)
    return path
end

local function remove(path)
    os.execute("rm -r " .. path)
end

-- A watch on a new folder.
local function watching(loop)
    local path = folder()
    local w = C.ql_watch_create(loop)
    assert(w ~= nil)
    w.connection.read.handler = helper.handler(function() end)
    return w, path, assert(made(loop, C.ql_watch_add(w, path, ALL)))
end

local function touch(path)
    assert(io.open(path, "w")):close()
end

-- The next event: mask, name, wd.
local function next_event(loop, w)
    local rc
    helper.run_until(loop, function()
        rc = C.ql_watch_read(w)
        return rc ~= C.NGX_AGAIN
    end)
    assert.equal(C.NGX_OK, rc)
    local mask, wd = w.event.mask, w.event.wd
    local name = w.event.len > 0 and ffi.string(w.event.name) or ""
    C.ql_watch_next(w)
    return mask, name, wd
end

local function closed(loop)
    helper.run_until(loop, function()
        return stat(loop, "pool_pending") == 0
    end)
end

describe("a watch", function()
    it("gives its folder's events one by one, then waits", forked(function()
        local loop = helper.loop()
        local w, path, wd = watching(loop)
        assert.equal(C.NGX_AGAIN, C.ql_watch_read(w))
        for i = 1, 300 do
            touch(("%s/file-%03d"):format(path, i))
        end
        local created = {}
        while #created < 300 do
            local mask, name, from = next_event(loop, w)
            assert.equal(wd, from)
            if mask == IN_CREATE then
                created[#created + 1] = name
            end
        end
        assert.same({ "file-001", "file-300" }, { created[1], created[300] })
        C.ql_watch_close(w)
        remove(path)
    end))

    it("keeps an event until it is gone past", forked(function()
        local loop = helper.loop()
        local w, path = watching(loop)
        touch(path .. "/a")
        helper.run_until(loop, function()
            return C.ql_watch_read(w) == C.NGX_OK
        end)
        assert.equal(C.NGX_OK, C.ql_watch_read(w))
        assert.equal("a", ffi.string(w.event.name))
        C.ql_watch_close(w)
        remove(path)
    end))

    it("tells its handler once there is something", forked(function()
        local loop, told = helper.loop(), 0
        local w, path = watching(loop)
        w.connection.read.handler = helper.handler(function()
            told = told + 1
        end)
        assert.equal(C.NGX_AGAIN, C.ql_watch_read(w))
        assert.is_true(w.buf == nil)
        touch(path .. "/a")
        helper.run_until(loop, function() return told == 1 end)
        assert.equal(IN_CREATE, (next_event(loop, w)))
        C.ql_watch_close(w)
        remove(path)
    end))

    it("reads at most 64 KiB at once", forked(function()
        local loop = injected()
        local w, path = watching(loop)
        local long = ("x"):rep(200)
        for i = 1, 300 do -- 3 events of 224 bytes each
            touch(("%s/%s%d"):format(path, long, i))
            os.remove(("%s/%s%d"):format(path, long, i))
        end
        local before = files.calls("read")
        local deleted = 0
        while deleted < 300 do
            local mask = next_event(loop, w)
            deleted = deleted + (mask == IN_DELETE and 1 or 0)
            assert.is_true(w["end"] <= 65536)
        end
        assert.is_true(files.calls("read") - before >= 4)
        C.ql_watch_close(w)
        remove(path)
    end))

    it("works level-triggered", forked(function()
        local loop = helper.loop { level_triggered = 1 }
        local w, path = watching(loop)
        for _, name in ipairs { "a", "b" } do
            while C.ql_watch_read(w) == C.NGX_OK do
                C.ql_watch_next(w)
            end
            touch(path .. "/" .. name)
            local _, seen = next_event(loop, w)
            assert.equal(name, seen)
        end
        C.ql_watch_close(w)
        remove(path)
    end))
end)

describe("adding to a watch", function()
    it("is a thread's; the same thing has the same number", forked(function()
        local loop = helper.loop()
        local w, path, wd = watching(loop)
        assert.equal(1, stat(loop, "pool_jobs"))
        assert.equal(wd, made(loop, C.ql_watch_add(w, path, ALL)))
        C.ql_watch_close(w)
        remove(path)
    end))

    for name, code in pairs { ENOENT = 2, ENOSPC = 28, EACCES = 13 } do
        it("fails with " .. name, forked(function()
            local loop = injected()
            local w, path = watching(loop)
            inject.ql_inject_fail("inotify_add_watch", -1, 1, 1, code)
            assert.same({ nil, code },
                { made(loop, C.ql_watch_add(w, path, ALL)) })
            C.ql_watch_close(w)
            remove(path)
        end))
    end

    it("may be abandoned, and the watch closed, while a thread is at it",
        forked(function()
            local loop = injected()
            local w, path = watching(loop)
            inject.ql_inject_delay("inotify_add_watch", -1, 1, 1, 50000)
            local before = files.calls("inotify_add_watch")
            local call = C.ql_watch_add(w, path, ALL)
            assert.equal(C.NGX_AGAIN, C.ql_call_attempt(call))
            helper.run_until(loop, function()
                C.ql_notify(loop)
                return files.calls("inotify_add_watch") > before
            end)
            C.ql_call_free(call)
            C.ql_watch_close(w)
            assert.equal(1, stat(loop, "orphans"))
            helper.run_until(loop, function()
                return stat(loop, "orphans") == 0
            end)
            closed(loop)
            remove(path)
        end))
end)

describe("removing from a watch", function()
    it("ends its events with IN_IGNORED", forked(function()
        local loop = helper.loop()
        local w, path, wd = watching(loop)
        assert.equal(0, made(loop, C.ql_watch_remove(w, wd)))
        touch(path .. "/a")
        local mask, _, from = next_event(loop, w)
        assert.same({ IN_IGNORED, wd }, { mask, from })
        assert.equal(C.NGX_AGAIN, C.ql_watch_read(w))
        assert.same({ nil, errno.EINVAL },
            { made(loop, C.ql_watch_remove(w, wd)) })
        C.ql_watch_close(w)
        remove(path)
    end))
end)

describe("a watch that cannot be made", function()
    it("says why", forked(function()
        local loop = injected()
        inject.ql_inject_fail("inotify_init1", -1, 1, 1, errno.EMFILE)
        assert.is_true(C.ql_watch_create(loop) == nil)
        assert.equal(errno.EMFILE, ffi.errno())
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(C.ql_watch_create(loop) == nil)
        assert.equal(errno.ENOMEM, ffi.errno())
    end))

    it("leaves no descriptor when connections are used up", forked(function()
        local loop = helper.loop { worker_connections = 1 }
        local w, path = watching(loop)
        assert.is_true(C.ql_watch_create(loop) == nil)
        assert.equal(errno.ENFILE, ffi.errno())
        C.ql_watch_close(w)
        remove(path)
    end))
end)

describe("a watch's faults", function()
    it("an interrupted read is made again; a failed one is told",
        forked(function()
            local loop = injected()
            local w, path = watching(loop)
            touch(path .. "/a")
            inject.ql_inject_fail("read", w.fd, 1, 2, errno.EINTR)
            assert.equal(IN_CREATE, (next_event(loop, w)))
            while C.ql_watch_read(w) == C.NGX_OK do
                C.ql_watch_next(w)
            end
            inject.ql_inject_clear()
            inject.ql_inject_fail("read", w.fd, 1, 1, errno.EIO)
            assert.equal(C.NGX_ERROR, C.ql_watch_read(w))
            assert.equal(errno.EIO, ffi.errno())
            C.ql_watch_close(w)
            remove(path)
        end))

    it("without memory for the events they stay", forked(function()
        local loop = injected()
        local w, path = watching(loop)
        touch(path .. "/a")
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.equal(C.NGX_ERROR, C.ql_watch_read(w))
        assert.equal(errno.ENOMEM, ffi.errno())
        assert.equal(IN_CREATE, (next_event(loop, w)))
        C.ql_watch_close(w)
        remove(path)
    end))

    it("without a thread it is closed by the loop", forked(function()
        local loop = injected()
        local w = C.ql_watch_create(loop)
        inject.ql_inject_fail("thread_create", -1, 1, 0, errno.EAGAIN)
        local before = files.calls("close")
        C.ql_watch_close(w)
        assert.equal(before + 1, files.calls("close"))
    end))

    it("closed before a fork is not closed again by the child",
        forked(function()
            local loop = injected()
            local w = C.ql_watch_create(loop)
            local fd, before = w.fd, files.calls("close")
            C.ql_watch_close(w)
            repeat until w.closed == 1 and files.calls("close") > before
            local other
            repeat -- which gets the number
                other = files.open(loop, "/proc/self/stat")
                local got = other.fd
                if got ~= fd then C.ql_file_close(other) end
            until got == fd
            grandchild(function()
                closed(loop)
                assert.is_true(tonumber(C.ql_file_size(other)) >= 0)
            end)
            C.ql_file_close(other)
        end))

    it("closed at the loop's end, it leaves nothing", forked(function()
        local loop = helper.loop()
        local w, path = watching(loop)
        C.ql_watch_close(w)
        remove(path)
        assert.equal(1, stat(loop, "pool_pending"))
    end))
end)
