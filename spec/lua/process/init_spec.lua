local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local pair = require "spec.support.pair"
local quoll = require "quoll"
pcall(helper.ffi.cdef, "int waitpid(int pid, int *status, int options);")
local exec, run = quoll.process.exec, quoll.process.run

local function in_task(fn)
    return function() tasks.run(fn, 20) end
end

describe("quoll.process", function()
    helper.gates()

    it("runs in the main chunk, too", function()
        assert.equal("hi\n", run { "echo", "hi" })
    end)

    it("tells why a program did not start", in_task(function()
        assert.same({ nil, "nosuch: no such file or directory", "ENOENT" },
            { exec { "nosuch" } })
        assert.same({ nil, "./README.md: permission denied", "EACCES" },
            { run { "./README.md" } })
        assert.same({ nil, "/nowhere: no such file or directory", "ENOENT" },
            { run({ "true" }, { cwd = "/nowhere" }) })
        assert.same({ nil, ": no such file or directory", "ENOENT" },
            { exec { "" } })
    end))

    it("leaves nothing of a thousand processes", in_task(function()
        for _ = 1, helper.sanitized and 50 or 1000 do
            assert.same({ "", "", true, "exit", 0 }, { run { "true" } })
        end
        assert.equal(0, quoll.stats().processes.live)
        assert.equal(-1, helper.ffi.C.waitpid(-1, nil, 1)) -- no child at all
    end))

    it("leaves os.execute and io.popen their children", in_task(function()
        local p = assert(exec({ "cat" }, { stdin = "pipe" }))
        assert.equal(256, os.execute "exit 1")
        local pipe = io.popen "echo by popen"
        assert.equal("by popen\n", pipe:read "*a")
        assert.is_true(pipe:close())
        p.stdin:close()
        assert.same({ true, "exit", 0 }, { p:wait(pair.PATIENCE) })
    end))

    it("ends though a grandchild holds the pipe", in_task(function()
        local p = assert(exec("sleep 100 & echo $!",
            { shell = true, stdout = "pipe", pgroup = true, grace = 0 }))
        assert.same({ true, "exit", 0 }, { p:wait(pair.PATIENCE) })
        assert.matches("^%d+$", (p.stdout:receive "*l"))
        p.stdout:settimeout(0)
        assert.equal("TIMEOUT", (select(4, p.stdout:receive(1))))
        p:kill("KILL", { group = true })
        p.stdout:settimeout(pair.PATIENCE)
        assert.equal("", p.stdout:receive "*a")
    end))

    it("is ended with the script", function()
        local result = helper.script([[
            local quoll = require "quoll"
            print(quoll.process.exec({"sleep", "100"}, {stdout = "null",
                stderr = "null"}):pid())
        ]])
        assert.equal(0, result.code, result.err)
        assert.not_equal(0, os.execute("kill -0 " .. result.out:match "%d+"
            .. " 2>/dev/null"))
    end)

    it("survives the script when it is disowned", function()
        local result = helper.script([[
            local quoll = require "quoll"
            print(quoll.process.exec({"sleep", "100"}, {stdout = "null",
                stderr = "null"}):disown():pid())
        ]])
        assert.equal(0, os.execute("kill " .. result.out:match "%d+"))
    end)
end)
