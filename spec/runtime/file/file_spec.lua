local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

local O_ACCMODE_DIRECT = 0x4000

describe("ql_file_size", function()
    it("is that of now", forked(function()
        local loop = helper.loop()
        local path = files.make("1234")
        local file = files.open(loop, path)
        files.truncate(path, 5 * 2 ^ 30)
        assert.equal(5 * 2 ^ 30, tonumber(C.ql_file_size(file)))
        files.truncate(path, 0)
        assert.equal(0, tonumber(C.ql_file_size(file)))
        C.ql_file_close(file)
        os.remove(path)
    end))

    it("fails with errno", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("1234")
        local file = files.open(loop, path)
        inject.ql_inject_fail("fstat", -1, 1, 1, errno.EIO)
        assert.equal(-1, tonumber(C.ql_file_size(file)))
        assert.equal(errno.EIO, ffi.errno())
        C.ql_file_close(file)
        os.remove(path)
    end))
end)

describe("the descriptor of direct reads", function()
    it("is opened at the first need, once", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("x")
        local file = files.open(loop, path, true)
        assert.equal(-1, file.direct_fd)
        local fd = C.ql__file_direct(file)
        assert.is_true(fd >= 0 and fd ~= file.fd)
        assert.is_true(bit.band(ffi.C.fcntl(fd, 3), O_ACCMODE_DIRECT) ~= 0)
        assert.equal(fd, C.ql__file_direct(file))
        assert.equal(2, files.calls("open"))
        assert.is_true(file.off_align >= 512 and file.mem_align >= 512)
        C.ql_file_close(file)
        assert.equal(2, files.calls("close"))
        os.remove(path)
    end))

    it("is of the same file when its name has gone", forked(function()
        local loop = helper.loop()
        local path = files.make(files.bytes(8192))
        local file = files.open(loop, path, true)
        os.remove(path)
        files.write(path, ("-"):rep(8192), 0)
        assert.equal(files.bytes(8192), files.read(loop, file, 10000))
        C.ql_file_close(file)
        os.remove(path)
    end))

    for name, times in pairs { EMFILE = 2, ENFILE = 2, ENOMEM = 2,
        EINVAL = 1, EACCES = 1 } do
        it(("that cannot be had for %s is tried %d times")
            :format(name, times), forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local path = files.make("x")
            local file = files.open(loop, path, true)
            inject.ql_inject_fail("open", -1, 1, 2, errno[name])
            for _ = 1, 2 do
                assert.equal(-1, C.ql__file_direct(file))
            end
            assert.equal(1 + times, files.calls("open"))
            assert.equal(2 - times,
                files.stat(loop, "read_direct_unsupported"))
            assert.equal("x", files.read(loop, file, 10))
            C.ql_file_close(file)
            os.remove(path)
        end))
    end

    it("has 4096 for its alignment when statx cannot tell",
        forked(function()
            local loop = helper.loop({}, inject.ql_inject_new(nil))
            local path = files.make(files.bytes(10000))
            local file = files.open(loop, path, true)
            inject.ql_inject_fail("statx", -1, 1, 1, errno.ENOSYS)
            assert.is_true(C.ql__file_direct(file) >= 0)
            assert.same({ 4096, 4096 }, { file.mem_align, file.off_align })
            assert.equal(files.bytes(10000):sub(4000, 4999),
                files.read(loop, file, 1000, 3999))
            C.ql_file_close(file)
            os.remove(path)
        end))
end)

describe("a file's holders", function()
    it("keep it open until the last lets go", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local path = files.make("held")
        local file = files.open(loop, path)
        local r = C.ql_read_create(file, 4, 0)
        C.ql_file_close(file)
        assert.same({ 0, 1 }, { files.calls("close"),
            files.stat(loop, "files_live") })
        assert.equal("held", files.finish(loop, r))
        assert.same({ 1, 0 }, { files.calls("close"),
            files.stat(loop, "files_live") })
        os.remove(path)
    end))
end)
