local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local exec, run = quoll.process.exec, quoll.process.run

local function in_task(fn)
    return function() tasks.run(fn) end
end

describe("quoll.process.communicate", function()
    helper.gates()

    it("writes and reads at once", in_task(function()
        local input = ("0123456789abcdef"):rep(pair.MIB / 4)
        local p = assert(exec("tee /dev/stderr", { shell = true,
            stdin = "pipe", stdout = "pipe", stderr = "pipe" }))
        local out, err, ok = p:communicate(input)
        assert.is_true(out == input and err == input and ok)
    end))

    it("does not mind a program that reads no input", in_task(function()
        assert.same({ "", "", true, "exit", 0 },
            { run({ "true" }, { input = ("x"):rep(pair.MIB) }) })
    end))

    it("does not wait for a grandchild", in_task(function()
        local out, _, ok = run("echo a; sleep 100 & echo b $!",
            { shell = true, pgroup = true, grace = 0 })
        assert.matches("^a\nb %d+\n$", out)
        assert.is_true(ok)
    end))

    it("ends a program that says too much", in_task(function()
        assert.same({ nil, "too much output", "EMSGSIZE" },
            { run({ "yes" }, { max_output = 10000 }) })
        assert.same({ nil, "too much output", "EMSGSIZE" },
            { run("yes >&2", { shell = true, max_output = 0 }) })
        assert.equal("12345", run({ "printf", "12345" }, { max_output = 5 }))
    end))

    it("tells status and timeout", in_task(function()
        assert.same({ "a", "", false, "exit", 3 },
            { run("printf a; exit 3", { shell = true }) })
        assert.same({ "a", "", false, "signal", 15, "TIMEOUT" },
            { run("printf a; exec sleep 100",
                { shell = true, timeout = 0.1 }) })
    end))

    it("ends the program when its task is cancelled", in_task(function()
        assert.same({ nil, "timeout", "DEADLINE" },
            { quoll.deadline(0.02, run, { "sleep", "100" }) })
    end))

    it("needs a pipe for input", in_task(function()
        pair.raises(function()
            run({ "cat" }, { input = "x", stdin = "null" })
        end, "bad argument 'input' to 'run' %(stdin is no pipe%)")
        pair.raises(function() run({ "cat" }, { max_output = -1 }) end,
            "bad argument 'max_output' to 'run'")
    end))
end)
