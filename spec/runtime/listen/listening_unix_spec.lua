local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, errno = helper.ffi, helper.C, helper.errno
local forked = helper.forked
local path, exists, serves = sockets.path, sockets.exists, sockets.serves

local function listen(loop, text)
    return C.ql_listen(loop, helper.address(text), nil)
end

describe("a unix socket's file", function()
    it("is unlinked when the listener closes", forked(function()
        local loop = helper.loop()
        local name = path()
        local ls = listen(loop, "unix:" .. name)
        assert.is_true(exists(name))
        C.ql_listening_close(ls)
        assert.is_false(exists(name))
    end))

    it("is unlinked when the loop ends", forked(function()
        local loop = C.ql_loop_create(nil, nil)
        local name = path()
        assert.is_true(listen(loop, "unix:" .. name) ~= nil)
        C.ql_loop_destroy(loop)
        assert.is_false(exists(name))
    end))

    it("that nobody listens on is replaced", forked(function()
        local loop = helper.loop()
        local name = path()
        ffi.C.close((sockets.listen("unix:" .. name)))
        assert.is_true(exists(name))
        local ls = listen(loop, "unix:" .. name)
        assert.is_true(ls ~= nil)
        serves(loop, ls)
        C.ql_listening_close(ls)
    end))

    it("of a live listener is left alone", forked(function()
        local loop = helper.loop()
        local name = path()
        local ls = listen(loop, "unix:" .. name)
        assert.is_true(listen(loop, "unix:" .. name) == nil)
        assert.equal(errno.EADDRINUSE, ffi.errno())
        assert.is_true(exists(name))
        helper.run_until(loop, function() return ls.queued == 1 end)
        C.ql_close_connection(C.ql_accept(ls)) -- who asked if it is alive
        serves(loop, ls)
        C.ql_listening_close(ls)
    end))

    it("of a live listener with a full backlog is left alone",
        forked(function()
            local loop = helper.loop()
            local name = path()
            local live, addr = sockets.listen("unix:" .. name, 0)
            local client = sockets.connect(addr)
            assert.is_true(listen(loop, "unix:" .. name) == nil)
            assert.equal(errno.EADDRINUSE, ffi.errno())
            assert.is_true(exists(name))
            ffi.C.close(client)
            ffi.C.close(live)
            os.remove(name)
        end))

    it("that is another kind of file is left alone", forked(function()
        local loop = helper.loop()
        local name = os.tmpname()
        assert.is_true(listen(loop, "unix:" .. name) == nil)
        assert.equal(errno.EADDRINUSE, ffi.errno())
        assert.is_true(exists(name))
        os.remove(name)
    end))

    it("in a directory that there is not: ENOENT", forked(function()
        local loop = helper.loop()
        assert.is_true(listen(loop, "unix:/nowhere/at/all") == nil)
        assert.equal(errno.ENOENT, ffi.errno())
    end))

    it("outlives a forked child that closes its copy", forked(function()
        local loop = helper.loop()
        local name = path()
        local ls = listen(loop, "unix:" .. name)
        local pid = ffi.C.fork()
        if pid == 0 then
            C.ql_listening_close(ls)
            ffi.C._exit(0)
        end
        ffi.C.waitpid(pid, ffi.new("int[1]"), 0)
        assert.is_true(exists(name))
        serves(loop, ls)
        C.ql_listening_close(ls)
    end))
end)
