local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local NOBODY = 65534

pcall(ffi.cdef, [[
int chmod(const char *path, unsigned mode);
int setresuid(unsigned real, unsigned effective, unsigned saved);
]])

local function refused(loop, path)
    assert.is_true(C.ql_file_open(loop, path, 0) == nil)
    assert.equal(0, stat(loop, "files_live"))
    return ffi.errno()
end

describe("ql_file_open", function()
    it("opens a regular file", forked(function()
        local loop = helper.loop()
        local path = files.make("twelve bytes")
        local file = files.open(loop, path)
        assert.equal(12, tonumber(C.ql_file_size(file)))
        assert.equal(1, stat(loop, "files_live"))
        assert.equal(1, bit.band(ffi.C.fcntl(file.fd, 1), 1)) -- on exec
        C.ql_file_close(file)
        assert.equal(0, stat(loop, "files_live"))
        os.remove(path)
    end))

    it("makes no kernel object of the loop", forked(function()
        local loop = helper.loop()
        local path = files.make("x")
        C.ql_file_close(files.open(loop, path))
        assert.equal(-1, C.ql_loop_fd(loop))
        os.remove(path)
    end))

    it("refuses a directory", forked(function()
        assert.equal(errno.EISDIR, (refused(helper.loop(), "/tmp")))
    end))

    it("refuses a FIFO without waiting for its writer", forked(function()
        local path = os.tmpname()
        os.remove(path)
        assert(ffi.C.mkfifo(path, 384) == 0)
        assert.equal(errno.EINVAL, (refused(helper.loop(), path)))
        os.remove(path)
    end))

    for _, path in ipairs { "/dev/null", "/dev/zero", "/dev/ptmx" } do
        it("refuses " .. path, forked(function()
            assert.equal(errno.EINVAL, (refused(helper.loop(), path)))
        end))
    end

    it("says that there is no such file", forked(function()
        local loop = helper.loop()
        assert.equal(errno.ENOENT, (refused(loop, "/nowhere/at/all")))
        assert.equal(errno.ENOENT, (refused(loop, "")))
        assert.equal(errno.ENOTDIR, (refused(loop, "/dev/null/file")))
    end))

    it("says that it is not permitted", forked(function()
        local loop = helper.loop()
        local path = files.make("secret")
        assert(ffi.C.chmod(path, 0) == 0)
        local root = ffi.C.setresuid(-1, NOBODY, -1) == 0
        assert.equal(errno.EACCES, (refused(loop, path)))
        assert(not root or ffi.C.setresuid(-1, 0, -1) == 0)
        os.remove(path)
    end))

    for call, name in pairs { open = "EMFILE", fstat = "EIO",
        malloc = "ENOMEM" } do
        it("that fails by " .. call .. " leaves nothing", forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local path = files.make("x")
            inject.ql_inject_fail(call, -1, 1, 1, errno[name])
            assert.equal(errno[name], (refused(loop, path)))
            os.remove(path)
        end))
    end

    it("does without fstatfs", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("still here")
        inject.ql_inject_fail("fstatfs", -1, 1, 1, errno.ENOSYS)
        local file = files.open(loop, path)
        assert.equal("still here", files.read(loop, file, 100))
        C.ql_file_close(file)
        os.remove(path)
    end))
end)
