local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked
local path, exists = sockets.path, sockets.exists

pcall(ffi.cdef, "unsigned getuid(void);")

local function listen(loop, name, opts)
    return C.ql_listen(loop, helper.address("unix:" .. name),
        ffi.new("ql_listen_opts_t", opts or {}))
end

local function ls_of(name)
    local pipe = io.popen("stat -c '%a %u %g' " .. name)
    local line = pipe:read("*l")
    pipe:close()
    return line
end

describe("the file of a unix socket", function()
    it("has the permissions and the owner that were asked for",
        forked(function()
            local loop, name = helper.loop(), path()
            local uid = tonumber(ffi.C.getuid())
            local root = uid == 0
            local ls = listen(loop, name, { mode = tonumber("620", 8),
                owned = 1, uid = root and 1234 or uid, gid = -1 })
            assert.matches("^620 " .. (root and 1234 or uid) .. " %d+$",
                ls_of(name))
            C.ql_listening_close(ls)
            assert.is_false(exists(name))
        end))

    for call, err in pairs { chmod = "EPERM", chown = "EPERM" } do
        it("is removed when " .. call .. " fails", forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local name = path()
            inject.ql_inject_fail(call, -1, 1, 1, errno[err])
            assert.is_true(listen(loop, name, { mode = 384, owned = 1,
                uid = -1, gid = -1 }) == nil)
            assert.equal(errno[err], ffi.errno())
            assert.is_false(exists(name))
            assert.matches(call .. " of " .. name, helper.log()[1].text, 1,
                true)
        end))
    end

    it("that a dead process has left is replaced", forked(function()
        local loop, name = helper.loop(), path()
        ffi.C.close((sockets.listen("unix:" .. name)))
        assert.is_true(exists(name))
        local ls = listen(loop, name)
        assert.is_true(ls ~= nil)
        C.ql_listening_close(ls)
    end))

    it("is left alone at the end when it is another's by then",
        forked(function()
            local loop, name = helper.loop(), path()
            local first = listen(loop, name)
            os.remove(name)
            local second = listen(loop, name)
            C.ql_listening_close(first)
            assert.is_true(exists(name))
            local client = sockets.connect(second.addr)
            ffi.C.close(client)
            C.ql_listening_close(second)
            assert.is_false(exists(name))
        end))

    it("is left alone when it is no socket by then, or gone",
        forked(function()
            local loop, name = helper.loop(), path()
            local ls = listen(loop, name)
            os.remove(name)
            io.open(name, "w"):close()
            C.ql_listening_close(ls)
            assert.is_true(exists(name))
            os.remove(name)
            ls = listen(loop, name)
            os.remove(name)
            C.ql_listening_close(ls)
            assert.equal(0, #helper.log())
        end))

    it("of a live one is not, nor is any other file", forked(function()
        local loop, name = helper.loop(), path()
        local ls = listen(loop, name)
        assert.is_true(listen(loop, name) == nil)
        assert.equal(errno.EADDRINUSE, ffi.errno())
        C.ql_listening_close(ls)
        io.open(name, "w"):close()
        assert.is_true(listen(loop, name) == nil)
        assert.equal(errno.EADDRINUSE, ffi.errno())
        assert.is_true(exists(name))
        os.remove(name)
    end))
end)
