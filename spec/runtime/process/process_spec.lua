local helper = require "spec.helper"
local calls = require "spec.support.calls"
local processes = require "spec.support.processes"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked = helper.forked

local ECHILD, ESRCH = 10, 3
local KILL, TERM, CHLD = 9, 15, 17
local MS = 1000000

describe("ql_process_t", function()
    it("tells a signal from an exit", forked(function()
        local loop = calls.loop()
        local p = processes.start(loop, { "sh", "-c", "exit 7" })
        assert.same({ C.QL_PROCESS_EXITED, 7 }, { processes.ended(loop, p) })
        C.ql_process_release(p, 0)
        p = processes.start(loop, { "sleep", "100" })
        assert.equal(C.NGX_OK, C.ql_process_kill(p, KILL, 0))
        assert.same({ C.QL_PROCESS_SIGNALED, KILL },
            { processes.ended(loop, p) })
        assert.equal(C.NGX_ERROR, C.ql_process_kill(p, KILL, 0))
        assert.equal(ESRCH, ffi.errno())
        C.ql_process_release(p, 0)
    end))

    it("is killed when it does not end in its grace", forked(function()
        local loop = calls.loop()
        local p = processes.start(loop, { "sh", "-c",
            "trap '' TERM; while :; do sleep 0.01; done" })
        p.grace = 20 * MS
        C.ql_process_release(p, 0)
        processes.none(loop)
    end))

    it("is stopped by its timeout", forked(function()
        local loop = calls.loop()
        local p = processes.start(loop, { "sleep", "100" })
        C.ql_process_timeout(p, 5 * MS)
        assert.same({ C.QL_PROCESS_SIGNALED, TERM },
            { processes.ended(loop, p) })
        assert.equal(1, p.timedout)
        C.ql_process_release(p, 0)
    end))

    it("runs on when it is left", forked(function()
        local loop = calls.loop()
        local p = processes.start(loop, { "sleep", "100" })
        local pid = p.pid
        C.ql_process_release(p, 1)
        helper.finish(loop)
        assert.is_true(processes.exists(pid))
        ffi.C.kill(pid, KILL)
    end))

    it("ends with the loop", forked(function()
        local loop = calls.loop()
        local pids = {}
        for i = 1, 3 do
            local p = processes.start(loop, { "sh", "-c",
                "trap '' TERM; while :; do sleep 0.01; done" })
            p.grace = 20 * MS
            pids[i] = p.pid
        end
        helper.finish(loop)
        for _, pid in ipairs(pids) do
            assert.is_false(processes.exists(pid))
        end
    end))

    it("is known though SIGCHLD is ignored", forked(function()
        local loop = calls.loop()
        pcall(ffi.cdef,
            "void (*signal(int signo, void (*handler)(int)))(int);")
        ffi.C.signal(CHLD, ffi.cast("void (*)(int)", 1))
        local p = processes.start(loop, { "sh", "-c", "exit 7" })
        local ended, status = processes.ended(loop, p)
        if ended ~= C.QL_PROCESS_UNKNOWN then -- Linux 6.15
            assert.same({ C.QL_PROCESS_EXITED, 7 }, { ended, status })
        end
        C.ql_process_release(p, 0)
    end))

    it("says so when the kernel cannot tell how it ended", forked(function()
        local loop = calls.loop()
        local p = processes.start(loop, { "true" })
        inject.ql_inject_fail("waitid", -1, 1, 0, ECHILD)
        inject.ql_inject_fail("pidfd_status", -1, 1, 0, 25)
        assert.equal(C.QL_PROCESS_UNKNOWN, (processes.ended(loop, p)))
        C.ql_process_release(p, 0)
    end))

    it("kills what is left of its group", forked(function()
        local loop = calls.loop()
        local spawn = processes.spawn(loop, { "sh", "-c",
            "sleep 100 & echo $!" }, { pgroup = true,
            fds = { [1] = C.QL_SPAWN_PIPE } })
        processes.await(loop, spawn)
        local fd = C.ql_spawn_pipe(spawn, 1)
        local p = processes.take(loop, spawn)
        processes.ended(loop, p)
        p.grace = 10 * MS
        C.ql_process_release(p, 0)
        -- Its end of the pipe is the grandchild's, too.
        assert.matches("^%d+\n$", processes.read(fd))
        processes.none(loop)
    end))

    it("is undone when it cannot be watched", forked(function()
        local loop = calls.loop()
        local spawn = processes.spawn(loop, { "sleep", "100" })
        processes.await(loop, spawn)
        local pid = tonumber(spawn.call.res)
        inject.ql_inject_fail("epoll_ctl", -1, 1, 1, errno.ENOSPC)
        assert.is_nil(processes.take(loop, spawn))
        helper.run_until(loop, function()
            return tonumber(helper.stats(loop).calls_live) == 0
        end)
        assert.is_false(processes.exists(pid))
    end))
end)
