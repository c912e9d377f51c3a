local helper = require "spec.helper"
local files = require "spec.support.files"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, calls = helper.forked, sockets.calls

local exact = helper.injected and pending or it
local PAGE, PART, SIGPIPE = 4096, 65536, 13

pcall(ffi.cdef, "void (*signal(int signo, void (*handler)(int)))(int);")
pcall(ffi.cdef, "int raise(int signo);")

-- A connection, the other end, and a file of n pages in the page cache.
local function opened(n, direct)
    local ours, theirs = sockets.tcp()
    local loop = helper.loop({}, inject.ql_inject_new(nil))
    local path = files.make(files.bytes(n * PAGE))
    files.warm(path)
    local file = files.open(loop, path, direct)
    local self = { loop = loop, c = sockets.wrap(loop, ours), file = file,
        path = path, theirs = theirs }
    sockets.await(loop, self.c.write)
    return self
end

local function close(self)
    C.ql_close_connection(self.c)
    C.ql_file_close(self.file)
    if self.theirs then
        ffi.C.close(self.theirs)
    end
    os.remove(self.path)
end

local function sendfile(self, offset, size)
    return tonumber(self.c.io.sendfile(self.c, self.file, offset, size))
end

describe("sendfile", function()
    exact("sends what the page cache has, a part at a time",
        forked(function()
            local self = opened(32)
            assert.equal(PART - 5, sendfile(self, 5, 32 * PAGE - 5))
            assert.equal(14, sendfile(self, PART, 14))
            assert.is_true(sockets.read_all(self.theirs, PART + 9)
                == files.bytes(32 * PAGE):sub(6, PART + 14))
            assert.equal(2, files.stat(self.loop, "sendfiles"))
            assert.equal(1, self.c.write.ready)
            close(self)
        end))

    it("is declined when the first page is cold", forked(function()
        local self = opened(32)
        files.evict(self.path)
        assert.equal(C.NGX_DECLINED, sendfile(self, 0, PAGE))
        assert.equal(0, calls("sendfile"))
        close(self)
    end))

    exact("knows for a moment what it has proven", forked(function()
        local self = opened(64)
        local function proofs(offset, size, sent)
            local before = calls("preadv2")
            assert.equal(sent, sendfile(self, offset, size))
            sockets.read_all(self.theirs, sent)
            return calls("preadv2") - before
        end
        local half = PART / 2
        assert.equal(8, proofs(0, 4 * PART, PART))
        assert.equal(0, proofs(0, 4 * PART, PART))
        assert.equal(8, proofs(PART, 4 * PART, PART))
        assert.equal(0, proofs(half, PART, PART))
        assert.equal(0, proofs(0, 4 * PART, 2 * PART)) -- at most
        assert.equal(4, proofs(2 * PART + half, PART, half))
        assert.equal(8, proofs(2 * PART, PART, PART)) -- half was none
        self.loop.msec = self.loop.msec + 10
        assert.equal(8, proofs(0, 4 * PART, PART))
        close(self)
    end))

    exact("is asked only for what is proven to be there", forked(function()
        for proofs = 1, 7 do -- each of two pages, from the end of a page on
            local self = opened(32)
            inject.ql_inject_fail("preadv2", -1, proofs + 1, 0, errno.EAGAIN)
            assert.equal(2 * proofs * PAGE - 100, sendfile(self, 100, PART))
            assert.equal(proofs + 1, calls("preadv2"))
            close(self)
            helper.finish(self.loop)
        end
    end))

    it("is declined for files that are read directly", forked(function()
        local self = opened(4, true)
        assert.equal(C.NGX_DECLINED, sendfile(self, 0, PAGE))
        assert.same({ 0, 0 }, { calls("sendfile"), calls("preadv2") })
        close(self)
    end))

    files.mounting(exact, pending)("needs no proof on tmpfs",
        forked(function()
            files.on_tmpfs(function(dir)
                local self = opened(1)
                local path = files.make("in memory", dir)
                local file = files.open(self.loop, path)
                assert.equal(9, tonumber(self.c.io.sendfile(self.c, file, 0,
                    PAGE)))
                assert.equal("in memory", sockets.read_all(self.theirs, 9))
                assert.equal(0, calls("preadv2"))
                C.ql_file_close(file)
                close(self)
            end)
        end))

    exact("at the end of the file sends nothing", forked(function()
        local self = opened(2)
        assert.equal(C.NGX_DECLINED, sendfile(self, 2 * PAGE, PAGE))
        inject.ql_inject_result("sendfile", -1, 1, 1, 0) -- cut just now
        assert.equal(0, sendfile(self, 0, PAGE))
        close(self)
    end))

    exact("is AGAIN when the socket is full, then without a call",
        forked(function()
            local self = opened(16)
            repeat
                local n = sendfile(self, 0, PART)
            until n < 0
            assert.same({ C.NGX_AGAIN, 0 },
                { sendfile(self, 0, PART), self.c.write.ready })
            local before = calls("sendfile")
            assert.equal(C.NGX_AGAIN, sendfile(self, 0, PART))
            assert.equal(before, calls("sendfile"))
            close(self)
        end))
end)

describe("a sendfile that fails", function()
    exact("for the file's or the kernel's reasons is declined",
        forked(function()
            local self = opened(4)
            for _, name in ipairs { "EINVAL", "ENOSYS", "EIO", "EPERM",
                "ENOMEM", "EOPNOTSUPP" } do
                inject.ql_inject_clear()
                inject.ql_inject_fail("sendfile", -1, 1, 1, errno[name])
                assert.equal(C.NGX_DECLINED, sendfile(self, 0, PAGE))
            end
            assert.same({ ["sendfile failed"] = 6 },
                files.fallbacks(self.loop))
            assert.equal(PAGE, sendfile(self, 0, PAGE))
            close(self)
        end))

    exact("is made again after EINTR", forked(function()
        local self = opened(4)
        inject.ql_inject_fail("sendfile", -1, 1, 2, errno.EINTR)
        assert.equal(PAGE, sendfile(self, 0, PAGE))
        assert.equal(3, calls("sendfile"))
        close(self)
    end))

    exact("after the peer has gone: EPIPE or a reset, no SIGPIPE",
        forked(function()
            ffi.C.signal(SIGPIPE, nil)
            local self = opened(4)
            sockets.reset(self.theirs)
            self.theirs = nil
            for _ = 1, 2 do
                local n
                helper.run_until(self.loop, function()
                    n = sendfile(self, 0, PAGE)
                    return n == C.NGX_ERROR
                end)
                assert.is_true(self.c.err == errno.ECONNRESET
                    or self.c.err == errno.EPIPE)
            end
            self.c.write.error, self.c.write.ready = 0, 1
            assert.equal(C.NGX_ERROR, sendfile(self, 0, PAGE))
            assert.equal(errno.EPIPE, self.c.err)
            close(self)
        end))

    exact("in the middle, when the peer goes: a count, no SIGPIPE",
        forked(function()
            ffi.C.signal(SIGPIPE, nil)
            local self = opened(4)
            local sys = ffi.new("ql_sys_t", self.loop.sys[0])
            sys.sendfile = function() -- as the kernel does
                ffi.C.raise(SIGPIPE)
                return 100
            end
            self.loop.sys = sys
            assert.equal(100, sendfile(self, 0, PAGE))
            close(self)
        end))
end)
