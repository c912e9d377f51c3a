local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat
local mounted = files.mounting(it, pending)

local NOSPC, FBIG = 28, 27

local function opened(data, append, dir)
    local loop = helper.loop({ threads = 1 }, inject.ql_inject_new(nil))
    local path = files.make(data, dir)
    return loop, files.writable(loop, path, append), path
end

local close = files.close

local function content(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    return text
end

-- Without waiting: bytes or the code, and the offset behind.
local function cached(file, data, offset)
    local at = ffi.new("off_t[1]", offset or 0)
    local n = C.ql_file_write_cached(file, data, #data, at)
    return tonumber(n), tonumber(at[0])
end

-- By a thread: the code, bytes written, the offset behind, errno.
local function write(loop, file, data, offset)
    local w = C.ql_write_create(file, data, #data, offset or 0)
    assert(w ~= nil)
    local rc = files.await(loop, w.call)
    local results = { rc, tonumber(w.nbytes), tonumber(w.next),
        w.call.err }
    C.ql_call_free(w.call)
    return unpack(results)
end

describe("a write by a thread", function()
    it("puts its bytes at the offset", forked(function()
        local loop, file, path = opened("0123456789")
        assert.same({ C.NGX_OK, 3, 8, 0 }, { write(loop, file, "abc", 5) })
        assert.same({ C.NGX_OK, 1, 13, 0 }, { write(loop, file, "x", 12) })
        assert.equal("01234abc89\0\0x", content(path))
        assert.same({ 2, 0, 0 }, { stat(loop, "write_pool"),
            stat(loop, "calls_live"), stat(loop, "write_hits") })
        close(file, path)
    end))

    it("copies what it writes", forked(function()
        local loop, file, path = opened("")
        local buf = ffi.new("char[4]", "abc")
        inject.ql_inject_delay("pwritev2", -1, 1, 1, 20000)
        local w = C.ql_write_create(file, buf, 3, 0)
        assert.equal(C.NGX_AGAIN, C.ql_call_attempt(w.call))
        ffi.copy(buf, "xyz", 3)
        assert.equal(C.NGX_OK, files.await(loop, w.call))
        C.ql_call_free(w.call)
        assert.equal("abc", content(path))
        close(file, path)
    end))

    it("goes on after short writes and EINTR", forked(function()
        local loop, file, path = opened("")
        local data = files.bytes(200000)
        inject.ql_inject_cut("pwritev2", -1, 1, 2, 1)
        inject.ql_inject_fail("pwritev2", -1, 3, 3, errno.EINTR)
        inject.ql_inject_cut("pwritev2", -1, 4, 4, 70000)
        assert.same({ C.NGX_OK, 200000, 200007, 0 },
            { write(loop, file, data, 7) })
        assert.is_true(("\0"):rep(7) .. data == content(path))
        assert.equal(5, files.calls("pwritev2"))
        close(file, path)
    end))

    it("tells what was written before it failed", forked(function()
        local loop, file, path = opened("")
        for err in pairs { [NOSPC] = 1, [errno.EIO] = 1, [FBIG] = 1,
            [122] = 1 } do
            inject.ql_inject_clear()
            inject.ql_inject_cut("pwritev2", -1, 1, 1, 2)
            inject.ql_inject_fail("pwritev2", -1, 2, 2, err)
            assert.same({ C.NGX_ERROR, 2, 12, err },
                { write(loop, file, "abcd", 10) })
        end
        inject.ql_inject_clear()
        inject.ql_inject_result("pwritev2", -1, 1, 0, 0)
        assert.same({ C.NGX_ERROR, 0, 10, errno.EIO },
            { write(loop, file, "abcd", 10) })
        close(file, path)
    end))

    it("appends where the end is by now", forked(function()
        local loop, file, path = opened("one", true)
        assert.same({ C.NGX_OK, 3, 6, 0 }, { write(loop, file, "two", 0) })
        files.write(path, "four", 6)
        assert.same({ C.NGX_OK, 3, 13, 0 }, { write(loop, file, "six", 0) })
        assert.equal("onetwofoursix", content(path))
        close(file, path)
    end))

    it("is EBADF on a file opened for reading", forked(function()
        local loop = helper.loop()
        local path = files.make("x")
        local file = files.open(loop, path)
        assert.same({ C.NGX_ERROR, 0, 0, errno.EBADF },
            { write(loop, file, "y") })
        close(file, path)
    end))

    it("of nobody goes on, and holds the file", forked(function()
        local loop, file, path = opened("")
        inject.ql_inject_delay("pwritev2", -1, 1, 1, 20000)
        local w = C.ql_write_create(file, "abc", 3, 0)
        C.ql_call_attempt(w.call)
        helper.run_until(loop, function()
            C.ql_notify(loop)
            return files.calls("pwritev2") == 1
        end)
        assert.equal(C.NGX_DECLINED, C.ql_call_withdraw(w.call))
        C.ql_call_free(w.call)
        C.ql_file_close(file)
        assert.same({ 1, 1 }, { stat(loop, "orphans"),
            stat(loop, "files_live") })
        helper.run_until(loop, function()
            return stat(loop, "files_live") == 0
        end)
        assert.equal("abc", content(path))
        os.remove(path)
    end))

    it("is waited for by the loop's end", forked(function()
        local loop, file, path = opened("")
        inject.ql_inject_delay("pwritev2", -1, 1, 1, 20000)
        local w = C.ql_write_create(file, "abc", 3, 0)
        C.ql_call_attempt(w.call)
        helper.run_until(loop, function()
            C.ql_notify(loop)
            return files.calls("pwritev2") == 1
        end)
        C.ql_call_free(w.call)
        C.ql_file_close(file)
        C.ql_loop_destroy(loop)
        assert.equal("abc", content(path))
        os.remove(path)
        os.exit(0)
    end))

    it("needs memory and an offset", forked(function()
        local loop, file, path = opened("")
        for n = 1, 2 do
            inject.ql_inject_clear()
            inject.ql_inject_fail("malloc", -1, n, n, errno.ENOMEM)
            assert.is_true(C.ql_write_create(file, "abc", 3, 0) == nil)
            assert.equal(errno.ENOMEM, ffi.errno())
        end
        assert.is_true(C.ql_write_create(file, "abc", 3, -1) == nil)
        assert.is_true(C.ql_write_create(file, "abc", C.QL_WRITE_MAX + 1, 0)
            == nil)
        assert.equal(errno.EINVAL, ffi.errno())
        assert.same({ 0, 1 }, { stat(loop, "calls_live"), file.refs })
        close(file, path)
    end))
end)

describe("ql_file_write_cached", function()
    it("asks the kernel not to wait", forked(function()
        local loop, file, path = opened("0123456789")
        file.no_nowait_write = 0
        inject.ql_inject_result("pwritev2", -1, 1, 1, 3)
        assert.same({ 3, 8 }, { cached(file, "abcd", 5) })
        inject.ql_inject_fail("pwritev2", -1, 1, 1, errno.EAGAIN)
        assert.same({ C.NGX_AGAIN, 5 }, { cached(file, "abcd", 5) })
        inject.ql_inject_result("pwritev2", -1, 1, 1, 0)
        assert.same({ C.NGX_AGAIN, 5 }, { cached(file, "abcd", 5) })
        inject.ql_inject_fail("pwritev2", -1, 1, 1, NOSPC)
        assert.same({ C.NGX_ERROR, 5 }, { cached(file, "abcd", 5) })
        assert.equal(NOSPC, ffi.errno())
        assert.same({ 1, 2, 0 }, { stat(loop, "write_hits"),
            stat(loop, "write_misses"),
            stat(loop, "write_nowait_unsupported") })
        assert.equal("0123456789", content(path))
        close(file, path)
    end))

    it("asks once where it is not supported", forked(function()
        local loop, file, path = opened("0123456789")
        inject.ql_inject_fail("pwritev2", -1, 1, 1, errno.EOPNOTSUPP)
        for _ = 1, 3 do
            assert.same({ C.NGX_AGAIN, 0 }, { cached(file, "abcd") })
        end
        local other = files.writable(loop, path)
        assert.same({ C.NGX_AGAIN, 0 }, { cached(other, "abcd") })
        assert.same({ 1, 1 }, { files.calls("pwritev2"),
            stat(loop, "write_nowait_unsupported") })
        C.ql_file_close(other)
        close(file, path)
    end))

    it("that a thread makes for want of it is counted", forked(function()
        local loop, file, path = opened("")
        inject.ql_inject_fail("pwritev2", -1, 1, 1, errno.EOPNOTSUPP)
        cached(file, "abcd")
        assert.equal(C.NGX_OK, (write(loop, file, "abcd")))
        assert.equal(C.NGX_OK, (write(loop, file, ("x"):rep(65537))))
        local f = ffi.new("ql_fallback_t")
        assert.equal(C.NGX_OK, C.ql_fallback(loop, 0, f))
        assert.same({ "write nowait unsupported", 1 },
            { ffi.string(f.reason), tonumber(f.count) })
        assert.equal(C.NGX_DECLINED, C.ql_fallback(loop, 1, f))
        assert.equal(2, stat(loop, "write_pool"))
        close(file, path)
    end))

    it("leaves more than 64 KiB to a thread", forked(function()
        local _, file, path = opened("")
        file.memory = 1
        assert.same({ C.NGX_AGAIN, 0 },
            { cached(file, ("x"):rep(65537)) })
        assert.same({ 65536, 65536 }, { cached(file, ("x"):rep(65536)) })
        assert.equal(1, files.calls("pwritev2"))
        close(file, path)
    end))

    mounted("writes at once what is in memory", forked(function()
        files.on_tmpfs(function(dir)
            local loop, file, path = opened("0123456789", false, dir)
            assert.same({ 3, 8 }, { cached(file, "abc", 5) })
            assert.same({ 0, 8 }, { cached(file, "", 8) })
            assert.equal("01234abc89", content(path))
            C.ql_file_close(file)
            file = files.writable(loop, path, true)
            assert.same({ 3, 13 }, { cached(file, "end", 0) })
            assert.equal("01234abc89end", content(path))
            assert.same({ 3, 0 }, { stat(loop, "write_hits"),
                stat(loop, "write_pool") })
            close(file, path)
        end)
    end))
end)
