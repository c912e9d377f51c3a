local helper = require "spec.helper"
local calls = require "spec.support.calls"
local processes = require "spec.support.processes"
local C, inject, errno = helper.C, helper.inject, helper.errno
local forked = helper.forked

describe("ql_spawn_create", function()
    it("starts a program that PATH has", forked(function()
        local loop = calls.loop()
        local spawn = processes.spawn(loop, { "true" })
        assert.equal(C.NGX_OK, processes.await(loop, spawn))
        local p = processes.take(loop, spawn)
        helper.run_until(loop, function()
            return p.ended ~= C.QL_PROCESS_RUNS
        end)
        assert.equal(C.QL_PROCESS_EXITED, p.ended)
        assert.equal(0, p.status)
        C.ql_process_release(p, 0)
        assert.equal(0, tonumber(helper.stats(loop).processes_live))
    end))

    it("kills what nobody takes", forked(function()
        local loop = calls.loop()
        local spawn = processes.spawn(loop, { "sleep", "100" })
        assert.equal(C.NGX_OK, processes.await(loop, spawn))
        local pid = tonumber(spawn.call.res)
        C.ql_call_free(spawn.call)
        helper.run_until(loop, function()
            return tonumber(helper.stats(loop).calls_live) == 0
        end)
        assert.is_false(processes.exists(pid))
    end))

    it("says which step failed", forked(function()
        local loop = calls.loop()
        local function failure(argv, cwd)
            local spawn = processes.spawn(loop, argv, { cwd = cwd })
            assert.equal(C.NGX_ERROR, processes.await(loop, spawn))
            local at = helper.ffi.string(spawn.at)
            local err = spawn.call.err
            C.ql_call_free(spawn.call)
            return at, err
        end
        assert.same({ "nosuch", errno.ENOENT }, { failure { "nosuch" } })
        assert.same({ "./README.md", errno.EACCES },
            { failure { "./README.md" } })
        assert.same({ "/nonexistent", errno.ENOENT },
            { failure({ "true" }, "/nonexistent") })
        inject.ql_inject_fail("clone", -1, 1, 1, errno.EAGAIN)
        assert.same({ "clone", errno.EAGAIN }, { failure { "true" } })
    end))

    it("leaves nothing when it cannot be made", forked(function()
        local loop = calls.loop()
        for _, call in ipairs { "malloc", "fcntl", "pipe2", "open" } do
            inject.ql_inject_fail(call, -1, 1, 1, errno.EMFILE)
            assert.is_nil(processes.spawn(loop, { "true" },
                { fds = { [0] = C.QL_SPAWN_NULL, [1] = C.QL_SPAWN_PIPE } }),
                call)
        end
    end))

    it("gives our end of a pipe once", forked(function()
        local loop = calls.loop()
        local spawn = processes.spawn(loop, { "echo", "hi" },
            { fds = { [1] = C.QL_SPAWN_PIPE } })
        processes.await(loop, spawn)
        local fd = C.ql_spawn_pipe(spawn, 1)
        assert.equal(-1, C.ql_spawn_pipe(spawn, 1))
        assert.equal("hi\n", processes.read(fd))
        local p = processes.take(loop, spawn)
        C.ql_process_release(p, 0)
        helper.run_until(loop, function()
            return tonumber(helper.stats(loop).processes_live) == 0
        end)
    end))
end)
