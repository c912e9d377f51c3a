local helper = require "spec.helper"
local calls = require "spec.support.calls"
local processes = require "spec.support.processes"
local shell = require "spec.support.shell"
local ffi, C = helper.ffi, helper.C
local forked = helper.forked

local SIG_IGN = ffi.cast("void (*)(int)", 1)
local SIG_DFL = ffi.cast("void (*)(int)", 0)

pcall(ffi.cdef, "int open(const char *path, int flags, ...);")

-- Of a shell's command, without the last newline.
local function output(loop, command, opts)
    return (processes.output(loop, { "sh", "-c", command }, opts)
        :gsub("\n$", ""))
end

describe("a new process", function()
    it("has the descriptors of the list and no others", forked(function()
        local loop = calls.loop()
        local leak = ffi.C.open("README.md", 0)
        local open = "for i in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$i ]"
            .. " && printf $i; done; true"
        assert.equal("015", output(loop, open,
            { fds = { [0] = 0, [5] = leak } }))
        ffi.C.close(leak)
    end))

    it("may swap descriptors", forked(function()
        local loop = calls.loop()
        local text = output(loop, "cat <&4; cat <&3", {
            fds = { [3] = ffi.C.open("/proc/sys/kernel/ostype", 0),
                [4] = ffi.C.open("/proc/sys/kernel/osrelease", 0) } })
        assert.matches("^[%d.].*\nLinux$", text)
        for fd = 3, 20 do -- the ones above are the loop's or the test's
            local target = calls.shell("readlink /proc/%d/fd/%d",
                ffi.C.getpid(), fd)
            if target:find "/sys/kernel" then
                ffi.C.close(fd)
            end
        end
    end))

    it("blocks and ignores no signal", forked(function()
        local loop = calls.loop()
        ffi.cdef "void (*signal(int signo, void (*handler)(int)))(int);"
        ffi.C.signal(13, SIG_IGN)
        ffi.C.signal(1, SIG_IGN) -- as by nohup: that one stays
        for _, signo in ipairs { 2, 3 } do -- as would these, by a shell's &
            ffi.C.signal(signo, SIG_DFL)
        end
        local status = processes.output(loop,
            { "cat", "/proc/self/status" })
        assert.matches("SigBlk:\t0+\n", status)
        -- But for 32, the C library's own, which make ignores.
        local ignored = status:match("SigIgn:\t0+(%x+)\n")
        assert.equal(1, tonumber(ignored, 16) % 2 ^ 31)
        assert.matches("SigCgt:\t0+\n", status)
    end))

    it("has directory, umask, environment and group", forked(function()
        local loop = calls.loop()
        assert.equal("/ 0027 b $a", output(loop,
            "echo $(pwd) $(umask) $A '$a'",
            { cwd = "/", umask = 23, env = { "PATH=/usr/bin:/bin", "A=b" } }))
        assert.equal("0", output(loop,
            "[ $(cut -d' ' -f5 /proc/$$/stat) = $$ ]; echo $?",
            { pgroup = true }))
    end))

    it("of another user has none of our groups", function()
        if shell.output "id -u" ~= "0\n" then
            pending "only root may become another user"
            return
        end
        forked(function()
            local loop = calls.loop()
            ffi.cdef "int setgroups(size_t n, const unsigned *groups);"
            assert.equal(0, ffi.C.setgroups(2, ffi.new("unsigned[2]", 4, 24)))
            assert.equal("65534 0", output(loop, "echo $(id -u) $(id -G)",
                { uid = 65534 }))
        end)()
    end)

    it("finds its program in the PATH that it gets", forked(function()
        local loop = calls.loop()
        local spawn = processes.spawn(loop, { "true" },
            { env = { "PATH=/nonexistent:/README.md" } })
        assert.equal(C.NGX_ERROR, processes.await(loop, spawn))
        assert.equal(helper.errno.ENOENT, spawn.call.err)
        C.ql_call_free(spawn.call)
    end))
end)
