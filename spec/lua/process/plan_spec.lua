local pair = require "spec.support.pair"
local plan = require "quoll.process.plan"
local quoll = require "quoll"

local function refused(argv, opts, pattern)
    pair.raises(function() quoll.process.exec(argv, opts) end,
        "plan_spec.lua:%d+: bad argument " .. pattern)
end

describe("quoll.process.plan", function()
    it("refuses a command without shell = true", function()
        refused("ls -l", nil, "'argv' to 'exec' %(expected an array; a string")
        refused({}, nil, "'argv' to 'exec'")
        refused(nil, nil, "'argv' to 'exec'")
        refused({ "a\0b" }, nil, "'argv' to 'exec'")
        refused({ "ls", {} }, nil, "'argv' to 'exec'")
        refused({ "ls" }, { shell = true }, "'command' to 'exec'")
    end)

    it("refuses options that it does not know, and bad ones", function()
        refused({ "ls" }, { dir = "/" }, "'options' to 'exec' %(no option")
        refused({ "ls" }, { stdin = "stdout" }, "'stdin' to 'exec'")
        refused({ "ls" }, { stdout = "stdout" }, "'stdout' to 'exec'")
        refused({ "ls" }, { stdout = -1 }, "'stdout' to 'exec'")
        refused({ "ls" }, { fds = { [3] = "pipe" } }, "'fds' to 'exec'")
        refused({ "ls" }, { fds = { [1] = "null" } }, "'fds' to 'exec'")
        refused({ "ls" }, { signal = "NONE" }, "'signal' to 'exec'")
        refused({ "ls" }, { timeout = -1 }, "'timeout' to 'exec'")
        refused({ "ls" }, { umask = 1.5 }, "'umask' to 'exec'")
        refused({ "ls" }, { uid = -1 }, "'uid' to 'exec'")
        refused({ "ls" }, { env = { ["A=B"] = "x" } }, "'env' to 'exec'")
    end)

    it("makes a shell's command", function()
        assert.same({ "/bin/sh", "-c", "a | b" },
            plan.make("a | b", { shell = true }, "exec").argv)
        assert.same({ "seq", "3" }, plan.make({ "seq", 3 }, nil, "exec").argv)
    end)

    it("replaces the environment, or changes it", function()
        assert.is_nil(plan.make({ "x" }, {}, "exec").env)
        assert.same({ "A=1", "B=x" },
            plan.make({ "x" }, { env = { A = 1, B = "x" } }, "exec").env)
        local changed = plan.make({ "x" },
            { setenv = { PATH = false, QUOLL_PLAN = "=" } }, "exec").env
        local all = table.concat(changed, "\n")
        assert.is_nil(("\n" .. all):find "\nPATH=")
        assert.truthy(("\n" .. all .. "\n"):find("\nQUOLL_PLAN==\n", 1, true))
    end)

    it("gives run its own defaults", function()
        local opts, own = plan.of_run { input = "x", max_output = 5,
            cwd = "/" }
        assert.same({ stdin = "pipe", stdout = "pipe", stderr = "pipe",
            cwd = "/" }, opts)
        assert.same({ input = "x", max_output = 5 }, own)
        assert.equal("null", plan.of_run().stdin)
    end)
end)
