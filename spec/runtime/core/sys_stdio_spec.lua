local helper = require "spec.helper"
local sockets = require "spec.support.sockets"
local ffi, C = helper.ffi, helper.C
local forked = helper.forked

-- fn() while the process has no descriptors 0, 1 and 2.
local function without_stdio(fn)
    local kept = {}
    for fd = 0, 2 do
        kept[fd] = ffi.C.dup(fd)
    end
    for fd = 0, 2 do
        ffi.C.close(fd)
    end
    local ok, err = pcall(fn)
    for fd = 0, 2 do
        ffi.C.dup2(kept[fd], fd)
        ffi.C.close(kept[fd])
    end
    assert(ok, err)
end

describe("without stdin, stdout and stderr", function()
    local sys = C.ql_sys_default
    local makers = {
        epoll_create1 = function() return sys.epoll_create1(0x80000) end,
        eventfd = function() return sys.eventfd(0, 0x80000) end,
        signalfd = function()
            return sys.signalfd(-1, ffi.cast("void *",
                ffi.new("uint64_t[16]")), 0x80000)
        end,
        inotify_init1 = function() return sys.inotify_init1(0x80000) end,
    }

    for name, make in pairs(makers) do
        it(name .. " gives none of their numbers", forked(function()
            local fd, flags, lowest
            without_stdio(function()
                fd = make()
                flags = ffi.C.fcntl(fd, 1) -- F_GETFD
                lowest = sockets.listen "127.0.0.1:0"
                ffi.C.close(lowest)
            end)
            assert.is_true(fd > 2)
            assert.same({ 1, 0 }, { flags, lowest }) -- FD_CLOEXEC
            ffi.C.close(fd)
        end))
    end

    it("a lack of descriptors is an error, and leaves none", forked(function()
        local rc, err
        without_stdio(function()
            sockets.limit_descriptors(3)
            rc = makers.eventfd()
            err = ffi.errno()
            sockets.limit_descriptors(1024)
        end)
        assert.equal(-1, rc)
        assert.is_true(err == helper.errno.EMFILE or err == 22)
    end))

    it("a loop works", forked(function()
        without_stdio(function()
            local loop = helper.loop()
            assert(C.ql_loop_init(loop) == C.NGX_OK)
            for fd = 0, 2 do
                assert(ffi.C.fcntl(fd, 1) == -1, fd .. " is open")
            end
            helper.finish(loop)
        end)
    end))
end)
